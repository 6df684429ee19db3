"""Diagnostics as SARIF 2.1.0, the format of code scanning services."""

from __future__ import annotations

from flowc.diag.excerpt import of_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_BEGINNING = {"line": 1, "column": 1, "end_line": 1, "end_column": 1}


def render_sarif(documents: list[dict[str, Any]], codes: tuple[Code, ...], version: str) -> str:
    """The whole log, made from `json_format.diagnostic_document`, each with a `fingerprint` beside; `codes` are all
    codes that may occur. It has what GitHub's code scanning asks for: help of a rule, a region of each place, a
    fingerprint by which it knows a finding again."""
    import json

    seen: dict[str, int] = {}
    used = {document["code"] for document in documents}
    rules = [code for code in codes if code.id in used]
    index = {code.id: position for position, code in enumerate(rules)}
    driver = {"name": "flowc", "semanticVersion": version, "rules": [_rule(code) for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(document, index, seen) for document in documents],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "name": "".join(word.capitalize() for word in code.name.split("-")),
        "shortDescription": {"text": _without_fields(code.title)},
        "fullDescription": {"text": code.explain.partition("\n\n")[0].replace("\n", " ")},
        "help": {"text": code.explain, "markdown": code.explain},
        "defaultConfiguration": {"level": code.severity},
    }


def _without_fields(title: str) -> str:
    """A title as it is for any finding: what is filled in is left open."""
    import re

    return re.sub(r"\{\w+[^}]*\}", "…", title)


def _result(document: dict[str, Any], index: dict[str, int], seen: dict[str, int]) -> dict[str, Any]:
    text = document["message"] + of_job(document["job"])
    if document["help"]:
        text += f"\n{document['help']}"
    print_ = document["fingerprint"]
    number = seen[print_] = seen.get(print_, 0) + 1
    result: dict[str, Any] = {
        "ruleId": document["code"],
        "ruleIndex": index[document["code"]],
        "level": document["severity"],
        "message": {"text": text},
        "locations": [_location(document)] if document["path"] is not None else [],
        "partialFingerprints": {"primaryLocationLineHash": f"{print_.rpartition(':')[2]}:{number}"},
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
    # What is about no text in particular is shown at the beginning.
    physical["region"] = _region(place if place["line"] is not None else _BEGINNING)
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
