"""How far something is that takes long, on a line of standard error that is gone afterwards."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_AFTER_S, _EVERY_S = 1.0, 0.5


class Progress:
    """`far` gives the bytes that have come, and those that there are. Nothing is shown where standard error is no
    terminal, or standard output is one too: there what comes shows itself, unless it comes `quiet`ly."""

    def __init__(self, far: Callable[[], tuple[int, int]], *, quiet: bool = False) -> None:
        self._far = far
        self._shown = False
        shows = sys.stderr.isatty() and (quiet or not sys.stdout.isatty())
        self._next = time.monotonic() + _AFTER_S if shows else float("inf")

    def step(self) -> None:
        """Something has come."""
        from flowc.trees.walk import size_text

        if self._next > time.monotonic():
            return
        self._next = time.monotonic() + _EVERY_S
        self.clear()
        done, whole = self._far()
        if done < whole:
            sys.stderr.write(f"{size_text(done)} of {size_text(whole)}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
