"""What became of every key of a document: nothing that the user wrote leaves without an entry.

The rows of a format's table carry a decision: `action` is lowered, approximated, ignored or refused, `note` says in
a few words why or what happens instead, `quiet` keeps an ignored key out of the diagnostics (only the outcome tells).
A row without an action holds others (`spec`, `template`): its keys are looked at. Lowering may overrule a row for one
pair with `decide`.
"""

from __future__ import annotations

from flowc.ir.job import Outcome
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink


class LedgerCodes(Record):
    """A format's codes for what is not lowered in full; their titles use `path` and `reason`, `quiet` uses `paths`."""

    approximated: Code
    ignored: Code
    refused: Code


class Ledger:
    """The decisions for one document, or for the part of it that is one job. `spans`: once it is closed, the places of
    what it told of, in that order."""

    __slots__ = ("codes", "decisions", "made", "quiet", "sink", "spans")

    def __init__(self, codes: LedgerCodes, sink: Sink) -> None:
        self.codes = codes
        self.sink = sink
        self.decisions: dict[int, tuple[str, str | None, str | None]] = {}
        self.quiet: set[int] = set()
        self.made: dict[int, tuple[Pair, Pair]] = {}
        self.spans: tuple[Span, ...] = ()

    def stands_for(self, made: Pair, pair: Pair) -> None:
        """What is decided about a pair that lowering made is decided about that of the document."""
        self.made[id(made)] = made, pair

    def decide(
        self, pair: Pair | None, action: str, note: str | None, code: Code | None = None, *, quiet: bool = False
    ) -> None:
        """Overrule the table for one pair; `code` was already reported about it, otherwise `close` reports, unless
        `quiet`."""
        if pair is not None:
            pair = self.made.get(id(pair), (pair, pair))[1]
            self.decisions[id(pair)] = (action, note, code.id if code is not None else None)
            if quiet:
                self.quiet.add(id(pair))

    def leave_out(self, pair: Pair, reason: str) -> None:
        """What would keep the job in another place is told, and has no effect."""
        from flowc.diag.codes.override import LEFT_OUT

        self.sink.report(LEFT_OUT, pair.key.span, path=pair.path, reason=reason)
        self.decide(pair, "ignored", reason, LEFT_OUT)

    def close(self, root: Node, *, report: bool = True) -> tuple[Outcome, ...]:
        """Report what was not lowered in full, and give the outcome of each key in the order of the text. `report`
        False: only the outcome (for the second job of a document that makes several)."""
        found: list[tuple[Outcome, Span]] = []
        self._visit(root, found, report)
        self.spans = tuple(span for _, span in found)
        return tuple(outcome for outcome, _ in found)

    def _visit(self, node: Node, found: list[tuple[Outcome, Span]], report: bool) -> None:
        if type(node) is Sequence:
            for item in node.items:
                if type(item) is not Scalar:
                    self._visit(item, found, report)
        if type(node) is not Mapping:
            return
        for pair in node.pairs:
            decision = self.decisions.get(id(pair))
            row = pair.field or _NO_ROW
            if decision is not None:
                action, note, code = decision
            elif "action" not in row:
                if type(pair.value) is not Scalar:
                    self._visit(pair.value, found, report)
                continue
            elif is_null(pair.value):
                action, note, code = "lowered", "null: as if it were not there", None
            else:
                action, note, code = row["action"], row.get("note"), None
            key = pair.key
            if code is None and action != "lowered" and not row.get("quiet") and id(pair) not in self.quiet:
                kind: Code = getattr(self.codes, action)
                if report:
                    self.sink.report(kind, key.span, path=pair.path, reason=note or "")
                code = kind.id
            here = key.source is node.source  # otherwise it is of the command line
            line = key.source.line_at(key.start) if here else None
            told = Outcome(input=pair.path, line=line, action=action, code=code, note=note)
            found.append((told, _place(pair)))


_NO_ROW: dict[str, Any] = {}


def _place(pair: Pair) -> Span:
    """From the key to the end of the value, which an alias or a flag puts elsewhere."""
    key, value = pair.key, pair.value
    near = value.source is key.source and value.end >= key.start
    return Span(key.source, key.start, max(key.end, value.end) if near else key.end)


def undecided(types: dict[str, dict[str, dict[str, object]]]) -> list[str]:
    """The rows `Type.key` of a format's table that have neither a decision nor rows of their own: for tests."""
    inner = ("type", "of", "shapes", "alias", "words")
    return [
        f"{name}.{key}"
        for name, fields in types.items()
        for key, field in fields.items()
        if "action" not in field and not any(each in field for each in inner)
    ]
