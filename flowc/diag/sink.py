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
    """Collects the diagnostics of one source, in the order of their reporting; the same finding only once.

    `failed`: an error was reported, a warning under `strict` included, so that nothing may be emitted. `broken`: an error
    that is one in any case, so that later stages have nothing to work on; only such an error stops the pipeline, and
    `strict` hides no finding.
    """

    __slots__ = ("_seen", "diagnostics", "error_count", "promoted_count", "strict")

    def __init__(self, *, strict: bool = False) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.error_count = 0
        self.promoted_count = 0
        self.strict = strict
        self._seen: set[tuple[str, Span | None, str]] = set()

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
        promoted = self.strict and code.severity == "warning"
        message = code.title.format_map(fields)
        key = (code.id, span, message)
        if key in self._seen:
            return
        self._seen.add(key)
        self.diagnostics.append(
            Diagnostic(
                code=code,
                severity="error" if promoted else code.severity,
                message=message,
                span=span,
                help=help,
                fix=fix,
                notes=notes,
            )
        )
        self.error_count += code.severity == "error"
        self.promoted_count += promoted

    @property
    def broken(self) -> bool:
        return self.error_count > 0

    @property
    def failed(self) -> bool:
        return self.error_count + self.promoted_count > 0
