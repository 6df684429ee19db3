"""The passes, in the order in which they run."""

from __future__ import annotations

from flowc.passes import budget, policy, price_check, resolve, validate
from flowc.passes.base import Pass

PASSES = (
    Pass(name="validate", run=validate.run, ensures=validate.ensures),
    Pass(name="resolve", run=resolve.run, ensures=resolve.ensures),
    Pass(name="price-check", run=price_check.run, ensures=price_check.ensures, in_all=budget.check),
    Pass(name="policy", run=policy.run, ensures=policy.ensures, in_all=policy.check),
)
