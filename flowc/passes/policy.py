"""Policy: what settings allow jobs to cost, and where they may run. Refuses with the numbers, changes nothing.

Looks at units whose plans have their prices. Where a job leaves a choice, `choosing` has taken what is allowed already.
"""

from __future__ import annotations

from flowc.diag.codes import price as codes
from flowc.ir.units import ceil_cents, hours_text, parse_usd, plural, usd_text
from flowc.passes.machine import wording
from flowc.passes.machine.allowed import forbidden_by, is_allowed
from flowc.passes.price_check import bound_s, cost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog
    from flowc.diag.sink import Sink
    from flowc.ir.policy import Most
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context

# So many machines that are allowed are named.
MOST_NAMED = 4


def run(unit: Unit, context: Context, sink: Sink) -> Unit:
    """The same unit. Reports a machine, and a cost of the job, that are not allowed."""
    policy, plan = unit.policy, unit.plan
    if policy is None or plan is None:
        return unit
    offer = context.catalog.offer(plan.instance_type, plan.region)
    rule = forbidden_by(offer, policy) if offer is not None else None
    if rule is not None:
        span = unit.origin("resources.alternatives", "resources.gpu_model", "placement.regions", "resources.choices")
        sink.report(
            codes.POLICY_MACHINE,
            span,
            help=_allowed(unit, context.catalog),
            type=plan.instance_type,
            region=plan.region or "no region",
            allowed=wording.listed((f"`{name}`" for name in rule.names), "or"),
            origin=rule.origin,
        )
    if policy.per_job is not None:
        seconds = bound_s(unit.job)
        if seconds is None:
            _unbounded(unit, policy.per_job, "a job", sink)
        else:
            how = f"${plan.limit_usd_per_instance_hour} an hour x {hours_text(seconds)} h"
            machines = plan.nodes * plan.count
            how += f" x {plural(machines, 'machine')}" if machines > 1 else ""
            _compare(_worst(unit, seconds), policy.per_job, f"the job may cost {{}}: {how}", "a job", sink)
    return unit


def ensures(unit: Unit) -> None:
    assert unit.plan is not None, "policy: no plan"


def check(units: list[Unit], context: Context, sink: Sink) -> None:
    """What all units take together, with the sources before them: money in an hour and a month, and GPUs."""
    policy = next((unit.policy for unit in units if unit.policy is not None), None)
    if policy is None:
        return
    hourly = sum(each.hourly for each in context.before) + sum(map(_hourly, units))
    if policy.per_hour is not None:
        _compare(hourly, policy.per_hour, "all machines together may cost {} an hour", "an hour", sink)
    gpus = sum(unit.plan.gpus_per_node * unit.machines_at_once() for unit in units if unit.plan is not None)
    if policy.gpus is not None and gpus > policy.gpus.amount:
        what, most = f"{plural(gpus, 'GPU')} are rented at a time", str(policy.gpus.amount)
        sink.report(codes.POLICY_EXCEEDED, None, what=what, most=most, origin=policy.gpus.origin)
    if policy.per_month is None:
        return
    for unit in units:
        if bound_s(unit.job) is None:
            _unbounded(unit, policy.per_month, "a month", sink)
            return
    worst = sum(each.worst or 0 for each in context.before) + sum(
        _worst(unit, bound_s(unit.job) or 0) for unit in units
    )
    before = f", after ${usd_text(policy.committed)} of this month's submissions so far" if policy.committed else ""
    _compare(worst, policy.per_month, f"this may cost {{}}{before}", "a month", sink, besides=policy.committed)


def _compare(amount: int, most: Most, what: str, per: str, sink: Sink, *, besides: int = 0) -> None:
    if amount + besides > most.amount:
        said = what.format(f"${usd_text(ceil_cents(amount))}")
        sink.report(codes.POLICY_EXCEEDED, None, what=said, most=f"${usd_text(most.amount)} {per}", origin=most.origin)


def _unbounded(unit: Unit, most: Most, per: str, sink: Sink) -> None:
    within = unit.job.retry.from_within
    sink.report(
        codes.POLICY_UNBOUNDED,
        unit.origin("retry.from_within") if within else None,
        most=usd_text(most.amount),
        per=per,
        origin=most.origin,
        why="where the job's own text may start it anew" if within else "without a time limit",
    )


def _worst(unit: Unit, seconds: int) -> int:
    assert unit.plan is not None, "policy: no plan"
    return cost(parse_usd(unit.plan.limit_usd_per_instance_hour or "") or 0, unit.plan, seconds)


def _hourly(unit: Unit) -> int:
    plan = unit.plan
    return 0 if plan is None else (parse_usd(plan.limit_usd_per_instance_hour or "") or 0) * unit.machines_at_once()


def _allowed(unit: Unit, catalog: Catalog) -> str | None:
    policy = unit.policy
    assert policy is not None, "policy: none"
    found = dict.fromkeys(f"`{each.type.name}` in {each.region}" for each in catalog.offers if is_allowed(each, policy))
    if not found:
        return "nothing that is sold is allowed"
    return f"allowed are {wording.listed([*found][:MOST_NAMED])}" + (" and others" if len(found) > MOST_NAMED else "")
