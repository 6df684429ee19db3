"""Diagnostics as workflow commands of GitHub Actions, which shows them as annotations of the changed
lines."""

from __future__ import annotations

from flowc.diag.excerpt import of_job, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render_github(documents: list[dict[str, Any]]) -> str:
    """One line a finding, made from `json_format.diagnostic_document`."""
    return "".join(_command(document) for document in documents)


def _command(document: dict[str, Any]) -> str:
    properties = {"title": f"{document['code']} {document['name']}", "file": document["path"]}
    if document["line"] is not None:
        properties |= {"line": document["line"], "endLine": document["end_line"]}
        if document["line"] == document["end_line"]:  # columns are refused where a finding spans lines
            properties |= {"col": document["column"], "endColumn": document["end_column"]}
    shown = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    text = visible(document["message"]) + of_job(document["job"])
    if document["help"]:
        text += f"\nhelp: {visible(document['help'])}"
    return f"::{_COMMANDS[document['severity']]} {shown}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
