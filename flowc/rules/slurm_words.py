"""Options and subcommands of Slurm's programs that would fail, or be lost, only on the machine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

MOST = 10  # findings: the rest is seldom anything else


def report(unit: Unit, sink: Sink) -> None:
    """Tell each such word where it stands first."""
    from flowc.body.slurm_words import lost_words, wrong_words
    from flowc.rules.base import parts

    lost = {(each.program, each.word): (each, part) for part in parts(unit) for each in lost_words(part.job)}
    if lost:
        from flowc.diag.codes.slurm.words import SLURM_WORD_NOT_FOLLOWED

        for each, part in [*lost.values()][:MOST]:
            span = part.text_span(each.start, each.start + len(each.word))
            sink.report(SLURM_WORD_NOT_FOLLOWED, span, program=each.program, word=each.word, says=each.says)
    all_found = [(wrong, part) for part in parts(unit) for wrong in wrong_words(part.job)]
    found = {(wrong.program, wrong.word): (wrong, part) for wrong, part in reversed(all_found)}
    if not found:
        return
    from flowc.diag.codes.slurm.words import SLURM_WORD_NOT_TAKEN
    from flowc.diag.suggest import nearest

    for wrong, part in sorted(found.values(), key=lambda row: (row[1] is not unit, row[0].start))[:MOST]:
        near = nearest(wrong.word, wrong.known)
        sink.report(
            SLURM_WORD_NOT_TAKEN,
            part.text_span(wrong.start, wrong.start + len(wrong.word)),
            help=f"did you mean `{near}`?" if near is not None else None,
            program=wrong.program,
            word=wrong.word,
        )
