"""Options and subcommands of Slurm's programs that would fail only on the machine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

MOST = 10  # findings: the rest is seldom anything else


def report(unit: Unit, sink: Sink) -> None:
    """Warn of each such word where it stands first."""
    if not unit.job.conventions.commands or not unit.job.run.text:
        return
    from flowc.body.slurm_words import wrong_words

    found = {(each.program, each.word): each for each in reversed(wrong_words(unit.job))}
    if not found:
        return
    from flowc.diag.codes.slurm.words import SLURM_WORD_NOT_TAKEN
    from flowc.diag.suggest import nearest

    for each in sorted(found.values(), key=lambda each: each.start)[:MOST]:
        near = nearest(each.word, each.known)
        sink.report(
            SLURM_WORD_NOT_TAKEN,
            unit.text_span(each.start, each.start + len(each.word)),
            help=f"did you mean `{near}`?" if near is not None else None,
            program=each.program,
            word=each.word,
        )
