"""The limit price where the user names none: USD per GPU-hour by family and priority, times the GPUs."""

from __future__ import annotations

from flowc._compiled.prices import DEFAULT_PRIORITY, PRIORITIES, USD_PER_GPU_HOUR
from flowc.ir.units import floor_cents, parse_usd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Pricing

__all__ = ["DEFAULT_PRIORITY", "PRIORITIES", "default_limit", "limit_price"]


def default_limit(family: str | None, gpus: int, priority: str | None = None) -> int:
    """Micro-dollars per instance-hour for a machine with so many GPUs (one without any counts as one)."""
    row = USD_PER_GPU_HOUR.get(family or "default") or USD_PER_GPU_HOUR["default"]
    return (parse_usd(row[priority or DEFAULT_PRIORITY]) or 0) * max(gpus, 1)


def limit_price(pricing: Pricing, family: str | None, gpus: int) -> int:
    """Micro-dollars per instance-hour in whole cents: the user's cap, else the table by priority."""
    if pricing.max_usd_per_instance_hour is None:
        return default_limit(family, gpus, pricing.priority)
    return floor_cents(parse_usd(pricing.max_usd_per_instance_hour) or 0)
