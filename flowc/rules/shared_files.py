"""Machines that share no folder, and programs that meet in a file."""

from __future__ import annotations

from flowc.body.nodes.waited_files import waited_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

_SHARED = ("bucket", "volume", "nfs")


def shares_folder(job: Job) -> bool:
    return any(each.interface == "file" for each in job.volumes) or any(each.kind in _SHARED for each in job.mounts)


def report(unit: Unit, sink: Sink) -> None:
    """Tell the first such file."""
    job = unit.job
    found = None if shares_folder(job) else waited_for(job)
    if found is None:
        return
    from flowc.diag.codes.programs import FILE_NOT_SHARED

    nodes = unit.plan.nodes if unit.plan is not None else 1
    file = (job.run.text or "")[found[0] : found[1]]
    sink.report(FILE_NOT_SHARED, unit.text_span(*found), nodes=nodes, file=file)
