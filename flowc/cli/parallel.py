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
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

_PROGRESS_AFTER_S = 1.0
_PROGRESS_EVERY_S = 0.1


def in_order(work: Callable[[str], Any], items: list[str]) -> Iterator[Any]:
    """`work` of each item, in their order. Its results must be plain values (numbers, text, tuples, lists,
    dicts).

    Process k of n takes every n-th item from the k-th on; one that is far ahead waits until its pipe is read.
    Raises RuntimeError when a process dies.
    """
    processes = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 64)
    sys.stdout.flush()
    sys.stderr.flush()
    workers = [_start(work, items[first::processes]) for first in range(processes)]
    progress = _Progress(len(items))
    try:
        for index in range(len(items)):
            try:
                outcome = marshal.load(workers[index % processes][1])
            except (EOFError, ValueError, TypeError) as error:
                raise RuntimeError(f"the process that checked `{items[index]}` died") from error
            progress.step(index + 1)
            yield outcome
    finally:
        progress.clear()
        for pid, pipe in workers:
            pipe.close()
            with suppress(OSError):
                os.kill(pid, 15)
        for pid, _ in workers:
            with suppress(OSError):
                os.waitpid(pid, 0)


def _start(work: Callable[[str], Any], items: list[str]) -> tuple[int, BinaryIO]:
    receive, send = os.pipe()
    pid = os.fork()
    if pid:
        os.close(send)
        return pid, os.fdopen(receive, "rb")
    try:
        os.close(receive)
        with os.fdopen(send, "wb") as pipe:
            for item in items:
                marshal.dump(work(item), pipe)
                pipe.flush()
        os._exit(0)
    finally:  # an exception, Ctrl-C or a parent that went away: the parent says what there is to say
        os._exit(1)


class _Progress:
    """A line on standard error that counts, on a terminal and only when it takes long."""

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
