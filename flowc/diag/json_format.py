"""Diagnostics for programs: `flowc.diagnostics/1`. The other machine formats are made from the same
documents."""

from __future__ import annotations

from flowc.diag.gather import gathered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flowc.diag.sink import Diagnostic, Fix
    from flowc.source import Span

FORMAT = "flowc.diagnostics/1"


def diagnostic_document(diagnostic: Diagnostic, path: str | None = None) -> dict[str, Any]:
    """One finding as plain values. `path` is the file's, for findings about no text in particular.

    Lines and columns count from 1, columns in characters; the end is the first character after the text.
    """
    return {
        "code": diagnostic.code.id,
        "name": diagnostic.code.name,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_place(diagnostic.span, path),
        "help": diagnostic.help,
        "fix": None if diagnostic.fix is None or _tells_secret(diagnostic.fix) else _fix(diagnostic.fix),
        "url": None,
        "notes": [{"message": message, **_place(span, path)} for span, message in diagnostic.notes],
        "job": diagnostic.job,
    }


def gathered_documents(path: str, diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The findings about one source, each with those of its kind (`gathered`), which are such documents too."""
    return [
        {
            **diagnostic_document(each.first, path),
            "gathered": [diagnostic_document(other, path) for other in each.others],
        }
        for each in gathered(path, diagnostics)
    ]


def _place(span: Span | None, path: str | None) -> dict[str, Any]:
    if span is None:
        return {"path": path, "line": None, "column": None, "end_line": None, "end_column": None}
    return {"path": span.source.path, **_region(span)}


def _region(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _tells_secret(fix: Fix) -> bool:
    """Whether an edit would have to name the value of a secret; `flowc check --fix` applies it all the same."""
    return any(
        edit.span.source.masked(edit.text) != edit.text or _begins_in_secret(edit.span, edit.text) for edit in fix.edits
    )


def _begins_in_secret(span: Span, text: str) -> bool:
    """Whether a part of a secret is written anew: the name that tells it stands outside of the edit."""
    source = span.source
    return bool(text.strip()) and (
        source.holds_secret(span.start, span.end) or source.shown(span.start, span.end) != span.text
    )


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**_region(edit.span), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "edits": edits, "certain": fix.certain}


def render_json(documents: list[dict[str, Any]], files: int, judges: Iterable[tuple[str, str]] = ()) -> str:
    """The whole document about `files` sources; `judges`: who else was asked, with their versions."""
    import json

    severities = [document["severity"] for document in documents]
    summary = {
        "files": files,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "notes": severities.count("note"),
    }
    whole: dict[str, Any] = {"format": FORMAT, "diagnostics": documents, "summary": summary}
    asked = [{"name": name, "version": version} for name, version in judges]
    if asked:
        whole["judges"] = asked
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
