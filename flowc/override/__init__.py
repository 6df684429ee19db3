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


def run(
    units: list[Unit],
    inputs: Inputs,
    sink: Sink,
    *,
    document: bool = True,
    task_fields: bool = False,
    objects: bool = False,
) -> list[Unit]:
    """The units of one source with the flags' values in place of the file's; each has its origin on the command line.
    What the flags ask of a source that cannot do it is reported: `document` says whether it has places that `--set`
    could name, `task_fields` whether those are a task's, `objects` whether
    it refers to objects of other files."""
    if units and (inputs.old_spellings or inputs.flags.sets or inputs.args or inputs.manifests):
        from flowc.override.misplaced import report

        report(inputs, sink, document=document, task_fields=task_fields, objects=objects)
    if inputs.flags == _NOTHING.flags and inputs.defaults == _NOTHING.flags:
        return units
    from flowc.override.apply import apply

    numbers = range(1, len(units) + 1) if len(units) > 1 else (None,)
    return [apply(unit, inputs, sink, number) for unit, number in zip(units, numbers, strict=False)]
