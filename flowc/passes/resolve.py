"""Resolve: chooses the machine, the region and the number of nodes for a job.

Takes a valid unit, leaves one with a plan whose prices are still open. Fewest nodes first where the user
left their number open (Slurm gives as few as fit); then the cheapest in all, or, where a GPU model was asked
for, the smallest machine that holds the request. Ties go to fewer GPUs, then by name.
"""

from __future__ import annotations

from flowc.catalog.prices import limit_price
from flowc.diag.codes import resolve as codes
from flowc.ir.plan import Candidate, CatalogInfo, JobPlan
from flowc.ir.units import plural, usd_text
from flowc.passes.demand import Demand
from flowc.passes.fit import fits, shortage
from flowc.passes.selection import Selection, select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog, Offer
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context

# A catalog may have hundreds of offers; the plan shows the cheapest, and always the chosen one.
MOST_CANDIDATES = 20


class Choice:
    """The offer that was chosen, the nodes it takes, and how many nodes each other offer would take (0: does
    not fit)."""

    __slots__ = ("nodes", "offer", "selection", "taken")

    def __init__(self, selection: Selection, taken: dict[Offer, int], offer: Offer) -> None:
        self.selection = selection
        self.taken = taken
        self.offer = offer
        self.nodes = taken[offer]


def run(unit: Unit, context: Context, sink: Sink) -> Unit:
    """The unit with its plan; without one when an error was reported."""
    if unit.plan is not None:
        return unit
    catalog = context.catalog
    demand = Demand(unit.job)
    selections = select(unit, demand, catalog, sink)
    if not selections:
        return unit
    choice = _choose(selections, demand)
    if choice is None:
        from flowc.passes import shortfall

        shortfall.report(selections, unit, demand, catalog, sink)
        return unit
    _report(choice, unit, demand, sink)
    return unit.replace(plan=_plan(choice, unit, demand, catalog))


def ensures(unit: Unit) -> None:
    assert unit.plan is not None, "resolve: no plan"
    nodes, resources = unit.plan.nodes, unit.job.resources
    assert nodes >= (resources.nodes or 1), "resolve: fewer nodes than asked for"
    assert resources.nodes_max is None or nodes <= max(resources.nodes_max, resources.nodes or 1), (
        "resolve: too many nodes"
    )
    assert unit.plan.gpus_per_node >= (resources.gpus_per_node or 0), "resolve: too few GPUs"


def _choose(selections: list[Selection], demand: Demand) -> Choice | None:
    for selection in selections:
        taken = {offer: fits(offer.type, demand) for offer in selection.offers}
        fitting = [offer for offer, nodes in taken.items() if nodes]
        if fitting:
            by_model = selection.text is not None and demand.asks_gpus
            return Choice(selection, taken, min(fitting, key=lambda offer: _rank(offer, taken[offer], by_model)))
    return None


def _rank(offer: Offer, nodes: int, by_model: bool) -> tuple[int, int, int, str]:
    if by_model:
        return nodes, offer.type.gpus, offer.rank, offer.type.name
    return nodes, offer.rank, offer.type.gpus, offer.type.name


def _report(choice: Choice, unit: Unit, demand: Demand, sink: Sink) -> None:
    """What the user should know of the choice."""
    machine, selection = choice.offer.type, choice.selection
    asked = demand.share(choice.nodes).gpus
    limit = limit_price(unit.job.pricing, machine.family or None, machine.gpus)
    tasks = len(unit.job.array.indices) if unit.job.array is not None else 1
    gpus_span = unit.origin("resources.gpus_per_node", "layout.gpus_total", "layout.gpus_per_task")
    if selection.named:
        _report_name(choice, unit, sink)
    elif not demand.asks_gpus:
        gpus = plural(machine.gpus, "GPU")
        stay = "stays idle" if machine.gpus == 1 else "stay idle"
        fate = f"{gpus} may be used (`exclusive`)" if unit.job.resources.exclusive else f"{gpus} {stay}"
        price = choice.offer.price_of(choice.nodes, limit, tasks=tasks)
        sink.report(codes.GPU_NOT_ASKED, None, type=machine.name, fate=fate, price=price)
    elif selection.text is None:
        price = choice.offer.price_of(choice.nodes, limit, tasks=tasks)
        sink.report(codes.GPU_MODEL_OPEN, gpus_span, type=machine.name, price=price)
    if asked < machine.gpus and demand.asks_gpus and (not selection.named or selection.bare):
        idle = machine.gpus - asked
        price = choice.offer.price_of(choice.nodes, limit, idle=idle, tasks=tasks)
        sink.report(
            codes.GPUS_STAY_IDLE,
            gpus_span,
            idle=idle,
            gpus=machine.gpus,
            type=machine.name,
            asked=asked,
            price=price,
        )


