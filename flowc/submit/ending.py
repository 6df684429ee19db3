"""How a job has ended, as its machines tell it, and the end of its bill.

A machine keeps its state in `status.json` (docs/machine.md). One that has not begun has an empty one, and the others of
a batch script, which only serve its steps, never have more.
"""

from __future__ import annotations

import json

from flowc.providers.base import CANCELLED, COMPLETED, ENDED, ENDS, RUNNING
from flowc.providers.errors import ProviderError
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from flowc.providers.base import Machine, Provider, Task
    from flowc.submit.journal import Entry, Journal

STATUS = "/var/lib/foundry/flowc/status.json"
OUTPUT = "/var/log/foundry/job.log"

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

    `folder` is where output is kept; `now` gives seconds since the epoch; `tell` hears of each end that is noted."""

    def __init__(
        self,
        journal: Journal,
        provider: Provider,
        *,
        folder: str,
        now: Callable[[], float],
        tell: Callable[[Entry, End], None] = lambda entry, end: None,
    ) -> None:
        self._journal = journal
        self._provider = provider
        self._folder = folder
        self._now = now
        self._tell = tell

    def look(self, entry: Entry, task: Task | None = None, *, keep: bool) -> tuple[Task, End | None]:
        """How a bid's job is now. Where it has ended for the first time, that is noted, its output is brought and,
        unless `keep`, its bid is ended. What was noted before is not asked again. Raises ProviderError."""
        assert entry.made is not None, entry.identity
        task = task or self._provider.get(entry.made)
        end = self._noted(entry)
        if end is None:
            end = self._end(task)
            if end is None:
                return task, None
            self._journal.ended(entry.key, entry.number, end.state, end.exit_status)
            self._tell(entry, end)
        if not keep and entry.released_at is None:
            if task.state not in ENDED:
                self._fetch(entry, task)
                self._provider.end("bid", task.identity)
            self._journal.released(entry.key, entry.number, self._now())
        return task.replace(state=end.state, reason=end.reason), end

    def _noted(self, entry: Entry) -> End | None:
        if entry.ended is None:
            return None
        return End(
            state=entry.ended, reason=None, exit_status=entry.exit_status if entry.exit_status is not None else 1
        )

    def _end(self, task: Task) -> End | None:
        if task.state in ENDED and task.exit_status is not None:
            return End(state=task.state, reason=task.reason, exit_status=task.exit_status)
        if task.state in ENDED:
            # The bid has gone before anybody saw the job's end: whoever ended it did not wait for it.
            return End(state=CANCELLED, reason=task.reason, exit_status=130)
        if task.state != RUNNING:
            return None
        return end_of(self._status(task, machine) for machine in task.machines)

    def _status(self, task: Task, machine: Machine) -> dict[str, Any] | None:
        return read_status(self._provider.read(task, machine, STATUS, offset=0))

    def _fetch(self, entry: Entry, task: Task) -> None:
        """The output of each machine, beside the journal. What cannot be had must not keep the bill running."""
        import os

        for number, machine in enumerate(task.machines):
            path = os.path.join(self._folder, entry.key, f"{entry.name}.{number}.log")
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            try:
                with open(path, "ab") as file:
                    while data := self._provider.read(task, machine, OUTPUT, offset=file.tell()):
                        file.write(data)
            except (ProviderError, OSError):
                continue
