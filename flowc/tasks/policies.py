"""The policy of the settings, as a compilation is told it, and what of a month's money is promised already."""

from __future__ import annotations

from flowc.ir.policy import Most, Only, Policy
from flowc.ir.units import SECONDS_PER_HOUR, parse_usd
from flowc.settings import policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.settings.asked import Asked
    from flowc.submit.journal import Journal

# More submissions of one month are not looked at.
MOST_SUBMISSIONS = 100_000


def policy_of(settings: Asked) -> Policy | None:
    """None where nobody says anything. Raises SettingsError."""
    numbers = {name: Most(amount=most, origin=at) for name, (most, at) in policy.numbers(settings, parse_usd).items()}
    allowed = {
        name: tuple(Only(names=names, origin=origin) for names, origin in levels)
        for name, levels in policy.names(settings).items()
    }
    if not numbers and not any(allowed.values()):
        return None
    return Policy(**numbers, **allowed)  # type: ignore[arg-type]


def with_committed(found: Policy, journal: Journal, now: float) -> Policy:
    """With what the submissions of this month so far may cost."""
    return found.replace(committed=committed(journal, now))


def committed(journal: Journal, now: float) -> int:
    """Micro-dollars that the bids of this calendar month (UTC) may cost at most, by their limits and time limits; of a
    job without a time limit an hour for each that has passed."""
    import time

    month, total = time.gmtime(now)[:2], 0
    for each in journal.submissions(limit=MOST_SUBMISSIONS):
        if time.gmtime(each.created_at)[:2] != month:
            break
        if each.provider == "local":
            continue
        hours = {bid: job.get("hours_bound") for job in each.document.get("jobs", ()) for bid in job["bids"]}
        for request in each.document.get("requests", ()):
            if request["id"] not in hours:
                continue
            body, bound = request["body"], hours[request["id"]]
            price = parse_usd(str(body.get("limit_price", "")).removeprefix("$").replace(",", "")) or 0
            ran_s = max(0, now - each.created_at)
            micros_h = parse_usd(bound) if bound is not None else int(ran_s) * 1_000_000 // SECONDS_PER_HOUR
            total += -(-price * int(body.get("instance_quantity", 1)) * (micros_h or 0) // 1_000_000)
    return total