def _report_name(choice: Choice, unit: Unit, sink: Sink) -> None:
    from flowc.catalog.gpus import read_gpu_word

    machine, text = choice.offer.type, choice.selection.text
    span = unit.origin("resources.alternatives")
    if choice.selection.bare:
        gpus = plural(machine.gpus, "GPU")
        sink.report(codes.INSTANCE_TYPE_MEANS, span, text=text, type=machine.name, gpus=gpus)
    model = unit.job.resources.gpu_model
    word = read_gpu_word(model) if model is not None else None
    if not machine.family or model is None:
        return
    if word is None or (word.families and machine.family not in word.families):
        sink.report(codes.INSTANCE_TYPE_WINS, span, text=text, model=model)


def _plan(choice: Choice, unit: Unit, demand: Demand, catalog: Catalog) -> JobPlan:
    job, offer, machine = unit.job, choice.offer, choice.offer.type
    asked = demand.share(choice.nodes).gpus
    return JobPlan(
        name=job.name,
        instance_type=machine.name,
        fid=offer.fid,
        region=offer.region,
        nodes=choice.nodes,
        gpus_per_node=machine.gpus,
        gpus_visible=asked if demand.asks_gpus and asked < machine.gpus else None,
        gpu_model=machine.family or None,
        cpus_per_node=machine.cpus or 0,
        memory_bytes_per_node=machine.memory_bytes,
        market_usd_per_instance_hour=usd_text(offer.market) if offer.market is not None else None,
        limit_usd_per_instance_hour=None,
        hours_bound=None,
        count=len(job.array.indices) if job.array is not None else 1,
        worst_case_usd=None,
        expected_usd=None,
        candidates=_candidates(choice, unit, demand, catalog),
        catalog=CatalogInfo(source=catalog.source, as_of=catalog.as_of),
    )


def _candidates(choice: Choice, unit: Unit, demand: Demand, catalog: Catalog) -> tuple[Candidate, ...]:
    """The chosen offer, then the others in the catalog's order of price, each with its reason."""
    others = [offer for offer in (*choice.selection.offers, *catalog.offers) if offer is not choice.offer]
    others = list(dict.fromkeys(others))[: MOST_CANDIDATES - 1]
    return tuple(
        Candidate(
            instance_type=offer.type.name,
            region=offer.region,
            chosen=offer is choice.offer,
            reason=_reason(offer, choice, unit, demand),
        )
        for offer in (choice.offer, *others)
    )


def _reason(offer: Offer, choice: Choice, unit: Unit, demand: Demand) -> str:
    nodes = choice.taken.get(offer)
    on = "" if nodes == 1 else f" on {nodes} nodes"
    if offer is choice.offer:
        return f"{_merit(choice)}{on}, {offer.price}"
    if nodes is None:
        regions = unit.job.placement.regions
        return f"not in {regions[0]}" if regions and offer.region not in regions else f"not `{choice.selection.text}`"
    if nodes == 0:
        return shortage(offer.type, demand.share(demand.most)) or "its GPUs have less memory than is asked for"
    if nodes > choice.nodes:
        return f"fits{on}, the chosen one on {choice.nodes}"
    if offer.rank > choice.offer.rank:
        return f"fits{on}, dearer: {offer.price}"
    return f"fits{on}, larger: {offer.price}"


def _merit(choice: Choice) -> str:
    """Why the chosen one was chosen."""
    if sum(1 for nodes in choice.taken.values() if nodes) == 1:
        return "the only one that fits"
    return "the smallest that fits" if choice.selection.text is not None else "the cheapest that fits"
