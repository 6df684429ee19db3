"""JSON Schema of the documents that `diag.json_format` writes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NUMBER = {"type": ["integer", "null"], "minimum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}


def _object(description: str, **properties: Any) -> dict[str, Any]:
    """An object that has all these keys; more may come to be."""
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _place(number: dict[str, Any]) -> dict[str, Any]:
    return {"line": number, "column": number, "end_line": number, "end_column": number}


def _gathered_schema() -> dict[str, Any]:
    """One finding, with those of its kind."""
    one = diagnostic_schema()
    others = {
        "description": "Findings of its kind about the same job: those of its code at other places, and notes.",
        "type": "array",
        "items": {"$ref": "#/$defs/Gathered"},
    }
    return {**one, "properties": {**one["properties"], "gathered": others}}


def diagnostic_schema() -> dict[str, Any]:
    """One finding."""
    edit = _object(
        "Replace what lies between the places by the text.", **_place({"type": "integer", "minimum": 1}), text=_TEXT
    )
    fix = _object(
        "A change that mends the problem; where it is certain it is safe to apply without asking.",
        title=_TEXT,
        edits={"type": "array", "items": edit},
        certain={"type": "boolean"},
    )
    note = _object("Another place that has to do with it.", message=_TEXT, path=_MAYBE_TEXT, **_place(_NUMBER))
    return _object(
        "One finding. Lines and columns count from 1, columns in characters; the end is the first character after the "
        "text. A finding about no text in particular has line null.",
        code={"type": "string", "pattern": "^FC[0-9]{3}$"},
        name={"type": "string", "pattern": "^[a-z0-9-]+$"},
        severity={"enum": ["error", "warning", "note"]},
        message=_TEXT,
        path=_MAYBE_TEXT,
        **_place(_NUMBER),
        help=_MAYBE_TEXT,
        fix={"anyOf": [fix, {"type": "null"}]},
        url=_MAYBE_TEXT,
        notes={"type": "array", "items": note},
        job={"description": "The name of the job, where the source holds several.", **_MAYBE_TEXT},
    )


def diagnostics_schema(dialect: str) -> dict[str, Any]:
    """The schema of `flowc.diagnostics/1`."""
    summary = _object(
        "How many sources, and findings by severity.", files=_COUNT, errors=_COUNT, warnings=_COUNT, notes=_COUNT
    )
    document = _object(
        "What flowc found in one or several sources.",
        format={"const": "flowc.diagnostics/1"},
        diagnostics={"type": "array", "items": {"$ref": "#/$defs/Diagnostic"}},
        summary=summary,
    )
    judge = _object("A program that was asked about the texts of jobs.", name=_TEXT, version=_TEXT)
    document["properties"]["judges"] = {"description": "Only with --judge.", "type": "array", "items": judge}
    head = {"$schema": dialect, "title": "flowc.diagnostics/1"}
    return {**head, **document, "$defs": {"Diagnostic": _gathered_schema(), "Gathered": diagnostic_schema()}}
