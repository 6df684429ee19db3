"""What is found while a machine is looked for, as values: it is reported, or it is the reason why another one was
taken."""

from __future__ import annotations

from flowc.diag.sink import shortened
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.source import Span


class Finding(Record):
    """A diagnostic to be, see `Sink.report`. `message` is what it says, `short` the same in fewer words, beside others
    of its kind."""

    code: Code
    span: Span | None
    help: str | None
    fields: tuple[tuple[str, object], ...]
    message: str
    short: str


class Findings:
    """Findings in the order in which they were made."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def report(
        self, code: Code, span: Span | None, *, help: str | None = None, short: str | None = None, **fields: object
    ) -> None:
        shown = {name: shortened(value) if isinstance(value, str) else value for name, value in fields.items()}
        message = code.title.format_map(shown)
        self._found.append(
            Finding(
                code=code,
                span=span,
                help=help,
                fields=tuple(fields.items()),
                message=message,
                short=message if short is None else short,
            )
        )

    @property
    def error(self) -> Finding | None:
        """The first error among them."""
        return next((each for each in self._found if each.code.severity == "error"), None)

    def of(self, code: Code) -> bool:
        return any(each.code is code for each in self._found)

    def tell(self, sink: Sink) -> None:
        """Report them all."""
        for each in self._found:
            fields: dict[str, Any] = dict(each.fields)
            sink.report(each.code, each.span, help=each.help, **fields)
