"""Variables of Slurm's programs that come to nothing on the machine: set for a program, or read from it."""

from __future__ import annotations

from flowc.body.slurm_variables import never_set, not_followed
from flowc.diag.lacks import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

MOST = 10  # findings


def report(unit: Unit, sink: Sink) -> None:
    """Tell each such variable where it stands first."""
    lost, unset = not_followed(unit.job), never_set(unit.job)
    if not lost and not unset:
        return
    from flowc.diag.codes.slurm.words import SLURM_VARIABLE_NOT_READ, SLURM_VARIABLE_NOT_SET, SLURM_WORD_NOT_FOLLOWED

    for each in lost[:MOST]:
        span = unit.text_span(each.start, each.start + len(each.word))
        if each.says:
            sink.report(SLURM_WORD_NOT_FOLLOWED, span, program=each.program, word=each.word, says=each.says)
        else:
            sink.report(SLURM_VARIABLE_NOT_READ, span, program=each.program, word=each.word)
    for each in unset[:MOST]:
        span = unit.text_span(each.start, each.start + len(each.word))
        sink.report(SLURM_VARIABLE_NOT_SET, span, lacks=((VARIABLE, each.name),), word=each.word, says=each.says)
