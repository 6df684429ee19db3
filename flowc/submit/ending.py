"""How a job has ended, as its machines tell it, and the end of its bill.

A machine keeps its state in `status.json` (docs/machine.md). One that has not begun has an empty one, and the others of
a batch script, which only serve its steps, never have more.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress

from flowc.providers.base import CANCELLED, COMPLETED, ENDED, ENDS, RUNNING
from flowc.providers.errors import ProviderError, UnavailableError
from flowc.record import Record
from flowc.submit.journal import JournalError
from flowc.submit.plan import ended_by_machines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO, Any

    from flowc.providers.base import Following, Machine, Provider, Task
    from flowc.submit.journal import Bid, Journal

STATUS = "/var/lib/foundry/flowc/status.json"
OUTPUT = "/var/log/foundry/job.log"
# Where a job has a file for its errors alone.
ERRORS = "/var/log/foundry/job.err"
# What is brought of a machine, by the endings of the names under which it is kept.
KEPT = {"log": OUTPUT, "err": ERRORS}
# So many machines are asked at the same time.
AT_ONCE = 16
# The exit status of a job that nobody knows the end of.
UNKNOWN = 125

# Why a job is over, where its state as a task does not say it.
_REASONS = {
    "TIMEOUT": "its time limit was up",
    "CANCELLED": "it cancelled itself",
    "NODE_FAIL": "it was cut short and must not be started twice",
}


class End(Record):
    """How a job has ended: one of the states that end a task, why where that is not plain, and the exit status as a
    shell says it (128 and the number after a signal)."""

    state: str
    reason: str | None
    exit_status: int


def read_status(data: bytes | None) -> dict[str, Any] | None:
    """What a machine's status.json says; None for one that has not begun, or cannot be understood."""
    try:
        found = json.loads(data or b"")
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("state"), str) else None


def end_of(statuses: Iterable[dict[str, Any] | None]) -> End | None:
    """The end of a job whose machines say this; None while one of those that have begun has not ended. Where they end
    differently, the first that did not complete speaks for all."""
    begun = [each for each in statuses if each is not None]
    if not begun or any(each["state"] not in ENDS for each in begun):
        return None
    ends = [_one(each) for each in begun]
    return next((each for each in ends if each.state != COMPLETED), ends[0])


def _one(status: dict[str, Any]) -> End:
    state, reason = ENDS[status["state"]], _REASONS.get(status["state"])
    code = status.get("exit_code")
    code = code if isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 256 else None
    if status["state"] == "COMPLETED":
        return End(state=state, reason=reason, exit_status=code or 0)
    # A job that took its time limit well still did not get to its end.
    return End(state=state, reason=reason, exit_status=code or 1)


