"""Waits for the end of tasks; their output goes to who wants it on the way."""

from __future__ import annotations

import time
from contextlib import suppress

from flowc.providers.base import CANCELLED, ENDED, FAILED, PENDING
from flowc.providers.errors import NotFoundError, RateLimitError, UnavailableError
from flowc.submit.delivery import Deliverer
from flowc.submit.ending import UNKNOWN, End, noted
from flowc.submit.journal import BROKEN, GIVEN_UP, NEVER
from flowc.submit.steps import InterruptedSubmissionError
from flowc.submit.turns import Turns
from flowc.tasks.graph.words import why_not
from flowc.tasks.looking import FEW, MOST_LISTED, endings_of, look_ahead, note_start, task_of
from flowc.tasks.placing import place_more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Protocol

    from flowc.providers.base import Provider, Task
    from flowc.submit.journal import Bid
    from flowc.tasks.world import World

    class Output(Protocol):
        """Takes the output of tasks, each machine's from where it was left."""

        def more(self, provider: Provider, bid: Bid, task: Task) -> bool:
            """Take what there is of a task. Whether there was something. Raises ProviderError."""

        def last(self, provider: Provider, bid: Bid, task: Task) -> None:
            """Take what is left of a task whose job has ended, before its bid is."""

        def sleep(self, seconds: float) -> None:
            """As `time.sleep`; shorter where there is reason to look again."""

        def raise_broken(self) -> None:
            """Raises OSError where something could not be shown."""


