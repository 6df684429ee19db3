"""Hand-made findings, so that what is shown can be tested apart from what is found."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.diag.sink import Diagnostic, Edit, Fix
from flowc.source import Source, Span

ERROR = Code(id="FC999", name="some-problem", severity="error", title="t", explain="why\n\nwhat to do", bad="", good="")


def span(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def finding(
    where: Span | None,
    message: str = "the message",
    *,
    severity: str = "error",
    help: str | None = None,
    fix: tuple[Span, str] | None = None,
    notes: tuple[tuple[Span, str], ...] = (),
) -> Diagnostic:
    change = None if fix is None else Fix(title="mend it", edits=(Edit(span=fix[0], text=fix[1]),))
    return Diagnostic(code=ERROR, severity=severity, message=message, span=where, help=help, fix=change, notes=notes)
