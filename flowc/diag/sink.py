"""Where diagnostics gather while a source goes through the pipeline."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.record import Record
from flowc.source import Span


class Edit(Record):
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


class Fix(Record):
    """A change that mends the problem, safe to apply without asking: `title` says what it does."""

    title: str
    edits: tuple[Edit, ...]


class Diagnostic(Record):
    """One finding. `span` is None when no text in particular caused it; `notes` point at other places."""

    code: Code
    severity: str
    message: str
    span: Span | None
    help: str | None = None
    fix: Fix | None = None
    notes: tuple[tuple[Span, str], ...] = ()


class Sink:
    """Collects the diagnostics of one source, in the order of their reporting."""

    __slots__ = ("diagnostics", "error_count", "strict")

    def __init__(self, *, strict: bool = False) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.error_count = 0
        self.strict = strict

    def report(
        self,
        code: Code,
        span: Span | None,
        *,
        help: str | None = None,
        fix: Fix | None = None,
        notes: tuple[tuple[Span, str], ...] = (),
        **fields: object,
    ) -> None:
        """Report one finding; `fields` fill the code's title, all of them and no others (KeyError otherwise)."""
        severity = "error" if self.strict and code.severity == "warning" else code.severity
        self.diagnostics.append(
            Diagnostic(
                code=code,
                severity=severity,
                message=code.title.format_map(fields),
                span=span,
                help=help,
                fix=fix,
                notes=notes,
            )
        )
        if severity == "error":
            self.error_count += 1

    @property
    def failed(self) -> bool:
        return self.error_count > 0
