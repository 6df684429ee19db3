"""How far something is that takes long, and for how long nothing has come, on a line of standard error that is gone
afterwards."""

from __future__ import annotations

import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_AFTER_S, _EVERY_S = 1.0, 0.5
# So long nothing has come until that is said.
_QUIET_S = 5.0


class Line:
    """One on standard error that is taken away again."""

    def __init__(self) -> None:
        self._shown = False

    def show(self, text: str) -> None:
        """In the place of the one before."""
        self.clear()
        sys.stderr.write(text)
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


class Progress(Line):
    """`far` gives the bytes that have come, and those that there are. Nothing is shown where standard error is no
    terminal, or standard output is one too: there what comes shows itself, unless it comes `quiet`ly."""

    def __init__(self, far: Callable[[], tuple[int, int]], *, quiet: bool = False) -> None:
        super().__init__()
        self._far = far
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
            self.show(f"{size_text(done)} of {size_text(whole)}")


class Idle(Line):
    """While somebody stays with tasks of which nothing comes: for how long. Nothing is shown where
    standard error is no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._shows = sys.stderr.isatty()
        self._lock = threading.RLock()
        self._since = time.monotonic()
        # On the terminal stands a line without its end.
        self._half = False
        self._over = threading.Event()

    def __enter__(self) -> Idle:
        if self._shows:
            threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with self._lock:
            self.clear()

    def around(self, show: Callable[..., object]) -> Callable[..., None]:
        """The same, with the line out of its way."""

        def shows(*given: object) -> None:
            with self._lock:
                self.clear()
                self._since = time.monotonic()
                show(*given)
                if isinstance(given[0], bytes) and sys.stdout.isatty():
                    self._half = not given[0].endswith(b"\n")

        return shows

    def _run(self) -> None:
        while not self._over.wait(min(1.0, _QUIET_S)):
            quiet_s = int(time.monotonic() - self._since)
            with self._lock:
                if quiet_s < _QUIET_S or self._half or self._over.is_set():
                    continue
                try:
                    long = f"{quiet_s // 60} min {quiet_s % 60} s" if quiet_s >= 60 else f"{quiet_s} s"
                    self.show(f"nothing new for {long}")
                except OSError:  # the terminal is gone
                    return
