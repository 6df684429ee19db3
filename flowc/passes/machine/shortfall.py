"""Why no machine fits: the one resource of which too much was asked, and who has most of it."""

from __future__ import annotations

from flowc._compiled.limits import NODES_PER_BID
from flowc.diag.codes import resolve as codes
from flowc.ir.units import GIB, plural, size_text
from flowc.passes.machine import wording
from flowc.passes.machine.fit import fits, shortage
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.catalog.model import InstanceType
    from flowc.ir.unit import Unit
    from flowc.passes.machine.demand import Demand, Share
    from flowc.passes.machine.findings import Findings
    from flowc.passes.machine.selection import Selection


class Dimension(Record):
    """One resource: the IR paths that ask for it, the most telling first; need and supply in its own unit."""

    paths: tuple[str, ...]
    need: Callable[[Share], int]
    supply: Callable[[InstanceType], int]
    text: Callable[[int], str]


DIMENSIONS = (
    Dimension(
        paths=("resources.gpus_per_node", "layout.gpus_total", "layout.gpus_per_task"),
        need=lambda share: share.gpus,
        supply=lambda machine: machine.gpus,
        text=lambda count: plural(count, "GPU"),
    ),
    Dimension(
        paths=(
            "layout.cpus_per_task",
            "resources.cpus_per_node",
            "layout.tasks_per_node",
            "layout.tasks",
            "resources.cpus_per_gpu",
        ),
        need=lambda share: share.cpus,
        supply=lambda machine: machine.cpus or 0,
        text=lambda count: plural(count, "CPU"),
    ),
    Dimension(
        paths=(
            "resources.memory_bytes_per_node",
            "resources.memory_bytes_per_cpu",
            "resources.memory_bytes_per_gpu",
        ),
        need=lambda share: share.memory_bytes,
        supply=lambda machine: machine.memory_bytes,
        text=lambda size: f"{size_text(size)} of memory",
    ),
    Dimension(
        paths=("resources.disk_bytes",),
        need=lambda share: share.disk_bytes,
        supply=lambda machine: (machine.disk_gb or 0) * 10**9,
        text=lambda size: f"{size_text(size)} of local disk",
    ),
    Dimension(
        paths=("resources.shm_bytes",),
        need=lambda share: share.shm_bytes,
        supply=lambda machine: machine.memory_bytes,
        text=lambda size: f"{size_text(size)} of shared memory",
    ),
)


def report(selection: Selection, unit: Unit, demand: Demand, findings: Findings) -> None:
    """Report why nothing of the selection holds the job; exactly one error."""
    if any(fits(offer.type, demand) for offer in selection.anywhere):
        _report_region(selection, unit, demand, findings)
        return
    machines = list(dict.fromkeys(offer.type for offer in selection.anywhere))
    memory = demand.gpu_memory_bytes
    if memory and not any(machine.gpu_memory_gb * GIB >= memory for machine in machines):
        best = max(machines, key=lambda machine: machine.gpu_memory_gb)
        need, largest = (
            f"{size_text(memory)} of memory on each GPU",
            f"`{best.name}` has {best.gpu_memory_gb} GB",
        )
        findings.report(codes.MORE_THAN_SOLD, unit.origin("resources.gpu_memory_bytes"), need=need, largest=largest)
        return
    share = demand.share(demand.most)
    where = "one node" if share.nodes == 1 else f"each of {share.nodes} nodes"
    for dimension in DIMENSIONS:
        best = max(machines, key=dimension.supply)
        if dimension.need(share) > dimension.supply(best):
            need = f"{dimension.text(dimension.need(share))} on {where}"
            most = dimension.text(dimension.supply(best)) if dimension.supply(best) else "an unknown amount"
            whose = (
                f"`{best.name}`"
                if selection.named
                else f"the largest machine {_narrowed(selection)}sold, `{best.name}`,"
            )
            span = unit.origin(*dimension.paths)
            findings.report(
                codes.MORE_THAN_SOLD,
                span,
                help=_help(unit, demand, machines),
                need=need,
                largest=f"{whose} has {most}",
            )
            return
    _report_combination(machines, share, where, unit, demand, findings)


def _report_region(selection: Selection, unit: Unit, demand: Demand, findings: Findings) -> None:
    placement = unit.job.placement
    regions = wording.listed((f"`{region}`" for region in placement.regions), "or")
    if placement.exclude_regions:
        excluded = wording.listed((f"`{region}`" for region in placement.exclude_regions), "and")
        regions = f"{regions or 'the regions that are left'} without {excluded}"
    found: dict[str, list[str]] = {}
    for offer in selection.anywhere:
        if fits(offer.type, demand):
            places = found.setdefault(offer.type.name, [])
            if offer.region not in places:
                places.append(offer.region)
    elsewhere = wording.listed(f"`{name}` is in {wording.listed(places)}" for name, places in list(found.items())[:4])
    span = unit.origin("placement.regions", "placement.exclude_regions")
    findings.report(codes.NOT_IN_REGION, span, region=regions, elsewhere=elsewhere)


def _report_combination(
    machines: list[InstanceType], share: Share, where: str, unit: Unit, demand: Demand, findings: Findings
) -> None:
    """Each resource alone is to be had, but not all of them in one machine."""
    asked = [(each, each.need(share)) for each in DIMENSIONS if each.need(share) > 1]
    need = f"{wording.listed(each.text(amount) for each, amount in asked)} together on {where}"
    near = next((machine for machine in reversed(machines) if machine.gpus >= share.gpus), machines[0])
    largest = f"no machine has all of it: {shortage(near, share)}"
    paths = [path for each, _ in asked for path in each.paths]
    findings.report(
        codes.MORE_THAN_SOLD,
        unit.origin(*paths),
        help=_help(unit, demand, machines),
        need=need,
        largest=largest,
    )


def _narrowed(selection: Selection) -> str:
    return f"for `{selection.text}` that is " if selection.text else "that is "


def _help(unit: Unit, demand: Demand, machines: list[InstanceType]) -> str | None:
    """More nodes, where they would help: the tasks and GPUs of a job spread over them."""
    low, high = demand.most, NODES_PER_BID
    asked, most = unit.job.resources.gpus_per_node or 0, max((each.gpus for each in machines), default=0)
    if asked > most > 0 and asked % most == 0:
        return f"no machine has as many: ask for {demand.fewest * asked // most} nodes with {plural(most, 'GPU')} each"
    if unit.job.resources.nodes is None or not _fits_any(machines, demand, high):
        return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits_any(machines, demand, middle) else (middle, high)
    options, layout = f"--nodes={high}", unit.job.layout
    if layout.tasks_per_node and layout.tasks and layout.tasks > high:
        # More nodes alone would mean more tasks: as many on each.
        options += f" --ntasks-per-node={-(-layout.tasks // high)}"
    return f"spread over {high} nodes (`{options}`), it would fit"


def _fits_any(machines: list[InstanceType], demand: Demand, nodes: int) -> bool:
    return any(shortage(machine, demand.share(nodes)) is None for machine in machines)
