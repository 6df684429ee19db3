"""The passes, in the order in which they run."""

from __future__ import annotations

from flowc.passes import policy, price_check, resolve, validate
from flowc.passes.base import Context, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def _budget(units: list[Unit], context: Context, sink: Sink) -> None:
    """Nothing multiplies the price of most jobs, and nobody has named what they may cost."""
    named = any(unit.job.pricing.budget_usd is not None for unit in units)
    if named or price_check.machines(units) > 1 or any(price_check.bound_s(unit.job) is None for unit in units):
        from flowc.passes.budget import check

        check(units, context, sink)


PASSES = (
    Pass(name="validate", run=validate.run, ensures=validate.ensures),
    Pass(name="resolve", run=resolve.run, ensures=resolve.ensures),
    Pass(name="price-check", run=price_check.run, ensures=price_check.ensures, in_all=_budget),
    Pass(name="policy", run=policy.run, ensures=policy.ensures, in_all=policy.check),
)
