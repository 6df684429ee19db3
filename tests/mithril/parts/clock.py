"""A clock that a test turns by hand: nothing happens between two turns, and a turn does all that falls due."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """The provider's time. `lock` is held while anything falls due; requests hold it too."""

    def __init__(self, lock: threading.RLock) -> None:
        self.now = START
        self.lock = lock
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Has `action` called when the clock has moved on by `seconds`."""
        heapq.heappush(self._due, (self.now + timedelta(seconds=seconds), next(self._order), action))

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Turns the clock on; what falls due on the way happens in its order and at its time."""
        with self.lock:
            until = self.now + timedelta(hours=hours, minutes=minutes, seconds=seconds)
            if until < self.now:
                raise ValueError("this clock does not go back")
            while self._due and self._due[0][0] <= until:
                self.now, _, action = heapq.heappop(self._due)
                action()
            self.now = until

    def run(self, speed: float, stopped: threading.Event, tick: float = 0.05) -> threading.Thread:
        """Has the clock go by itself, `speed` times as fast as the real one, until `stopped` is set."""

        def turn() -> None:
            while not stopped.wait(tick):
                self.advance(seconds=tick * speed)

        thread = threading.Thread(target=turn, daemon=True)
        thread.start()
        return thread