class Endings:
    """Looks after what was submitted: notes the ends of jobs, brings their output, ends their bids.

    `folder` is where output is kept; `now` gives seconds since the epoch; `tell` hears of each end that is noted;
    `coming`, while output is brought, of the bytes that have come and those that there are."""

    def __init__(
        self,
        journal: Journal,
        provider: Provider,
        *,
        folder: str,
        now: Callable[[], float],
        tell: Callable[[Bid, End], None] = lambda bid, end: None,
        coming: Callable[[int, int], None] = lambda done, whole: None,
    ) -> None:
        self._journal = journal
        self._provider = provider
        self._folder = folder
        self._now = now
        self._tell = tell
        self._coming = coming
        # What was brought before its job had ended.
        self._brought: set[str] = set()

    def look(
        self, bid: Bid, task: Task | None = None, *, last: Callable[[], None] | None = None
    ) -> tuple[Task, End | None]:
        """How a bid's job is now. Where it has ended for the first time, that is noted, `last` is called, its output
        is brought and, unless it is to be kept, its bid is ended. What was noted before is not asked again. Raises
        ProviderError."""
        assert bid.made is not None, bid.name
        task = task or self._provider.get(bid.made)
        end = noted(bid) or self._end(bid, task)
        if end is not None and last is not None:
            last()
        return self.settle(bid, task, end)

    def look_at_all(self, pairs: Iterable[tuple[Bid, Task]]) -> list[tuple[Task, End | None]]:
        """`look` for many: their machines are asked at the same time. One that cannot be reached stays as it was."""
        pairs = list(pairs)
        asked = [(bid, task) for bid, task in pairs if noted(bid) is None and task.state == RUNNING]
        ends: dict[str, End | None] = {}
        if len(asked) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(min(AT_ONCE, len(asked))) as pool:
                found = pool.map(lambda pair: self._end_or_none(*pair), asked)
                ends = dict(zip([task.identity for _, task in asked], found, strict=True))
        settled = []
        for bid, task in pairs:
            end = noted(bid) or (ends[task.identity] if task.identity in ends else self._end_or_none(bid, task))
            try:
                settled.append(self.settle(bid, task, end))
            except UnavailableError:
                settled.append((task, None))
        return settled

    def last_words(self, pairs: Iterable[tuple[Bid, Task]], *, within_s: float) -> dict[str, End | None]:
        """Bring what jobs have said that are to be ended, all at the same time, for so many seconds at most. By the
        names of the bids whose machines answered in time: how those have ended that did so by themselves, else None."""
        import threading
        import time

        left = iter([(bid, task) for bid, task in pairs if noted(bid) is None and task.state == RUNNING])
        said: dict[str, End | None] = {}

        def work() -> None:
            for bid, task in left:
                with suppress(ProviderError, OSError):
                    end = self._end(bid, task)
                    self._fetch(bid, task)
                    self._brought.add(bid.name)
                    said[bid.name] = end

        # Whoever waits no longer leaves them alone: a machine that does not answer must not keep the bill running.
        threads = [threading.Thread(target=work, daemon=True) for _ in range(AT_ONCE)]
        deadline = time.monotonic() + within_s
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return dict(said)

    def settle(self, bid: Bid, task: Task, end: End | None) -> tuple[Task, End | None]:
        """Do what follows from an end. The task as it is then. Raises ProviderError; JournalError where it cannot be
        noted, which does not keep the bill running."""
        if end is None:
            return task, None
        trouble: JournalError | None = None
        if bid.ended is None:
            try:
                state, status = self._journal.ended(bid.key, bid.number, end.state, end.exit_status)
                if (state, status) != (end.state, end.exit_status):  # another process was first
                    end = End(state=state, reason=None, exit_status=status if status is not None else 1)
            except JournalError as error:
                trouble = error
        release = not bid.keep and bid.released_at is None
        there = task.state not in ENDED
        if (release or bid.ended is None) and (there or self._provider.keeps_tasks):
            self._fetch_result(bid, task)
        if release:
            if there:
                if bid.name not in self._brought:
                    self._fetch(bid, task)
                self._provider.end("bid", task.identity)
            if trouble is None:
                self._journal.released(bid.key, bid.number, self._now())
                revoke_keys(self._journal, self._provider, bid)
        if release or bid.ended is None:
            self._tell(bid, end)
        if trouble is not None:
            raise trouble
        reason = end.reason or (task.reason if task.state == end.state else None)
        return task.replace(state=end.state, reason=reason, exit_status=end.exit_status), end

    def _end_or_none(self, bid: Bid, task: Task) -> End | None:
        try:
            return self._end(bid, task)
        except UnavailableError:
            return None

    def _end(self, bid: Bid, task: Task) -> End | None:
        if task.state in ENDED and task.exit_status is not None:
            return End(state=task.state, reason=task.reason, exit_status=task.exit_status)
        if task.state == CANCELLED:
            submission = self._journal.submission(bid.key)
            if submission is not None and ended_by_machines(submission.document, bid.identity):
                reason = "the bid has ended, by its machine or by somebody; how the job had ended nobody saw"
                return End(state=CANCELLED, reason=reason, exit_status=UNKNOWN)
            # The bid has gone before anybody saw the job's end: whoever ended it did not wait for it.
            return End(state=CANCELLED, reason=task.reason, exit_status=130)
        if task.state in ENDED:
            return End(state=task.state, reason=task.reason, exit_status=int(task.state != COMPLETED))
        if task.state != RUNNING or self._provider.keeps_tasks:
            return None
        return end_of(self._status(task, machine) for machine in task.machines)

    def _status(self, task: Task, machine: Machine) -> dict[str, Any] | None:
        return read_status(self._provider.read(task, machine, STATUS, offset=0))

    def _fetch(self, bid: Bid, task: Task) -> None:
        """The output of each machine, beside the journal. What cannot be had must not keep the bill running."""
        import os

        for number, machine in enumerate(task.machines):
            with suppress(ProviderError, OSError):
                for ending, path in KEPT.items():
                    place = os.path.join(self._folder, bid.key, f"{bid.name}.{number}.{ending}")
                    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
                    self._bring(task, machine, path, place, always=path == OUTPUT)

    def _fetch_result(self, bid: Bid, task: Task) -> None:
        """The file in which a job has left what it returns, beside its output, where it has one (`fetch` in the
        document). It comes whole or not at all."""
        import os

        submission = self._journal.submission(bid.key)
        for each in submission.document.get("fetch", ()) if submission is not None else ():
            place = os.path.join(self._folder, bid.key, f"{bid.name}.result")
            if bid.identity in each["of"] and task.machines and not os.path.exists(place):
                with suppress(ProviderError, OSError):
                    self._bring_whole(task, task.machines[0], each["path"], place, most=each["most"])

    def _bring_whole(self, task: Task, machine: Machine, path: str, place: str, *, most: int) -> None:
        """Several may do so at the same time. Raises ProviderError, and OSError for a file of more than `most`
        bytes."""
        import os
        import tempfile

        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        descriptor, new = tempfile.mkstemp(dir=os.path.dirname(place))
        size = 0
        try:
            with open(descriptor, "wb") as file:

                def take(data: bytes, anew: bool) -> None:
                    nonlocal size
                    if anew:
                        file.seek(0)
                        file.truncate()
                    size = file.tell() + len(data)
                    if size > most:
                        raise OSError(f"{path} has more than {most:,} bytes")
                    file.write(data)

                self._provider.follow(task, machine, path, take).rest()
            if size:
                os.replace(new, place)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(new)

    def _bring(self, task: Task, machine: Machine, path: str, place: str, *, always: bool) -> None:
        """Write a file of a machine to `place` here; `always`: also where there is nothing of it."""
        with ExitStack() as files:
            file: IO[bytes] | None = None

            def take(data: bytes, anew: bool) -> None:
                nonlocal file
                if file is None or anew:
                    file = files.enter_context(open(place, "wb"))
                file.write(data)
                mark = following.mark if following is not None else None
                if mark is not None:
                    self._coming(file.tell(), mark.size)

            following: Following | None = None
            if always:
                take(b"", False)
            following = self._provider.follow(task, machine, path, take)
            try:
                following.rest()
            finally:
                self._coming(0, 0)


def revoke_keys(journal: Journal, provider: Provider, bid: Bid) -> None:
    """Those that the machines of a bid had, which has ended. Raises JournalError."""
    if journal.keys(bid.key, bid.number):
        from flowc.submit.keys import Keys

        Keys(journal, provider).revoke(bid)


def noted(bid: Bid) -> End | None:
    """How a job ended, where the journal knows."""
    if bid.ended is None:
        return None
    return End(state=bid.ended, reason=None, exit_status=bid.exit_status if bid.exit_status is not None else 1)
