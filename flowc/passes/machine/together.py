"""The machine of a het job whose steps run over its components: one bid has machines of one type.

Each component is resolved by itself. Where all come to the same machine, that is the job's, and it costs what separate
bids would; where they do not, one type for all would make somebody pay for more than was asked for, so the job is
refused with what it would take: `-i` says that this is meant.
"""

from __future__ import annotations

from flowc._compiled.limits import NODES_PER_BID
from flowc.diag.codes import validate
from flowc.diag.codes.slurm import het as codes
from flowc.ir.groups import each_group
from flowc.ir.parts import Candidate, GroupPlan
from flowc.ir.units import plural, usd_text
from flowc.passes.machine import choosing, wording
from flowc.passes.machine.findings import Findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.catalog.model import Offer
    from flowc.diag.sink import Sink
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context


def resolve(unit: Unit, context: Context, sink: Sink, alone: Callable[[Unit, Context, Sink], Unit]) -> Unit:
    """The unit with a plan for all of its parts; without one when an error was reported. `alone` resolves a part."""
    given = unit.parts or [unit.replace(job=own) for own, _ in each_group(unit.job, None)]
    parts = tuple(alone(part, context, sink) for part in given)
    plans = [part.plan for part in parts if part.plan is not None]
    if len(plans) < len(parts):
        return unit
    if any(part.job.image is not None for part in parts):
        sink.report(
            codes.HET_NOT_JOINED,
            unit.joins,
            help="take `--container-image` to the steps: `srun --container-image=…`",
            why="a component is in a container of its own, where no step starts",
        )
        return unit
    nodes = sum(plan.nodes for plan in plans)
    if nodes > NODES_PER_BID:
        sink.report(validate.TOO_MANY_NODES, unit.joins, nodes=nodes, limit=NODES_PER_BID)
        return unit
    if len({(plan.instance_type, plan.region) for plan in plans}) > 1:
        _refuse(unit, parts, plans, context, sink)
        return unit
    first = plans[0]
    sink.report(codes.HET_JOINED, unit.joins, count=len(parts), nodes=nodes, type=first.instance_type)
    groups = tuple(GroupPlan(nodes=plan.nodes, gpus_visible=plan.gpus_visible) for plan in plans)
    plan = first.replace(name=unit.job.name, nodes=nodes, groups=groups, look=lambda: _candidates(plans), compare=tuple)
    return unit.replace(plan=plan, parts=parts)


def _refuse(unit: Unit, parts: tuple[Unit, ...], plans: list[JobPlan], context: Context, sink: Sink) -> None:
    """With the type that would do for all, and what it costs."""
    each = [f"{plural(plan.nodes, 'machine')} of {plan.instance_type} in {plan.region}" for plan in plans]
    help = "no type of these holds all components: what needs another machine is to be a job of its own"
    found = _for_all(parts, plans, context)
    if found is not None:
        offer, nodes = found
        apart = _apart(plans, offer.rank_kind, context)
        help = (
            f"`-i {offer.type.name}` takes {plural(nodes, 'machine')} of that type for all of them, for "
            f"${usd_text(offer.rank * nodes)} an hour by {offer.rank_kind}{apart}"
        )
    why = f"they would get {wording.listed(each, 'and')}, and one bid has machines of one type"
    sink.report(codes.HET_NOT_JOINED, unit.joins, help=help, why=why)


def _apart(plans: list[JobPlan], kind: str, context: Context) -> str:
    """What separate bids come to, where that is known by the same kind of price."""
    offers = [(context.catalog.offer(plan.instance_type, plan.region), plan.nodes) for plan in plans]
    prices = [offer.rank * nodes for offer, nodes in offers if offer is not None and offer.rank_kind == kind]
    return f" (in separate bids ${usd_text(sum(prices))})" if len(prices) == len(offers) else ""


def _for_all(parts: tuple[Unit, ...], plans: list[JobPlan], context: Context) -> tuple[Offer, int] | None:
    """The cheapest of these machines that holds each of the components, on as many nodes and with the GPUs that it
    asked for; and how many of it are needed."""
    best: tuple[Offer, int] | None = None
    for name in dict.fromkeys(plan.instance_type for plan in plans):
        chosen = []
        for part, plan in zip(parts, plans, strict=True):
            resources = part.job.resources.replace(alternatives=(name,), choices=())
            other = part.replace(job=part.job.replace(resources=resources), thrift=None)
            choice = choosing.choose(other, context.catalog, Findings())
            asks_model = part.job.resources.gpu_model or part.job.resources.features
            if choice and (choice.nodes > plan.nodes or (asks_model and choice.offer.type.family != plan.gpu_model)):
                choice = None
            chosen.append(choice)
        fits = [choice for choice in chosen if choice is not None]
        if len(fits) < len(chosen) or len({choice.offer for choice in fits}) > 1:
            continue
        offer, nodes = fits[0].offer, sum(choice.nodes for choice in fits)
        if best is None or offer.rank * nodes < best[0].rank * best[1]:
            best = offer, nodes
    return best


def _candidates(plans: list[JobPlan]) -> tuple[Candidate, ...]:
    """Those of the first component; a machine that another one cannot have is told by its reason."""
    lacking: dict[tuple[str, str | None], str] = {}
    for place, plan in enumerate(plans):
        for each in plan.candidates:
            if not each.chosen and not each.reason.startswith("fits"):
                where = f" (component {place})" if place else ""
                lacking.setdefault((each.instance_type, each.region), f"{each.reason}{where}")
    return tuple(
        each.replace(reason=lacking.get((each.instance_type, each.region), each.reason)) for each in plans[0].candidates
    )
