"""Looks after tasks for as long as it runs: what has ended is released, what outlives its limit is ended."""

from __future__ import annotations

import time

from flowc.cli.status import DONE
from flowc.cli.tasks.guard import RefusedTaskError
from flowc.cli.tasks.looking import endings_of, looked_after
from flowc.cli.tasks.world import World, tell
from flowc.providers.base import FAILED
from flowc.providers.errors import NotFoundError, RateLimitError, UnavailableError
from flowc.submit import overdue, watch
from flowc.submit.ending import End
from flowc.submit.steps import InterruptedSubmissionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.providers.base import Provider, Task
    from flowc.submit.journal import Bid

EVERY_S = 30.0
# So many bids of a provider are asked for one by one; more come in one list.
FEW = 2
MOST_LISTED = 10_000


def run_watch(words: Words) -> int:
    """Look again and again, or once. The exit status. Raises RefusedTaskError where another process watches, and as
    the settings and the journal do; what the network does passes."""
    world = World(words)
    every_s = float(words.text("every") or EVERY_S)
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


class _Watching:
    def __init__(self, world: World, *, grace_s: float) -> None:
        self._world = world
        self._grace_s = grace_s
        self._seen = watch.load(world.folder)
        self._trouble: dict[str, str] = {}

    def look(self) -> None:
        """Once at all that may be paid for."""
        living = [bid for bid in self._world.journal.bids() if bid.lives and bid.made is not None]
        seen: dict[str, overdue.Seen] = {}
        for name in dict.fromkeys(bid.provider for bid in living):
            mine = [bid for bid in living if bid.provider == name]
            try:
                self._look_at(name, mine, seen)
            except (UnavailableError, RateLimitError, InterruptedSubmissionError) as error:
                if self._trouble.get(name) != str(error):
                    tell(f"{name}: asks again: {error}")
                self._trouble[name] = str(error)
                seen.update((bid.name, self._seen[bid.name]) for bid in mine if bid.name in self._seen)
            else:
                self._trouble.pop(name, None)
        self._seen = seen
        watch.save(self._world.folder, seen)

    def _look_at(self, name: str, bids: list[Bid], seen: dict[str, overdue.Seen]) -> None:
        provider = self._world.provider(name)
        tasks = _tasks(provider, bids)
        looked_after(self._world, name, tasks.values())
        left = {bid.made: bid for bid in self._world.journal.bids() if bid.lives and not bid.keep}
        for task in tasks.values():
            bid = left.get(task.identity)
            if bid is not None and not provider.keeps_tasks:
                self._end_if_overdue(provider, bid, task, seen)

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


def _tasks(provider: Provider, bids: list[Bid]) -> dict[str, Task]:
    """The tasks of bids, by the provider's ids."""
    found: dict[str, Task] = {}
    if len(bids) > FEW:
        found = {task.identity: task for task in provider.list_tasks(limit=MOST_LISTED)}
    tasks = {}
    for bid in bids:
        identity = bid.made or ""
        try:
            tasks[identity] = found[identity] if identity in found else provider.get(identity)
        except NotFoundError as error:
            tell(f"{bid.name}: {error}")
    return tasks
