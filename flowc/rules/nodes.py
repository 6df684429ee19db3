"""Machines of a batch script that nothing starts a program on."""

from __future__ import annotations

from flowc.body.commands import called, reaches_other_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    job, nodes = unit.job, unit.plan.nodes if unit.plan is not None else 1
    if job.conventions.runs_on != "first" or nodes <= 1 or reaches_other_nodes(job):
        return
    from flowc.diag.codes.programs import NODES_NOT_JOINED
    from flowc.rules.wording import image_for_step

    span = unit.origin("resources.nodes", "layout.tasks", "layout.gpus_total")
    help = image_for_step(job) if called(job, "srun") else None
    sink.report(NODES_NOT_JOINED, span, help=help, nodes=nodes)
