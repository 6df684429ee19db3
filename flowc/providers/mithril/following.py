"""A file of a machine as it grows, brought over SSH by a thread of its own."""

from __future__ import annotations

import os
import threading
import time

from flowc.providers.errors import UnavailableError
from flowc.remote.ssh import UnreachableError
from flowc.remote.tail import Tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.remote.link import Link
    from flowc.remote.tail import Mark

# Between attempts at a machine that cannot be reached. So many fail with nothing brought before that is told.
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
ATTEMPTS = 3


class Following:
    """See `flowc.providers.base.Following`."""

    def __init__(self, link: Link, tail: Tail) -> None:
        self._link = link
        self._tail = tail
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._until, self._stopper = -1, -1
        self._trouble: str | None = None

    @property
    def mark(self) -> Mark:
        """See the protocol."""
        return self._tail.mark

    def more(self) -> None:
        """See the protocol."""
        if self._thread is None:
            self._until, self._stopper = os.pipe()
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise UnavailableError(trouble)

    def rest(self) -> None:
        """See the protocol."""
        self.stop()
        failed = 0
        while True:
            before = self._tail.mark
            try:
                self._tail.run(self._link, until=None)
                return
            except UnreachableError as error:
                failed = 0 if self._tail.mark != before else failed + 1
                if failed == ATTEMPTS:
                    raise UnavailableError(str(error)) from None
                time.sleep(PAUSES_S[failed])

    def stop(self) -> None:
        """See the protocol."""
        if self._thread is None:
            return
        self._stopped.set()
        self._close_stopper()
        self._thread.join(2)
        if self._thread.is_alive():
            # The machine does not answer any more.
            self._link.close()
            self._thread.join()
        self._thread = None
        until, self._until = self._until, -1
        os.close(until)
        self._stopped.clear()

    def _close_stopper(self) -> None:
        """Once, though Ctrl-C may have this stopped twice: the number may be another file's by then."""
        stopper, self._stopper = self._stopper, -1
        if stopper >= 0:
            os.close(stopper)

    def _run(self) -> None:
        failed = 0
        while not self._stopped.is_set():
            before = self._tail.mark
            try:
                self._tail.run(self._link, until=self._until)
            except UnreachableError as error:
                failed = 0 if self._tail.mark != before else failed + 1
                if failed >= ATTEMPTS:
                    self._trouble = str(error)
                self._stopped.wait(PAUSES_S[min(failed, len(PAUSES_S) - 1)])
