"""How fast we call: at most 100 requests a minute by all processes of one user, which a small file counts.

The API publishes no limit; the ones who ordered flowc name this one. Where the file cannot be had, each process counts
for itself.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PER_MINUTE = 100
# So many may go at once after a quiet minute; the rest is spread.
BURST = 50


class Pace:
    """A token bucket. `path` is its file (None: this process alone), `now` gives seconds since the epoch."""

    def __init__(self, path: str | None, *, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._path = path
        self._now = now
        self._sleep = sleep
        self._own = (float(BURST), 0.0)

    def wait(self) -> None:
        """Take one token; waits until there is one."""
        pause = self._take()
        if pause > 0:
            self._sleep(pause)

    def _take(self) -> float:
        """Seconds until the token that was taken is there: tokens may be owed, so that who comes later waits longer."""
        if self._path is None:
            self._own, pause = self._step(*self._own)
            return pause
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            self._path = None
            return self._take()
        try:
            _lock(descriptor)
            words = os.read(descriptor, 200).split()
            try:
                tokens, then = float(words[0]), float(words[1])
            except (IndexError, ValueError):
                tokens, then = float(BURST), 0.0
            (tokens, then), pause = self._step(tokens, then)
            os.pwrite(descriptor, f"{tokens:20.6f} {then:20.6f}\n".encode(), 0)
            return pause
        except OSError:  # a disk that is full
            self._path = None
            return self._take()
        finally:
            os.close(descriptor)

    def _step(self, tokens: float, then: float) -> tuple[tuple[float, float], float]:
        now = self._now()
        # A clock that was set back, or a file from the future, gives nothing and takes nothing.
        tokens = min(BURST, tokens + max(0.0, min(now - then, 60.0)) * PER_MINUTE / 60)
        tokens = max(tokens, -float(PER_MINUTE)) - 1
        return (tokens, now), max(0.0, -tokens * 60 / PER_MINUTE)


def _lock(descriptor: int) -> None:
    """Other processes wait until this descriptor is closed."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system: the count may be a little off
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
