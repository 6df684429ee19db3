"""The limit price where the user names none: USD per GPU-hour by family and priority, times the GPUs."""

from __future__ import annotations

from flowc._compiled.prices import DEFAULT_PRIORITY, PRIORITIES, USD_PER_GPU_HOUR
from flowc.ir.units import parse_usd

__all__ = ["DEFAULT_PRIORITY", "PRIORITIES", "default_limit"]

# Micro-dollars per GPU-hour.
_TABLE = {
    family: {priority: parse_usd(text) or 0 for priority, text in row.items()}
    for family, row in USD_PER_GPU_HOUR.items()
}


def default_limit(family: str | None, gpus: int, priority: str | None = None) -> int:
    """Micro-dollars per instance-hour for a machine with so many GPUs (one without any counts as one)."""
    row = _TABLE.get(family or "default") or _TABLE["default"]
    return row[priority or DEFAULT_PRIORITY] * max(gpus, 1)
