"""What would cost less: the same job on another machine that its text allows, elsewhere, or packed on fewer machines.

Nothing here chooses: each way is the choice for a job that was changed a little, priced as `price_check` does.
"""

from __future__ import annotations

from flowc.catalog.prices import limit_price
from flowc.ir.parts import Way
from flowc.ir.units import MICROS_PER_CENT, plural
from flowc.passes.machine import choices, choosing
from flowc.passes.machine.allowed import is_allowed
from flowc.passes.machine.demand import Demand
from flowc.passes.machine.findings import Findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.catalog.model import Catalog, Offer
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit
    from flowc.passes.machine.choosing import Choice


# By which Slurm says how many GPUs each node has.
PER_NODE = "SLURM_GPUS_PER_NODE"


def ways(unit: Unit, chosen: Choice, catalog: Catalog) -> tuple[Way, ...]:
    """Of each kind the cheapest that costs less than what was chosen: not more by limit nor by market, and less by one
    of them. What could not be had by the job's own cap is none."""
    here = _way("", (), unit, chosen.offer, chosen.nodes)
    found = []
    for kind in (_allowed(unit, chosen, catalog), _elsewhere(unit, catalog), _packed(unit, catalog)):
        less = [way for way in kind if _can_be_had(way, unit, catalog) and _is_less(way, here)]
        if less:
            found.append(min(less, key=_cost))
    places: dict[tuple[str, str, int], Way] = {}
    for way in found:
        places.setdefault((way.instance_type, way.region, way.nodes), way)
    return tuple(places.values())


def packings(job: Job) -> Iterator[Job]:
    """The job with 2, 3, … of its nodes as one; what each node must have grows with them."""
    nodes, resources, layout = job.resources.nodes, job.resources, job.layout
    if nodes is None or nodes < 2 or resources.exclusive:
        return
    for factor in range(2, nodes + 1):
        if nodes % factor:
            continue
        fewer = resources.replace(
            nodes=nodes // factor,
            nodes_max=None,
            gpus_per_node=_times(resources.gpus_per_node, factor),
            cpus_per_node=_times(resources.cpus_per_node, factor),
            memory_bytes_per_node=_times(resources.memory_bytes_per_node, factor),
            disk_bytes=_times(resources.disk_bytes, factor),
            shm_bytes=_times(resources.shm_bytes, factor),
        )
        tasks = layout.tasks if layout.tasks is not None else nodes * (layout.tasks_per_node or 1)
        yield job.replace(
            source=job.source.replace(variables=tuple(_variables(job, factor))),
            resources=fewer,
            layout=layout.replace(tasks=tasks, tasks_per_node=_times(layout.tasks_per_node, factor)),
        )


def _variables(job: Job, factor: int) -> Iterator[tuple[str, str]]:
    """What the format says of itself: the GPUs of a node, as the option for so many would be written."""
    for name, text in job.source.variables:
        if name != PER_NODE:
            yield name, text
            continue
        items = []
        for item in text.split(","):
            kind, _, count = item.rpartition(":")
            kind, count = (kind, count) if count.isdecimal() else (item, "1")
            items.append((f"{kind}:" if kind else "") + str(int(count) * factor))
        yield name, ",".join(items)


def _times(amount: int | None, factor: int) -> int | None:
    return None if amount is None else amount * factor


def _allowed(unit: Unit, chosen: Choice, catalog: Catalog) -> Iterator[Way]:
    """Other machines that the text allows as it stands: later choices too."""
    for offer, nodes in chosen.taken.items():
        if nodes and offer is not chosen.offer:
            yield _way("another machine that the job allows", _flags(offer, nodes, chosen), unit, offer, nodes)
    resources = unit.job.resources
    if not resources.choices and len(resources.alternatives) < 2:
        return
    for other in choices.fitting(unit, catalog):
        flags = _flags(other.offer, other.nodes, chosen)
        yield _way("another of the job's choices", flags, other.unit, other.offer, other.nodes)


def _flags(offer: Offer, nodes: int, chosen: Choice) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    if offer.type is not chosen.offer.type:
        found += ("--instance-type", offer.type.name)
    if offer.region != chosen.offer.region:
        found += ("--region", offer.region)
    if nodes != chosen.nodes:
        found += ("--num-instances", str(nodes))
    return found


def _elsewhere(unit: Unit, catalog: Catalog) -> Iterator[Way]:
    """In any region, where the job names some."""
    placement = unit.job.placement
    if not placement.regions and not placement.exclude_regions:
        return
    free = unit.replace(job=unit.job.replace(placement=placement.replace(regions=(), exclude_regions=())))
    for choice in choices.fitting(free, catalog):
        flags = ("--region", choice.offer.region)
        yield _way("another region", flags, choice.unit, choice.offer, choice.nodes)


def _packed(unit: Unit, catalog: Catalog) -> Iterator[Way]:
    """On fewer machines with as many GPUs in all."""
    asked = unit.job.resources.nodes or 1
    each = Demand(unit.job).share(asked).gpus
    for job in packings(unit.job):
        findings = Findings()
        choice = choosing.choose(unit.replace(job=job), catalog, findings)
        if choice is None or findings.error is not None:
            continue
        fewer = plural(choice.nodes, "machine")
        what = f"{asked} x {plural(each, 'GPU')} packed on {fewer} of {choice.offer.type.gpus}"
        if not each:
            what = f"{plural(asked, 'node')} packed on {fewer}"
        yield _way(what, (), unit, choice.offer, choice.nodes)


def _way(what: str, flags: tuple[str, ...], unit: Unit, offer: Offer, nodes: int) -> Way:
    machines = nodes * (len(unit.job.array.indices) if unit.job.array is not None else 1)
    limit = limit_price(unit.job.pricing, offer.type.family or None, offer.type.gpus) or MICROS_PER_CENT
    return Way(
        what=what,
        flags=flags,
        instance_type=offer.type.name,
        region=offer.region,
        nodes=nodes,
        machines=machines,
        minimum=offer.minimum or 0,
        limit=limit,
        market=offer.market,
    )


def _can_be_had(way: Way, unit: Unit, catalog: Catalog) -> bool:
    offer = catalog.offer(way.instance_type, way.region)
    if offer is not None and not is_allowed(offer, unit.policy):
        return False
    return way.limit >= max(way.minimum, way.market or 0)


def _is_less(way: Way, here: Way) -> bool:
    limit = way.limit * way.machines - here.limit * here.machines
    market = 0
    if way.market is not None and here.market is not None:
        market = way.market * way.machines - here.market * here.machines
    return limit <= 0 and market <= 0 and (limit, market) != (0, 0)


def _cost(way: Way) -> tuple[int, int, int, str, str]:
    market = way.limit if way.market is None else way.market
    return market * way.machines, way.limit * way.machines, way.nodes, way.instance_type, way.region
