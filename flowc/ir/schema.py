"""JSON Schema (2020-12) of the documents that `ir.encode` writes, derived from the records and their docstrings."""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin, get_type_hints

from flowc.ir import job, parts
from flowc.record import Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PLAIN = {str: "string", int: "integer", bool: "boolean"}
# Words that a field may hold, where its type says only that it is text.
_WORDS = {
    ("Run", "kind"): ("script", "shell", "argv"),
    ("Conventions", "runs_on"): ("all", "first"),
    ("Conventions", "workdir_on"): ("container", "machine"),
    ("Volume", "interface"): ("block", "file"),
    ("Mount", "kind"): ("bucket", "local", "volume", "scratch", "memory", "host", "nfs", "git"),
    ("Container", "role"): ("init", "sidecar"),
    ("ExitRule", "action"): ("fail", "free", "count"),
    ("Pricing", "priority"): ("low", "med", "high", None),
    ("Outcome", "action"): ("lowered", "approximated", "ignored", "refused"),
}


def ir_schema(diagnostic: dict[str, Any]) -> dict[str, Any]:
    """The schema of `flowc.ir/1`; `diagnostic` is that of one entry of its `diagnostics`."""
    definitions: dict[str, Any] = {}
    _define(job.Job, definitions)
    definitions["Run"] = _run(definitions["Run"])
    return {
        "$schema": DIALECT,
        "title": "flowc.ir/1",
        "description": "Jobs as their authors meant them, whatever format they were written in.",
        "type": "object",
        "properties": {
            "format": {"const": "flowc.ir/1"},
            "jobs": {"type": "array", "items": {"$ref": "#/$defs/Job"}},
            "diagnostics": {"type": "array", "items": {"$ref": "#/$defs/Diagnostic"}},
        },
        "required": ["format", "jobs", "diagnostics"],
        "$defs": {**dict(sorted(definitions.items())), "Diagnostic": diagnostic},
    }


def _define(record: type[Record], definitions: dict[str, Any]) -> None:
    """Add the schema of a record and of all records within it. Every key is always there; more may come to be."""
    if record.__name__ in definitions:
        return
    definitions[record.__name__] = schema = _described(record)
    hints = get_type_hints(record, localns=vars(parts))
    schema["type"] = "object"
    names = [name for name in record.FIELDS if name not in getattr(record, "UNTOLD", ())]
    schema["properties"] = {name: _field(record, name, hints[name], definitions) for name in names}
    schema["required"] = names


def _described(record: type[Record]) -> dict[str, Any]:
    own = record.__dict__.get("__doc__")
    return {"description": " ".join(own.split())} if own else {}


def _field(record: type[Record], name: str, hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    words = _WORDS.get((record.__name__, name))
    return {"enum": list(words)} if words else _type(hint, definitions)


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (_type(each, definitions) for each in get_args(hint) if each is not type(None))
        plain = inner.get("type")
        return {"type": [plain, "null"]} if inner.keys() == {"type"} else {"anyOf": [inner, {"type": "null"}]}
    if get_origin(hint) is tuple:
        first, *rest = get_args(hint)
        if rest == [Ellipsis]:
            return {"type": "array", "items": _type(first, definitions)}
        pair = [_type(each, definitions) for each in (first, *rest)]
        return {"type": "array", "prefixItems": pair, "minItems": len(pair), "maxItems": len(pair)}
    _define(hint, definitions)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _run(schema: dict[str, Any]) -> dict[str, Any]:
    """What is run has `argv` or `text`, as its kind says."""
    schema["required"] = [name for name in schema["required"] if name not in ("text", "argv")]
    schema["properties"]["text"] = {"type": "string"}
    schema["if"] = {"properties": {"kind": {"const": "argv"}}}
    schema["then"] = {"required": ["argv"]}
    schema["else"] = {"required": ["text"]}
    return schema
