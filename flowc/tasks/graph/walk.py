"""The bids before others, and those behind them, near and far."""

from __future__ import annotations

import time

from flowc.submit.journal import NEVER, WAITING
from flowc.submit.turns import NOW, Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.submit.journal import Bid, Journal


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
