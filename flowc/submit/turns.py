"""Whose turn it is: bids of a job that may not have all at once, and of jobs that wait for others, as under Slurm.

What Slurm leaves pending as DependencyNeverSatisfied is NEVER here: it costs nothing, and nobody waits for it. What
depends on it is STUCK, pending for ever under Slurm too, until it is given up: then it counts as cancelled. But one
that can never start does not keep back a later `singleton` of its name, as it does under Slurm.
"""

from __future__ import annotations

from flowc._compiled.dependencies import KINDS
from flowc.providers.base import COMPLETED
from flowc.submit import journal as states
from flowc.submit.journal import FAILED, GIVEN_UP, MADE, OPEN, SENT, WAITING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowc.submit.journal import Bid, Journal
    from flowc.submit.store.jobs import After, Job

# NEVER: what it depends on can never hold;
# STUCK: it waits for one that is never placed itself, until that is given up.
NOW, LATER, NEVER, STUCK = "now", "later", "never", "stuck"


class Turns:
    """Of the submission `key`, as things are at `now`, in seconds since the epoch. Raises JournalError."""

    def __init__(self, journal: Journal, key: str, *, now: float) -> None:
        self._journal = journal
        self._key = key
        self._now = now
        self._bids: dict[str, dict[str, Bid]] = {}
        self.jobs = journal.jobs(key=key)
        self._of = {identity: job for job in self.jobs for identity in job.bids}
        self._found: dict[tuple[int, int], str] = {}
        mine = self._of_key(key)
        self._room: dict[int, int] = {
            job.number: job.max_concurrent - sum(mine[each].lives for each in job.bids if each in mine)
            for job in self.jobs
            if job.max_concurrent is not None
        }

    def of(self, identity: str) -> str:
        """NOW, LATER, NEVER or STUCK for a bid that is not placed, by the id of its request. NOW takes its room."""
        job = self._of.get(identity)
        if job is None:
            return NOW
        turn = self.behind(identity)
        left = self._room.get(job.number)
        if turn != NOW or left is None:
            return turn
        self._room[job.number] = left - 1
        return NOW if left > 0 else LATER

    def behind(self, identity: str) -> str:
        """The same, as far as it waits for other jobs."""
        job = self._of[identity]
        of_all = [self._one(job, place, identity) for place, each in enumerate(job.after) if not each.any]
        of_any = [self._one(job, place, identity) for place, each in enumerate(job.after) if each.any]
        if of_any:
            of_all.append(next(each for each in (NOW, LATER, STUCK, NEVER) if each in of_any))
        # One that is given up as soon as it cannot be has to hear of the others too.
        order = (NEVER, LATER, STUCK) if job.kill else (NEVER, STUCK, LATER)
        return next((each for each in order if each in of_all), NOW)

    def waits_for(self, identity: str) -> list[tuple[After, str]]:
        """What its job depends on, each with the turn that it has by this alone."""
        job = self._of[identity]
        return [(each, self._one(job, place, identity)) for place, each in enumerate(job.after)]

    def before(self, after: After, identity: str) -> list[Bid]:
        """The bids that one of these is about."""
        job = self._of[identity]
        return self._others_of_its_name(job) if _is_of_its_name(after) else self._meant(after, job, identity)

    def may_change(self) -> bool:
        """Whether a bid that waits for other jobs has its turn, or never will."""
        mine = self._of_key(self._key)
        waiting = [each for job in self.jobs if job.after for each in job.bids if mine[each].state == WAITING]
        return any(self.behind(each) != LATER for each in waiting)

    def _one(self, job: Job, place: int, identity: str) -> str:
        after = job.after[place]
        if _goes_by_tasks(after, job):
            return self._turn(after, self._meant(after, job, identity))
        if (job.number, place) not in self._found:  # the same for all bids of an array
            if _is_of_its_name(after):
                turn = LATER if self._others_of_its_name(job) else NOW
            else:
                turn = self._turn(after, self._meant(after, job, identity))
            self._found[job.number, place] = turn
        return self._found[job.number, place]

    def _meant(self, after: After, job: Job, identity: str) -> list[Bid]:
        """Tasks of an array wait for those of the same index by `aftercorr`; where there is none, for all."""
        pairs = after.before
        if _goes_by_tasks(after, job):
            assert after.indices is not None
            assert job.indices is not None
            index = job.indices[job.bids.index(identity)]
            if index in after.indices:
                pairs = (pairs[after.indices.index(index)],)
        return [self._of_key(key)[each] for key, each in pairs]

    def _turn(self, after: After, bids: Sequence[Bid]) -> str:
        if any(_can_never_start(bid) for bid in bids):
            return STUCK
        kind = KINDS[after.kind]
        if kind["until"] == "started":
            return NOW if all(self._has_started(bid, after.minutes) for bid in bids) else LATER
        if not all(_is_over(bid) for bid in bids):
            return LATER
        ends = "well" if all(bid.ended == COMPLETED for bid in bids) else "badly"
        return NOW if kind["ends"] in ("any", ends) else NEVER

    def _has_started(self, bid: Bid, minutes: int) -> bool:
        """So many minutes ago. One that nobody saw start counts from the end of its bill, as does one that was given
        up before it started."""
        if bid.started_at is None and not _is_over(bid):
            return False
        at = bid.started_at if bid.started_at is not None else bid.released_at
        return at is None or self._now >= at + 60 * minutes

    def _others_of_its_name(self, job: Job) -> list[Bid]:
        """What a `singleton` waits for: bids of jobs of its name that may run, and those before it that will."""
        found: list[Bid] = []
        is_before = True
        for other in self._journal.jobs(name=job.name):
            if (other.key, other.number) == (job.key, job.number):
                is_before = False
                continue
            for bid in (self._of_key(other.key)[each] for each in other.bids):
                may_come = bid.state == WAITING and bid.submission == OPEN
                if (is_before and may_come) or (bid.state in (SENT, MADE) and bid.ended is None):
                    found.append(bid)
        return found

    def _of_key(self, key: str) -> dict[str, Bid]:
        if key not in self._bids:
            self._bids[key] = {bid.identity: bid for bid in self._journal.bids(key=key)}
        return self._bids[key]


def _is_of_its_name(after: After) -> bool:
    return bool(KINDS[after.kind]["of"] == "name")


def _goes_by_tasks(after: After, job: Job) -> bool:
    return KINDS[after.kind]["of"] == "task" and after.indices is not None and job.indices is not None


def _can_never_start(bid: Bid) -> bool:
    """As things are: what is given up has ended."""
    return bid.state == states.NEVER or (bid.state == WAITING and bid.submission != OPEN)


def _is_over(bid: Bid) -> bool:
    return bid.ended is not None or bid.state in (GIVEN_UP, FAILED)
