"""Budget: what all bids of one compilation may cost together, against what the user is ready to pay.

Looks at units whose plans have their prices, and changes nothing. Exact arithmetic on micro-dollars.
"""

from __future__ import annotations

from flowc.diag.codes import price as codes
from flowc.ir.units import hours_text, parse_usd, plural, usd_text
from flowc.passes.price_check import bound_s, cost, machines
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context

# So many jobs are named in a sum, the dearest.
MOST_NAMED = 6


class Cost(Record):
    """What a job may cost at most, in micro-dollars; `worst` None: without end. `how` shows where it comes from."""

    worst: int | None
    hourly: int
    how: str


def check(units: list[Unit], context: Context, sink: Sink) -> None:
    """The worst case of all units, and of the sources before this one, against the budget; without a budget, a word on
    what multiplies the price."""
    budget = next((unit for unit in units if unit.job.pricing.budget_usd is not None), None)
    costs = [_cost(unit, alone=len(units) == 1) for unit in units]
    if budget is None:
        _without_budget(units, costs, sink)
        return
    most, span = parse_usd(budget.job.pricing.budget_usd or "") or 0, budget.origin("pricing.budget_usd")
    for index, unit in enumerate(units):
        sink.turn_to(index)
        if bound_s(unit.job) is None:
            within = unit.origin("retry.from_within") if unit.job.retry.from_within else None
            sink.report(
                codes.BUDGET_UNBOUNDED,
                within or span,
                budget=usd_text(most),
                why="where the job's own text may start it anew" if within else "without a time limit",
            )
    sink.turn_to(None)
    before = [each for each in context.before if each.worst is not None]
    bounded = [*before, *(each for each in costs if each.worst is not None)]
    worst = sum(each.worst or 0 for each in bounded)
    if worst > most and len(bounded) > len(before):
        sink.report(codes.BUDGET_EXCEEDED, span, worst=usd_text(worst), budget=usd_text(most), arithmetic=_sum(bounded))


def of_source(units: list[Unit], path: str) -> Cost:
    """What all units of a source may cost together; for the sources after it."""
    costs = [_cost(unit, alone=True) for unit in units if unit.plan is not None]
    bounded = [each.worst for each in costs if each.worst is not None]
    worst = sum(bounded) if len(bounded) == len(costs) else None
    how = "" if worst is None else f"${usd_text(worst)} for {path}"
    return Cost(worst=worst, hourly=sum(each.hourly for each in costs), how=how)


def _without_budget(units: list[Unit], costs: list[Cost], sink: Sink) -> None:
    endless = [(unit, each) for unit, each in zip(units, costs, strict=True) if each.worst is None]
    for within in (False, True):
        found = [(unit, each) for unit, each in endless if unit.job.retry.from_within is within]
        if found:
            sink.turn_to(units.index(found[0][0]) if len(found) == 1 else None)
            sink.report(
                codes.COST_UNBOUNDED,
                found[0][0].origin("retry.from_within") if within else None,
                why="its own text may start it anew" if within else "no time limit",
                limit=usd_text(sum(each.hourly for _, each in found)),
            )
    sink.turn_to(None)
    bounded = [each for each in costs if each.worst is not None]
    if endless or machines(units) == 1:
        return
    span = units[0].origin("array", "resources.nodes", "layout.tasks", "layout.gpus_total") if len(units) == 1 else None
    worst = usd_text(sum(each.worst or 0 for each in bounded))
    sink.report(codes.COST_MULTIPLIED, span, worst=worst, arithmetic=_sum(bounded))


def _sum(costs: list[Cost]) -> str:
    """How the worst case comes about, with the dearest jobs named, in their order."""
    if len(costs) <= MOST_NAMED:
        return " + ".join(each.how for each in costs)
    named = sorted(costs, key=lambda each: each.worst or 0, reverse=True)[: MOST_NAMED - 1]
    rest = sum(each.worst or 0 for each in costs) - sum(each.worst or 0 for each in named)
    words = [each.how for each in costs if any(each is one for one in named)]
    return " + ".join([*words, f"${usd_text(rest)} for {plural(len(costs) - len(named), 'other')}"])


def _cost(unit: Unit, *, alone: bool) -> Cost:
    """Price x hours x nodes x tasks."""
    plan, seconds = unit.plan, bound_s(unit.job)
    assert plan is not None, "budget: no plan"
    limit = parse_usd(plan.limit_usd_per_instance_hour or "") or 0
    hourly = limit * plan.nodes * plan.count
    if seconds is None:
        return Cost(worst=None, hourly=hourly, how="")
    parts = [f"${usd_text(limit)} an hour", f"{hours_text(seconds)} h"]
    if plan.nodes > 1:
        parts.append(plural(plan.nodes, "node"))
    if plan.count > 1:
        parts.append(f"{plan.count} tasks of the array")
    how = " x ".join(parts)
    return Cost(worst=cost(limit, plan, seconds), hourly=hourly, how=how if alone else f"{how} (`{plan.name}`)")
