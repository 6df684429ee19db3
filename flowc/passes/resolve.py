"""Resolve: chooses the machine, the region and the number of nodes for a job.

Takes a valid unit, leaves one with a plan whose prices are still open. `choosing` says which machine wins, `choices`
goes through several kinds of machine of which any will do.
"""

from __future__ import annotations

from flowc.ir.plan import CatalogInfo, JobPlan
from flowc.ir.units import usd_text
from flowc.passes.machine import choosing, wording
from flowc.passes.machine.allowed import forbidden_by
from flowc.passes.machine.choosing import Choice
from flowc.passes.machine.findings import Findings
from flowc.passes.machine.fit import shortage
from flowc.passes.machine.selection import excluded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog, Offer
    from flowc.diag.sink import Sink
    from flowc.ir.parts import Candidate, Way
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context

# A catalog may have hundreds of offers; the plan shows the cheapest, and always the chosen one.
MOST_CANDIDATES = 20


def run(unit: Unit, context: Context, sink: Sink) -> Unit:
    """The unit with its plan; without one when an error was reported."""
    if unit.plan is not None:
        return unit
    if unit.job.groups:
        from flowc.passes.machine import together

        return together.resolve(unit, context, sink, run)
    catalog, resources = context.catalog, unit.job.resources
    others: tuple[Candidate, ...] = ()
    if resources.choices or len(resources.alternatives) > 1:
        from flowc.passes.machine import choices

        choice, others = choices.choose(unit, catalog, sink)
    else:
        findings = Findings()
        choice = choosing.choose(unit, catalog, findings)
        findings.tell(sink)
    if choice is None:
        return unit
    if unit.thrift is not None:
        from flowc.passes.machine.optimum import cheapest

        better = cheapest(unit, choice, catalog, sink)
        if better is not None:
            unit, choice, before = better
            others = (before,)
    choosing.report(choice, sink)
    if resources.nodes is None and unit.job.volumes:
        from flowc.passes.storage import check_sharing

        check_sharing(unit, choice.nodes, sink)
    plan = _plan(choice, others, catalog)
    chosen = choice
    return unit.replace(plan=plan.replace(compare=lambda: _cheaper(unit, chosen, catalog)))


def ensures(unit: Unit) -> None:
    assert unit.plan is not None, "resolve: no plan"
    nodes, resources = unit.plan.nodes, unit.job.resources
    assert nodes >= (resources.nodes or 1), "resolve: fewer nodes than asked for"
    assert resources.nodes_max is None or nodes <= max(resources.nodes_max, resources.nodes or 1), (
        "resolve: too many nodes"
    )
    # A choice may have a count of its own.
    assert resources.choices or unit.plan.gpus_per_node >= (resources.gpus_per_node or 0), "resolve: too few GPUs"


def _plan(choice: Choice, others: tuple[Candidate, ...], catalog: Catalog) -> JobPlan:
    job, offer, machine = choice.unit.job, choice.offer, choice.offer.type
    asked = choice.demand.share(choice.nodes).gpus
    return JobPlan(
        name=job.name,
        instance_type=machine.name,
        fid=offer.fid,
        region=offer.region,
        nodes=choice.nodes,
        gpus_per_node=machine.gpus,
        gpus_visible=asked if _confined(choice, asked) else None,
        gpu_model=machine.family or None,
        cpus_per_node=machine.cpus or 0,
        memory_bytes_per_node=machine.memory_bytes,
        market_usd_per_instance_hour=usd_text(offer.market) if offer.market is not None else None,
        limit_usd_per_instance_hour=None,
        hours_bound=None,
        count=len(job.array.indices) if job.array is not None else 1,
        worst_case_usd=None,
        expected_usd=None,
        look=lambda: _candidates(choice, others, catalog),
        catalog=CatalogInfo(source=catalog.source, as_of=catalog.as_of),
    )


def _cheaper(unit: Unit, choice: Choice, catalog: Catalog) -> tuple[Way, ...]:
    from flowc.passes.machine.cheaper import ways

    return ways(unit, choice, catalog)


def _confined(choice: Choice, asked: int) -> bool:
    """Whether the job may see only the GPUs that it asked for; one that has its machines to itself sees all."""
    return choice.demand.asks_gpus and asked < choice.offer.type.gpus and not choice.unit.job.resources.exclusive


def _candidates(choice: Choice, others: tuple[Candidate, ...], catalog: Catalog) -> tuple[Candidate, ...]:
    """The chosen offer, what became of the other choices, then other offers in the catalog's order of price, each with
    its reason."""
    told = {(each.instance_type, each.region) for each in others}
    rest = [
        offer
        for offer in dict.fromkeys((*choice.selection.offers, *catalog.offers))
        if offer is not choice.offer and (offer.type.name, offer.region) not in told
    ]
    return (
        _candidate(choice.offer, choice),
        *others,
        *(_candidate(offer, choice) for offer in rest[: max(MOST_CANDIDATES - 1 - len(others), 0)]),
    )


def _candidate(offer: Offer, choice: Choice) -> Candidate:
    from flowc.ir.parts import Candidate

    return Candidate(
        instance_type=offer.type.name,
        region=offer.region,
        chosen=offer is choice.offer,
        reason=_reason(offer, choice),
    )


def _reason(offer: Offer, choice: Choice) -> str:
    nodes = choice.taken.get(offer)
    on = "" if nodes == 1 else f" on {nodes} nodes"
    if offer is choice.offer:
        return f"{_merit(choice)}{on}, {offer.price}"
    if nodes is None:
        placement = choice.unit.job.placement
        if placement.regions and offer.region not in placement.regions:
            return f"not in {wording.listed(placement.regions, 'or')}"
        if excluded(offer.region, placement.exclude_regions):
            return f"{offer.region} is excluded"
        stands_for = choice.selection.stands_for
        return f"not as capable as `{stands_for}`" if stands_for is not None else f"not `{choice.selection.text}`"
    if nodes == 0:
        demand = choice.demand
        return shortage(offer.type, demand.share(demand.most)) or "its GPUs have less memory than is asked for"
    rule = forbidden_by(offer, choice.unit.policy) if choice.unit.policy is not None else None
    if rule is not None:
        return f"not allowed by {rule.origin}"
    if nodes > choice.nodes:
        return f"fits{on}, the chosen one on {choice.nodes}"
    if offer.rank > choice.offer.rank:
        return f"fits{on}, dearer: {offer.price}"
    return f"fits{on}, larger: {offer.price}"


def _merit(choice: Choice) -> str:
    """Why the chosen one was chosen."""
    if choice.merit is not None:
        return choice.merit
    if sum(1 for nodes in choice.taken.values() if nodes) == 1:
        return "the only one that fits"
    by_model = choice.selection.text is not None and not choice.demand.any_count
    return "the smallest that fits" if by_model else "the cheapest that fits"
