"""Jobs that outlive their limit: their machines should have ended them, and did not.

A machine that answers says how much of its limit a job has used (`used_s` of `status.json`, every 5 seconds). Where
that does not move any more, or nothing answers, the time goes on here.
"""

from __future__ import annotations

from flowc.providers.base import RUNNING
from flowc.providers.errors import ProviderError
from flowc.record import Record
from flowc.submit.ending import STATUS, read_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.providers.base import Provider, Task
    from flowc.submit.journal import Bid

# Past its limit a job still has its grace period, and its output is written down.
GRACE_S = 300.0
# Images are pulled, and secrets waited for, before a job begins.
PREPARATION_S = 1800.0


class Seen(Record):
    """How a job was when it had last moved: `used_s` of its limit, None before it began; `at` in seconds since the
    epoch."""

    used_s: float | None
    at: float


def limit_of(document: Mapping[str, Any], bid: Bid) -> float | None:
    """The time limit of a bid's job in seconds, None without one."""
    hours = next(job["hours_bound"] for job in document["jobs"] if bid.identity in job["bids"])
    return None if hours is None else float(hours) * 3600


def look(provider: Provider, task: Task, before: Seen | None, *, now: float) -> Seen | None:
    """How a job is now, None while it has no machines. A machine that cannot be asked says nothing."""
    if task.state != RUNNING:
        return None
    used_s = None
    for machine in task.machines:
        try:
            status = read_status(provider.read(task, machine, STATUS, offset=0))
        except ProviderError:
            continue
        if status is not None and isinstance(status.get("used_s"), int | float):
            used_s = float(status["used_s"])
            break
    if before is None or (used_s is not None and used_s != before.used_s):
        return Seen(used_s=used_s, at=now)
    return before


def is_overdue(seen: Seen, limit_s: float, *, now: float, grace_s: float) -> bool:
    """Whether a job should have ended by now."""
    preparation_s = PREPARATION_S if seen.used_s is None else 0.0
    left_s = limit_s - (seen.used_s or 0.0)
    return now > seen.at + left_s + grace_s + preparation_s
