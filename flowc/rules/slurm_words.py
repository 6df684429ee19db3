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
    from flowc.rules.base import parts

    all_found = [(each, part) for part in parts(unit) for each in wrong_words(part.job)]
    found = {(each.program, each.word): (each, part) for each, part in reversed(all_found)}
    if not found:
        return
    from flowc.diag.codes.slurm.words import SLURM_WORD_NOT_TAKEN
    from flowc.diag.suggest import nearest

    for each, part in sorted(found.values(), key=lambda row: (row[1] is not unit, row[0].start))[:MOST]:
        near = nearest(each.word, each.known)
        sink.report(
            SLURM_WORD_NOT_TAKEN,
            part.text_span(each.start, each.start + len(each.word)),
            help=f"did you mean `{near}`?" if near is not None else None,
            program=each.program,
            word=each.word,
        )