class Waiting:
    """Waits for `bids`; `output` gets what their jobs say as it comes. `every`: seconds between looks, None: as the
    provider is best asked. Everything raises as the provider, the settings and the journal do, and OSError where
    `output` cannot be shown of a job that goes on."""

    def __init__(
        self, world: World, bids: Iterable[Bid], *, output: Output | None = None, every: float | None = None
    ) -> None:
        self._world = world
        self._all = tuple(bids)
        self._waiting = list(self._all)
        self._undelivered = {bid.name for bid in self._all}
        self._output = output
        self._every = every
        # By the names of their bids, as far as they are known.
        self.ends: dict[str, End] = {}
        self._said: dict[str, str] = {}
        self._deliverers: dict[str, Deliverer] = {}
        # Submissions of which more bids may have their turn.
        self._to_place = {bid.key for bid in self._all if bid.made is None}

    @property
    def left(self) -> list[Bid]:
        """Those whose jobs have not ended."""
        return list(self._waiting)

    @property
    def exit_status(self) -> int:
        """Of several jobs the first that is not 0; all must have ended."""
        ends = [self.ends[bid.name] for bid in self._all]
        return next((end.exit_status for end in ends if end.exit_status), 0)

    def heard(self, by: Callable[[Callable[..., object]], Callable[..., None]]) -> None:
        """Whatever is said from here on goes through what `by` makes of it."""
        self._world.tell, self._world.coming = by(self._world.tell), by(self._world.coming)

    def run(self, *, timeout: float | None = None) -> bool:
        """Until all have ended. False where `timeout`, in seconds, is up before."""
        for _ in self.looks(timeout=timeout):
            pass
        return not self._waiting

    def looks(self, *, timeout: float | None = None) -> Iterator[None]:
        """Look again and again until all have ended, or `timeout`, in seconds, is up; comes back after each look."""
        return self._looks(lambda: not self._waiting, timeout)

    def until_delivered(self) -> None:
        """Until the bids that were placed have on their machines what only we can bring."""
        self._undelivered = {bid.name for bid in self._all if bid.made is not None and self._wants(bid)}
        self._waiting = [bid for bid in self._all if bid.name in self._undelivered]
        if not self._undelivered:
            return
        self._world.tell("stays until its machines have what they wait for; Ctrl-C leaves that to `flowc wait`")
        for _ in self._looks(lambda: not self._undelivered, None):
            pass

    def _wants(self, bid: Bid) -> bool:
        submission = self._world.journal.submission(bid.key)
        deliver = submission.document.get("deliver", ()) if submission is not None else ()
        keeps = self._world.provider(bid.provider).keeps_tasks
        return not keeps and any(bid.identity in each["to"] and "key" not in each for each in deliver)

    def _looks(self, done: Callable[[], bool], timeout: float | None) -> Iterator[None]:
        quiet_since = time.monotonic()
        deadline = None if timeout is None else quiet_since + timeout
        while True:
            news = self._look()
            yield
            now = time.monotonic()
            if done() or (deadline is not None and now >= deadline):
                return
            quiet_since = now if news else quiet_since
            pause = self._pause(now - quiet_since)
            pause = pause if deadline is None else max(0.0, min(pause, deadline - now))
            if self._output is None:
                time.sleep(pause)
            else:
                self._output.sleep(pause)

    def _pause(self, quiet: float) -> float:
        if self._every is not None:
            return self._every
        shortest = [self._world.provider(name).look_s for name in {bid.provider for bid in self._waiting}]
        # The longer nothing happens, the later is what happens next.
        return max(max(low, min(high, quiet / 16)) for low, high in shortest)

    def _look(self) -> bool:
        """Whether something has happened."""
        unplaced = [bid for bid in self._waiting if bid.made is None]
        if unplaced:
            look_ahead(self._world, unplaced, but=self._waiting)
        for key in sorted({bid.key for bid in unplaced}):
            if key in self._to_place or Turns(self._world.journal, key, now=time.time()).may_change():
                self._place(key)
            self._read_again(key)
        news = False
        for name in dict.fromkeys(bid.provider for bid in self._waiting):
            mine = [bid for bid in self._waiting if bid.provider == name and bid.made is not None]
            provider = self._world.provider(name)
            listed: dict[str, Task] = {}
            if len(mine) > FEW:
                with suppress(UnavailableError, RateLimitError):
                    listed = {task.identity: task for task in provider.list_tasks(limit=MOST_LISTED)}
            for bid in mine:
                try:
                    news |= self._look_at(bid, listed.get(bid.made or "") or task_of(provider, bid))
                except NotFoundError:
                    # How its job ended is known all the same.
                    if (end := noted(bid)) is None:
                        raise
                    self._over(bid, end)
                except (UnavailableError, RateLimitError) as error:
                    self._say(bid, f"asks again: {error}")
        return news

    def _place(self, key: str) -> None:
        """Place the bids of a submission that have their turn."""
        try:
            place_more(self._world, key)
        except InterruptedSubmissionError as error:
            self._say(next(bid for bid in self._waiting if bid.key == key), f"asks again: {error}")
            return
        self._to_place.discard(key)

    def _read_again(self, key: str) -> None:
        """What the journal has of the bids of a submission: we or others may have placed them, or given them up."""
        now = {bid.name: bid for bid in self._world.journal.bids(key=key)}
        self._waiting = [now.get(bid.name, bid) for bid in self._waiting]
        turns = Turns(self._world.journal, key, now=time.time())
        for bid in [each for each in self._waiting if each.key == key and each.made is None]:
            how = why_not(turns, bid)
            if bid.state == GIVEN_UP:
                self.ends[bid.name] = End(state=CANCELLED, reason=None, exit_status=130)
            elif bid.state == NEVER or bid.submission == BROKEN:
                how = how if bid.state == NEVER else "is not placed: the provider refused it, or another one with it"
                self.ends[bid.name] = End(state=FAILED, reason=None, exit_status=UNKNOWN)
            self._say(bid, how)
            if bid.name in self.ends:
                self._waiting.remove(bid)

    def _look_at(self, bid: Bid, task: Task) -> bool:
        provider = self._world.provider(bid.provider)
        output = self._output
        news = output is not None and output.more(provider, bid, task)
        if task.state not in ENDED and (task.state == PENDING or task.reason or not provider.keeps_tasks):
            news |= self._say(bid, f"{task.state} ({task.reason})" if task.reason else task.state)
        note_start(self._world, bid, task)
        endings = endings_of(self._world, bid.provider)
        _, end = endings.look(bid, task, last=None if output is None else lambda: output.last(provider, bid, task))
        if end is not None:
            self._over(bid, end)
            return True
        if output is not None:
            output.raise_broken()
        if bid.provider not in self._deliverers:
            self._deliverers[bid.provider] = Deliverer(
                self._world.journal,
                provider,
                self._world.environ,
                tell=self._world.tell,
                releaser=self._world.releaser,
            )
        if self._deliverers[bid.provider].bring(bid, task):
            self._undelivered.discard(bid.name)
        return news

    def _over(self, bid: Bid, end: End) -> None:
        self.ends[bid.name] = end
        self._waiting.remove(bid)
        self._undelivered.discard(bid.name)
        self._to_place.update(each.key for each in self._waiting if each.key == bid.key and each.made is None)

    def _say(self, bid: Bid, how: str) -> bool:
        if self._said.get(bid.name) == how:
            return False
        self._said[bid.name] = how
        self._world.tell(f"{bid.name}: {how}")
        return True
