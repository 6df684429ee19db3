"""Machines of a batch script that nothing starts a program on."""

from __future__ import annotations

from flowc.body.commands import called, reaches_other_nodes
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    job, nodes = unit.job, unit.plan.nodes if unit.plan is not None else 1
    if job.conventions.runs_on != "first" or nodes <= 1 or reaches_other_nodes(job):
        return
    from flowc._compiled.slurm_commands import ELSEWHERE
    from flowc.diag.codes.programs import NODES_NOT_JOINED
    from flowc.rules.wording import image_for_step

    span = unit.origin("resources.nodes", "layout.tasks", "layout.gpus_total")
    help = image_for_step(job) if called(job, "srun") else None
    words = (command.words() for command in scan(job.run.text or "").commands)
    other = next((first[0][1] for first in words if first and first[0][1] in ELSEWHERE), None)
    if help is None and other is not None:
        help = f"`{other}` is not there, or reaches them by SSH, which is not: `srun` starts programs on them"
    help = help or "`srun PROGRAM` starts it on all; if a script that this one calls does: `--with-commands srun`"
    sink.report(NODES_NOT_JOINED, span, help=help, nodes=nodes)
