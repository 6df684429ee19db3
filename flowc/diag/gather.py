"""Findings of one kind about one job become one that lists the others: there is less to read, and
nothing is left out.

Warnings and notes of one code are one finding, which lists its places. Notes that speak of the same kind of thing as
a worse finding (`Code.kind`) stand below that one, or below the first of them; so do warnings of one kind that one help
mends, and those about one place. Errors stay as they are, each is to be mended, but for those over open placeholders;
so does what has a fix of its own, or notes. The formats that point at lines (concise, SARIF, annotations,
reports) do without: there each place is told where it is.
"""

from __future__ import annotations

from flowc.diag.code import SEVERITIES
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Diagnostic
    from flowc.source import Span


class Gathered(Record):
    """A finding, and those of its kind, in their order: first those of its own code."""

    first: Diagnostic
    others: tuple[Diagnostic, ...] = ()


def in_order(path: str, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By position in the file; then what is about other texts (the command line); then what is about none."""

    def key(diagnostic: Diagnostic) -> tuple[int, int]:
        span = diagnostic.span
        if span is None:
            return 2, 0
        return int(span.source.path != path), span.start

    return sorted(diagnostics, key=key)


def gathered(path: str, diagnostics: Iterable[Diagnostic]) -> list[Gathered]:
    """All findings about one source, in order, each in one of those that come back."""
    found: list[list[Diagnostic]] = []
    by_code: dict[tuple[str | None, str], list[Diagnostic]] = {}
    for each in in_order(path, diagnostics):
        group = by_code.get((each.job, each.code.id)) if _joins(each) else None
        if group is not None:
            group.append(each)
            continue
        found.append([each])
        if _joins(each):
            by_code[each.job, each.code.id] = found[-1]
    return [Gathered(first=group[0], others=tuple(group[1:])) for group in _below_their_kind(found)]


def _joins(diagnostic: Diagnostic) -> bool:
    if diagnostic.code.severity == "error":
        from flowc.diag.suggest import asks_to_fill

        if not asks_to_fill(diagnostic.help):
            return False
    return diagnostic.fix is None and not diagnostic.notes


def _below_their_kind(found: list[list[Diagnostic]]) -> list[list[Diagnostic]]:
    heads: dict[tuple[str | None, str], list[Diagnostic]] = {}
    for group in found:
        kind = group[0].code.kind
        if kind is not None:
            head = heads.setdefault((group[0].job, kind), group)
            if SEVERITIES.index(group[0].severity) < SEVERITIES.index(head[0].severity):
                heads[group[0].job, kind] = group
    alike: dict[tuple[str | None, str, str | Span], list[Diagnostic]] = {}
    kept = []
    for group in found:
        first, kind = group[0], group[0].code.kind
        head = group
        if kind is not None and _joins(first):
            if first.code.severity == "note":
                head = heads[first.job, kind]
            else:
                for what in (first.help, first.span):
                    if what is not None:
                        head = alike.setdefault((first.job, kind, what), head)
        if head is group:
            kept.append(group)
        else:
            head += group
    return kept
