"""Puts the job flags of the command line over a job: they win over the file (contract §1).

What a run without flags does not need stands in modules of its own.
"""

from __future__ import annotations

from flowc.inputs import Inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

_NOTHING = Inputs()


def run(unit: Unit, inputs: Inputs, sink: Sink) -> Unit:
    """The unit with the flags' values in place of the file's; each has its origin on the command line. What the flags
    ask of a source that cannot do it is reported."""
    if inputs.old_spellings or inputs.flags.sets or inputs.args:
        from flowc.override.misplaced import report

        report(unit.job.source.frontend, inputs, sink)
    if inputs.flags == _NOTHING.flags and inputs.defaults == _NOTHING.flags:
        return unit
    from flowc.override.apply import apply

    return apply(unit, inputs, sink)
