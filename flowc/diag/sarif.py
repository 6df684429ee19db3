"""Diagnostics as SARIF 2.1.0, the format of code scanning services."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(documents: list[dict[str, Any]], codes: tuple[Code, ...], version: str) -> str:
    """The whole log, made from `json_format.diagnostic_document`; `codes` are all codes that may occur."""
    import json

    used = {document["code"] for document in documents}
    rules = [code for code in codes if code.id in used]
    index = {code.id: position for position, code in enumerate(rules)}
    driver = {"name": "flowc", "semanticVersion": version, "rules": [_rule(code) for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(document, index) for document in documents],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "name": "".join(word.capitalize() for word in code.name.split("-")),
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.explain},
        "defaultConfiguration": {"level": code.severity},
    }


def _result(document: dict[str, Any], index: dict[str, int]) -> dict[str, Any]:
    text = document["message"]
    if document["help"]:
        text += f"\n{document['help']}"
    result: dict[str, Any] = {
        "ruleId": document["code"],
        "ruleIndex": index[document["code"]],
        "level": document["severity"],
        "message": {"text": text},
        "locations": [_location(document)] if document["path"] is not None else [],
    }
    if document["notes"]:
        result["relatedLocations"] = [
            {**_location(note), "id": number, "message": {"text": note["message"]}}
            for number, note in enumerate(document["notes"])
        ]
    if document["fix"] is not None:
        result["fixes"] = [_fix(document)]
    return result


def _location(place: dict[str, Any]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place["path"])}}
    if place["line"] is not None:
        physical["region"] = _region(place)
    return {"physicalLocation": physical}


def _region(place: dict[str, Any]) -> dict[str, int]:
    return {
        "startLine": place["line"],
        "startColumn": place["column"],
        "endLine": place["end_line"],
        "endColumn": place["end_column"],
    }


def _fix(document: dict[str, Any]) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit), "insertedContent": {"text": edit["text"]}} for edit in document["fix"]["edits"]
    ]
    change = {"artifactLocation": {"uri": _uri(document["path"])}, "replacements": replacements}
    return {"description": {"text": document["fix"]["title"]}, "artifactChanges": [change]}


def _uri(path: str) -> str:
    """A path as a URI reference; a bare `<stdin>` is escaped like any other name."""
    from urllib.parse import quote

    escaped = quote(path.encode("utf-8", "surrogateescape"))
    return f"file://{escaped}" if path.startswith("/") else escaped
