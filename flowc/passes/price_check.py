"""Price check: the limit price and the worst case. `budget` holds those of all units against the budget.

Takes a unit with a plan whose prices are open, leaves one with all of them. Exact arithmetic on
micro-dollars.
"""

from __future__ import annotations

from flowc.catalog.prices import limit_price
from flowc.diag.codes import price as codes
from flowc.ir.job import WITHOUT_LIMIT
from flowc.ir.units import (
    MICROS_PER_CENT,
    MICROS_PER_USD,
    SECONDS_PER_HOUR,
    ceil_cents,
    hours_text,
    parse_usd,
    usd_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Catalog
    from flowc.diag.sink import Sink
    from flowc.ir.job import Job, Retry
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context

# A hundred years: what waits longer for its restarts runs without end, as far as money goes.
LONGEST_WAIT_MS = 100 * 365 * 24 * SECONDS_PER_HOUR * 1000


def run(unit: Unit, context: Context, sink: Sink) -> Unit:
    """The unit with the prices of its plan filled in."""
    plan = unit.plan
    if plan is None or plan.limit_usd_per_instance_hour is not None:
        return unit
    limit = _limit(unit, plan, sink)
    _compare(unit, plan, limit, context.catalog, sink)
    seconds = bound_s(unit.job)
    worst = None if seconds is None else cost(limit, plan, seconds)
    market = _market(plan)
    expected = None if seconds is None or market is None else cost(market, plan, seconds)
    priced = plan.replace(
        # Where nobody asks for money nobody refuses a limit of less than a cent either.
        limit_usd_per_instance_hour=usd_text(limit or MICROS_PER_CENT),
        hours_bound=None if seconds is None else hours_text(seconds),
        worst_case_usd=None if worst is None else usd_text(worst),
        expected_usd=None if expected is None else usd_text(expected),
    )
    return unit.replace(plan=priced)


def ensures(unit: Unit) -> None:
    plan = unit.plan
    assert plan is not None, "price-check: no plan"
    limit = parse_usd(plan.limit_usd_per_instance_hour or "")
    assert limit, "price-check: no limit price"
    assert limit % MICROS_PER_CENT == 0, "price-check: a limit price with parts of a cent"
    assert (plan.hours_bound is None) == (plan.worst_case_usd is None), "price-check: a bound without its cost"


def bound_s(job: Job) -> int | None:
    """The seconds that a job can run at most, all attempts together; None: without end.

    A limit of the whole job holds over its restarts, but not where the job's own text may start it anew. Where only
    each attempt has one, there must be an end of attempts, and the waits between them are paid too.
    """
    time, retry = job.time, job.retry
    if retry.from_within:
        return None
    if time.limit_s is not None:
        return time.limit_s
    if time.attempt_limit_s is None or retry.max_restarts is None:
        return None
    if retry.max_restarts >= WITHOUT_LIMIT:
        return None
    if retry.max_restarts and any(rule.action == "free" for rule in retry.exit_rules):
        return None
    waits = _waits_ms(retry)
    return None if waits is None else time.attempt_limit_s * (retry.max_restarts + 1) - (-waits // 1000)


def _waits_ms(retry: Retry) -> int | None:
    """Milliseconds before all restarts together; None: longer than anybody waits."""
    restarts, delay, most = retry.max_restarts or 0, retry.delay_ms or 0, retry.max_delay_ms
    factor = parse_usd(retry.delay_factor or "1") or MICROS_PER_USD  # a decimal number, exact in millionths
    if delay == 0 or factor == MICROS_PER_USD:
        return restarts * (delay if most is None else min(delay, most))
    total = 0
    for done in range(restarts):
        if most is not None and delay >= most:
            return total + most * (restarts - done)
        if total > LONGEST_WAIT_MS:
            return None
        total += delay
        longer = -(-delay * factor // MICROS_PER_USD)
        if longer == delay:
            return total + delay * (restarts - done - 1)
        delay = longer
    return total


def _limit(unit: Unit, plan: JobPlan, sink: Sink) -> int:
    """The limit price; a cap with parts of a cent is rounded down and reported."""
    pricing = unit.job.pricing
    limit = limit_price(pricing, plan.gpu_model, plan.gpus_per_node)
    asked = parse_usd(pricing.max_usd_per_instance_hour or "")
    if asked is not None and limit != asked and limit:
        span = unit.origin("pricing.max_usd_per_instance_hour")
        sink.report(codes.CAP_ROUNDED, span, asked=usd_text(asked), limit=usd_text(limit))
    return limit


def _compare(unit: Unit, plan: JobPlan, limit: int, catalog: Catalog, sink: Sink) -> None:
    """The limit price against what the catalog knows of the machine."""
    offer = catalog.offer(plan.instance_type, plan.region)
    minimum = max(offer.minimum or 0 if offer is not None else 0, MICROS_PER_CENT)
    market = _market(plan)
    span = unit.origin("pricing.max_usd_per_instance_hour", "pricing.priority")
    if limit < minimum:
        asked = limit or parse_usd(unit.job.pricing.max_usd_per_instance_hour or "") or 0
        all_gpus = asked * plan.gpus_per_node
        help = None
        if plan.gpus_per_node > 1 and all_gpus >= minimum:
            help = f"prices are for a whole machine: ${usd_text(asked)} for each GPU would be ${usd_text(all_gpus)}"
        sink.report(
            codes.CAP_BELOW_MINIMUM,
            span,
            help=help,
            type=plan.instance_type,
            minimum=usd_text(minimum),
            limit=usd_text(asked),
        )
    elif market is not None and limit < market:
        sink.report(
            codes.LIMIT_BELOW_MARKET,
            span,
            limit=usd_text(limit),
            type=plan.instance_type,
            as_of=plan.catalog.as_of,
            market=usd_text(market),
        )


def _market(plan: JobPlan) -> int | None:
    return parse_usd(plan.market_usd_per_instance_hour) if plan.market_usd_per_instance_hour is not None else None


def cost(price: int, plan: JobPlan, seconds: int) -> int:
    """Micro-dollars for all machines over the whole time, rounded up to cents."""
    return ceil_cents(-(-price * plan.nodes * plan.count * seconds // SECONDS_PER_HOUR))


def machines(units: list[Unit]) -> int:
    """Those of all bids."""
    return sum(unit.plan.count * unit.plan.nodes for unit in units if unit.plan is not None)
