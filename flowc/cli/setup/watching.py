"""Looks after tasks for as long as it runs: what has ended is released, what outlives its limit is ended."""

from __future__ import annotations

import time
from contextlib import suppress

from flowc.cli.status import DONE
from flowc.cli.tasks.world import World, tell
from flowc.providers.base import FAILED
from flowc.providers.errors import RateLimitError, UnavailableError
from flowc.submit import overdue, watch
from flowc.submit.delivery import Deliverer
from flowc.submit.ending import End
from flowc.submit.journal import OPEN, WAITING
from flowc.submit.steps import InterruptedSubmissionError
from flowc.tasks.looking import endings_of, looked_after, tasks_of
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.providers.base import Provider, Task
    from flowc.submit.journal import Bid

EVERY_S = 30.0
# So far the clock may drift, in seconds, before it counts as set.
STEP_S = 60.0


def run_watch(words: Words) -> int:
    """Look again and again, or once. The exit status. Raises RefusedTaskError where another process watches, and as
    the settings and the journal do; what the network does passes."""
    world = World(words)
    every_s = float(words.text("every") or EVERY_S)
    world.journal.submissions(limit=1)  # raises where nothing can be kept
    with watch.alone(world.folder) as alone:
        if not alone:
            hint = "one of a user is enough; `flowc doctor` says which process it is"
            raise RefusedTaskError("`flowc watch` runs already", hint)
        watching = _Watching(world, grace_s=float(words.text("grace") or overdue.GRACE_S))
        while True:
            watching.look()
            if words.flag("once"):
                return DONE
            time.sleep(every_s)


def _ahead() -> float:
    """How far the clock is ahead of the time since this computer has started, sleep counted where the system tells."""
    of = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return 0.0 if of is None else time.time() - time.clock_gettime(of)


class _Watching:
    def __init__(self, world: World, *, grace_s: float) -> None:
        self._world = world
        self._grace_s = grace_s
        self._seen = watch.load(world.folder)
        self._ahead_s = _ahead()
        self._trouble: dict[str, str] = {}
        self._deliverers: dict[str, Deliverer] = {}

    def look(self) -> None:
        """Once at all that may be paid for."""
        self._catch_up()
        bids = self._world.journal.bids()
        living = [bid for bid in bids if bid.lives and bid.made is not None]
        waiting = [bid for bid in bids if bid.state == WAITING and bid.submission == OPEN]
        seen: dict[str, overdue.Seen] = {}
        for name in dict.fromkeys(bid.provider for bid in (*living, *waiting)):
            mine = [bid for bid in living if bid.provider == name]
            try:
                self._look_at(name, mine, seen)
            except (UnavailableError, RateLimitError, InterruptedSubmissionError) as error:
                self._say(name, f"asks again: {error}")
                seen.update((bid.name, self._seen[bid.name]) for bid in mine if bid.name in self._seen)
            else:
                self._trouble.pop(name, None)
        self._seen = seen
        try:
            watch.save(self._world.folder, seen)
        except OSError as error:
            self._say("watch", f"what was seen of jobs cannot be written down: {error.strerror}")

    def _catch_up(self) -> None:
        """A clock that was set, by hand or after a wrong start, is no time that a job has had."""
        step_s = _ahead() - self._ahead_s
        if abs(step_s) > STEP_S:
            self._ahead_s += step_s
            self._seen = {name: each.replace(at=each.at + step_s) for name, each in self._seen.items()}

    def _say(self, who: str, trouble: str) -> None:
        """Once for as long as it is so."""
        if self._trouble.get(who) != trouble:
            tell(f"{who}: {trouble}")
        self._trouble[who] = trouble

    def _look_at(self, name: str, bids: list[Bid], seen: dict[str, overdue.Seen]) -> None:
        provider = self._world.provider(name)
        lost: list[Bid] = []
        tasks = tasks_of(provider, bids, lost=lost)
        for bid in lost:
            self._say(bid.name, f"{name} does not know it")
        looked_after(self._world, name, tasks)
        if provider.keeps_tasks:
            return
        world = self._world
        if name not in self._deliverers:
            self._deliverers[name] = Deliverer(
                world.journal, provider, world.environ, tell=tell, releaser=world.releaser
            )
        deliverer = self._deliverers[name]
        left = {bid.made: bid for bid in self._world.journal.bids() if bid.lives}
        for task in tasks:
            living = left.get(task.identity)
            if living is None:
                continue
            with suppress(UnavailableError):
                deliverer.bring(living, task)
            if not living.keep:
                self._end_if_overdue(provider, living, task, seen)

    def _end_if_overdue(self, provider: Provider, bid: Bid, task: Task, seen: dict[str, overdue.Seen]) -> None:
        submission = self._world.journal.submission(bid.key)
        limit_s = None if submission is None else overdue.limit_of(submission.document, bid)
        if limit_s is None:
            return
        now = time.time()
        found = overdue.look(provider, task, self._seen.get(bid.name), now=now)
        if found is None:
            return
        seen[bid.name] = found
        if overdue.is_overdue(found, limit_s, now=now, grace_s=self._grace_s):
            end = End(state=FAILED, reason="its time limit was up, and its machine did not end it", exit_status=1)
            endings_of(self._world, bid.provider).settle(bid, task, end)
