"""Who waits for whom, and why: what becomes of jobs that depend on others, in words."""

from __future__ import annotations

from flowc._compiled.dependencies import KINDS
from flowc.submit.journal import FAILED, GIVEN_UP, MADE, NEVER, OPEN, SENT, WAITING
from flowc.submit.turns import NEVER as FAILS
from flowc.submit.turns import NOW, STUCK, Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowc.submit.journal import Bid
    from flowc.submit.store.jobs import After

# How a bid is that has not ended, for those who wait for it.
HOW = {
    WAITING: "not placed",
    SENT: "being placed",
    NEVER: "can never start",
    GIVEN_UP: "cancelled",
    FAILED: "refused",
}
NO_TURN = (FAILS, STUCK)
# So many are told one by one.
MOST = 8


def how(bid: Bid) -> str:
    """How a bid is, as far as the journal knows."""
    if bid.ended is not None:
        return bid.ended
    if bid.state == MADE:
        return "placed" if bid.started_at is None else "running"
    return HOW[bid.state]


def why_not(turns: Turns, bid: Bid) -> str:
    """What a bid that is not placed waits for, or why it never will be."""
    waits = turns.waits_for(bid.identity)
    left = [(each, turn) for each, turn in waits if turn != NOW]
    never = [each for each, turn in left if turn in NO_TURN]
    # Of those of which one is enough, some may have failed while it still waits for others.
    if bid.state == GIVEN_UP:
        told = ", ".join(_told(turns, each, bid) for each in never)
        return f"is not placed: {told} ({bid.error})" if bid.error else "was cancelled before it was placed"
    if bid.state == NEVER or turns.behind(bid.identity) in NO_TURN:
        told = ", ".join(_told(turns, each, bid) for each in never)
        mark = " (DependencyNeverSatisfied)" if turns.behind(bid.identity) == FAILS else ""
        return f"can never start as things are: {told}{mark}" if told else "can never start"
    told = ", ".join(_told(turns, each, bid) for each, turn in left if turn not in NO_TURN)
    if bid.state == SENT:
        return "may have been placed"
    if bid.state != WAITING or bid.submission != OPEN:
        return "is not placed"
    return f"waits for {told}" if told else "waits for its turn"


def names_of(bids: Sequence[Bid]) -> str:
    """Bids in few words."""
    if len(bids) == 1:
        return f"{bids[0].name} ({how(bids[0])})"
    states: dict[str, int] = {}
    for bid in bids:
        states[how(bid)] = states.get(how(bid), 0) + 1
    several = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{bids[0].name} and {len(bids) - 1} more ({several})"


def _told(turns: Turns, after: After, bid: Bid) -> str:
    bids = turns.before(after, bid.identity)
    minutes = f"+{after.minutes}" if after.minutes else ""
    mark = f"{after.kind} " if KINDS[after.kind]["of"] == "name" else f"{after.kind}:"
    return f"{mark}{names_of(bids) if bids else ''}{minutes}".rstrip()
