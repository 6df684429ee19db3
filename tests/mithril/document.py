"""The provider's OpenAPI document: what requests and replies must look like. It lies beside the project and is not part
of it.

The document is 3.1 and says `nullable: true`, which 3.1 does not know: it is read as it is meant. It declares no error
but 422, so the others are added as they are known to be: an object whose `detail` is a sentence.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

from tests.mithril.parts.log import Call
from tests.mithril.routes.answer import ROUTES, Answer

PATH = Path(__file__).resolve().parents[3] / "shared" / "reference" / "mithril-openapi.json"
ERRORS = (400, 401, 402, 403, 404, 405, 409, 411, 429, 500, 501)
SENTENCE = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
PLACES = {"$ref": "#/components/schemas/HTTPValidationError"}
HERE = "urn:mithril"


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("datetime")(_is_time)


def meant(schema: Any) -> Any:
    """With `nullable` in the words of 3.1."""
    if isinstance(schema, list):
        return [meant(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: meant(each) for name, each in schema.items() if name != "nullable"}
    if schema.get("nullable") is not True or not {"type", "enum", "$ref"} & set(schema):
        return found
    return {"anyOf": [found, {"type": "null"}]}


@functools.cache
def document() -> dict[str, Any]:
    """As it is meant, the errors added. Not to be changed."""
    found: dict[str, Any] = meant(json.loads(PATH.read_text()))
    for operation in (each for methods in found["paths"].values() for each in methods.values()):
        for status in ERRORS:
            operation["responses"].setdefault(str(status), {"description": "refused"})
            operation["responses"][str(status)]["content"] = {"application/json": {"schema": SENTENCE}}
        if "422" in operation["responses"]:
            operation["responses"]["422"]["content"] = {"application/json": {"schema": PLACES}}
    return found


def served() -> dict[str, Any]:
    """The part of the document that the server has routes for."""
    found = copy.deepcopy(document())
    found["paths"] = {
        path: kept
        for path, methods in found["paths"].items()
        if (kept := {name: each for name, each in methods.items() if (name.upper(), path) in ROUTES})
    }
    return found


@functools.cache
def _validator(pointer: str) -> Any:
    registry: Any = referencing.Registry().with_resource(HERE, DRAFT202012.create_resource(document()))
    schema = {"$ref": f"{HERE}#{pointer}"}
    return jsonschema.Draft202012Validator(schema, registry=registry, format_checker=FORMATS)


def _pointer(*parts: str) -> str:
    return "".join("/" + each.replace("~", "~0").replace("/", "~1") for each in parts)


@functools.cache
def template(path: str) -> str | None:
    """The document's path that a request's is: one without ids goes before those with."""
    known = sorted(document()["paths"], key=lambda each: each.count("{"))
    return next((each for each in known if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)), None)


def judge(call: Call, answer: Answer) -> None:
    """Raises `AssertionError` where a reply is not what the document says, or an accepted request is not."""
    replied(call, answer)
    if answer.status < 300:
        accepted(call)


# For a `Server` of any test: nothing is held against a document that is not there.
JUDGE = judge if PATH.exists() else None


def _operation(call: Call) -> tuple[str, Any]:
    path = template(call.path) or call.path
    return path, document()["paths"].get(path, {}).get(call.method.lower())


def replied(call: Call, answer: Answer) -> None:
    """That this is a reply to the call, whatever was asked."""
    path, operation = _operation(call)
    if operation is None:
        assert answer.status in (404, 405, 411), f"{call.method} {call.path} is in no document"
        return
    where = f"{call.method} {path} -> {answer.status}"
    place = ("paths", path, call.method.lower(), "responses", str(answer.status))
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{where}: no such reply is declared"
    if "application/json" in response.get("content", {}):
        _check(where, _pointer(*place, "content", "application/json", "schema"), answer.body)
    else:
        assert answer.body is None, f"{where}: a body that is not declared"


def accepted(call: Call) -> None:
    """That a request may be sent: its body, and the words of its query."""
    path, operation = _operation(call)
    where = f"{call.method} {path}"
    if "requestBody" in operation:
        place = ("paths", path, call.method.lower(), "requestBody", "content", "application/json", "schema")
        _check(where, _pointer(*place), call.body)
    declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    assert set(call.query) <= declared, f"{where}: {sorted(set(call.query) - declared)} is in no document"


def _check(where: str, pointer: str, value: Any) -> None:
    found = [f"{each.json_path}: {each.message[:300]}" for each in _validator(pointer).iter_errors(value)]
    assert not found, f"{where}: " + "; ".join(found)
