"""Other programs that judge the texts of a job, where they are asked to (`--judge`): bash, shellcheck, Python. Never by
their mere presence, so that what is found is the same on any machine. What they say stands where the user wrote it."""

from __future__ import annotations

from flowc.judges import bash, python, shellcheck
from flowc.judges.base import Judge
from flowc.judges.texts import Judged, judged_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

JUDGES: tuple[Judge, ...] = (bash.JUDGE, shellcheck.JUDGE, python.JUDGE)


def named(names: Iterable[str]) -> list[Judge]:
    return [judge for judge in JUDGES if judge.name in names]


def run(units: list[Unit], names: tuple[str, ...], sink: Sink) -> None:
    """Report what those who are named and installed find, and in one line what they were not shown and why."""
    judges = [judge for judge in named(names) if judge.version() is not None]
    for index, unit in enumerate(units):
        sink.turn_to(index)
        skipped: dict[str, list[str]] = {}
        for each in judged_texts(unit):
            if not any(judge.reads(each.language) for judge in JUDGES):
                skipped.setdefault(f"a text for `{each.language}`", [])
            for judge in judges:
                if judge.reads(each.language) and (reason := _judge(judge, each, sink)):
                    skipped.setdefault(reason, []).append(judge.title)
        if skipped and judges:
            from flowc.diag.codes.judges import NOT_JUDGED

            sink.report(NOT_JUDGED, None, what="; ".join(_told(*row) for row in skipped.items()))
    sink.turn_to(None)


def _told(reason: str, by: list[str]) -> str:
    return f"{reason} (by {', '.join(dict.fromkeys(by))})" if by else reason


def _judge(judge: Judge, each: Judged, sink: Sink) -> str | None:
    """Why it was not judged; None where it was."""
    reason = each.reason or judge.declines(each.text)
    if reason is not None:
        return reason
    found = judge.judge(each)
    if found is None:
        return "a text over which it takes too long"
    for one in found:
        sink.report(one.code, each.unit.text_span(one.start, one.end), **one.fields)
    return None
