"""Spreads work over the cores, and gives the outcomes in the order of the work.

Plain `fork` and pipes: importing `multiprocessing` takes longer than checking a hundred jobs.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

_PROGRESS_AFTER_S = 1.0
_PROGRESS_EVERY_S = 0.1
# What a process is given before its answers are read: it never waits for the next item.
_AHEAD = 2
# Outcomes that may wait for one that takes long.
_MOST_WAITING = 400
_SIZE_BYTES = 8


def in_order(work: Callable[[str], Any], items: list[str]) -> Generator[Any, None, None]:
    """`work` of each item, in their order. Its results must be plain values (numbers, text, tuples, lists,
    dicts).

    Each process is given the next item when it is done with one, so that an item that takes long holds up no other;
    but none is begun that is far ahead of it. Raises RuntimeError when a process dies.
    """
    from select import select

    processes = min(cores(), len(items), 64)
    sys.stdout.flush()
    sys.stderr.flush()
    workers: list[_Worker] = []
    waiting: dict[int, Any] = {}
    given = 0
    try:
        for _ in range(processes):
            workers.append(_Worker(work, items, workers))
        for index in range(len(items)):
            while index not in waiting:
                for worker in workers:
                    if len(worker.todo) < _AHEAD and given < min(len(items), index + _MOST_WAITING):
                        worker.give(given)
                        given += 1
                ready, _, _ = select([each.answers for each in workers if each.todo], [], [])
                for worker in workers:
                    if worker.answers in ready:
                        number, outcome = worker.taken()
                        waiting[number] = outcome
            yield waiting.pop(index)
    finally:
        for worker in workers:
            worker.end()


def counted(outcomes: Generator[Any, None, None], total: int) -> Generator[Any, None, None]:
    """The same, with a line on standard error that counts them, on a terminal and only when it takes long; whatever is
    written between two of them finds it gone."""
    progress = Progress(total)
    try:
        for number, outcome in enumerate(outcomes, 1):
            progress.clear()
            yield outcome
            progress.step(number)
    finally:
        progress.clear()
        outcomes.close()


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A process that does what it is given, by its number. `todo`: what it was given and has not answered."""

    def __init__(self, work: Callable[[str], Any], items: list[str], others: list[_Worker]) -> None:
        self._items = items
        self.todo: list[int] = []
        asked, self._asks = os.pipe()
        self.answers, answered = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(asked)
            os.close(answered)
            return
        try:
            for mine in (self._asks, self.answers, *(pipe for each in others for pipe in (each._asks, each.answers))):
                os.close(mine)
            while len(number := os.read(asked, _SIZE_BYTES)) == _SIZE_BYTES:
                data = marshal.dumps(work(items[int.from_bytes(number, "little")]))
                rest = memoryview(len(data).to_bytes(_SIZE_BYTES, "little") + data)
                while rest:
                    rest = rest[os.write(answered, rest) :]
            os._exit(0)
        finally:  # an exception, Ctrl-C or a parent that went away: the parent says what there is to say
            os._exit(1)

    def give(self, number: int) -> None:
        self.todo.append(number)
        with suppress(OSError):  # one that died is noticed when its answer is due
            os.write(self._asks, number.to_bytes(_SIZE_BYTES, "little"))

    def taken(self) -> tuple[int, Any]:
        """The number of what it was given first, and what came of it."""
        number = self.todo.pop(0)
        try:
            return number, marshal.loads(self._read(int.from_bytes(self._read(_SIZE_BYTES), "little")))
        except (EOFError, ValueError, TypeError) as error:
            raise RuntimeError(f"the process that checked `{self._items[number]}` died") from error

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.answers, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        os.close(self._asks)
        os.close(self.answers)
        with suppress(OSError):
            os.kill(self._pid, 15)
        with suppress(OSError):
            os.waitpid(self._pid, 0)


class Progress:
    """The line of `counted`."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.shown = False
        self.next = time.monotonic() + _PROGRESS_AFTER_S if sys.stderr.isatty() else float("inf")

    def step(self, done: int) -> None:
        self.clear()
        if self.next <= time.monotonic() and done < self.total:
            self.next = time.monotonic() + _PROGRESS_EVERY_S
            sys.stderr.write(f"checked {done:,} of {self.total:,} files")
            sys.stderr.flush()
            self.shown = True

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.shown = False
