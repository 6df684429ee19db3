"""Who waits for whom, and why: what becomes of jobs that depend on others, in words."""

from __future__ import annotations

import time

from flowc.submit.journal import FAILED, GIVEN_UP, MADE, NEVER, OPEN, SENT, WAITING
from flowc.submit.turns import NEVER as FAILS
from flowc.submit.turns import NOW, STUCK, Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowc.submit.jobs import After
    from flowc.submit.journal import Bid, Journal

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
    mark = after.kind if after.kind == "singleton" else f"{after.kind}:"
    return f"{mark}{' ' if after.kind == 'singleton' and bids else ''}{names_of(bids) if bids else ''}{minutes}"


def ahead_of(journal: Journal, bids: Iterable[Bid]) -> list[Bid]:
    """The bids that must end, start or be placed before these, near and far, as far as that is open. Raises
    JournalError."""
    found: dict[tuple[str, int], Bid] = {}
    turns: dict[str, Turns] = {}
    left = [bid for bid in bids if bid.state == WAITING]
    seen = {(bid.key, bid.number) for bid in left}
    while left:
        bid = left.pop()
        if bid.key not in turns:
            turns[bid.key] = Turns(journal, bid.key, now=time.time())
        for after, turn in turns[bid.key].waits_for(bid.identity):
            for other in turns[bid.key].before(after, bid.identity) if turn != NOW else ():
                if (other.key, other.number) in seen or other.ended is not None:
                    continue
                seen.add((other.key, other.number))
                found[other.key, other.number] = other
                if other.state == WAITING:
                    left.append(other)
    return list(found.values())


def behind(journal: Journal, bids: Iterable[Bid]) -> list[Bid]:
    """The bids that are not placed and wait for these, or for those. Raises JournalError."""
    reached = {(bid.key, bid.identity) for bid in bids}
    jobs = [job for job in journal.jobs() if job.after]
    found: dict[tuple[str, str], Bid] = {}
    more = True
    while more:
        more = False
        for job in jobs:
            if (job.key, job.bids[0]) in found or not any(set(each.before) & reached for each in job.after):
                continue
            its = [bid for bid in journal.bids(key=job.key) if bid.identity in job.bids]
            found |= {(bid.key, bid.identity): bid for bid in its if bid.state in (WAITING, NEVER)}
            more = not {(job.key, each) for each in job.bids} <= reached
            reached |= {(job.key, each) for each in job.bids}
    return list(found.values())


def look_again_behind(journal: Journal, bids: Iterable[Bid]) -> None:
    """These are given up: what waited for them in vain may have its turn. Raises JournalError."""
    for key in sorted({bid.key for bid in behind(journal, bids) if bid.state == NEVER}):
        journal.look_again(key)
