"""A file of a local machine as it grows."""

from __future__ import annotations

import os

from flowc.providers.errors import UnavailableError
from flowc.remote.reader import Reader
from flowc.remote.tail import Mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Following:
    """See `flowc.providers.base.Following`. `find` gives the path of the file on this computer."""

    def __init__(self, find: Callable[[], str], take: Callable[[bytes, bool], object], mark: Mark | None) -> None:
        mark = mark or Mark()
        self._reader = Reader(find, lambda path: str(os.stat(path).st_ino), mark.place, mark.identity)
        self._take = take

    @property
    def mark(self) -> Mark:
        """See the protocol."""
        return Mark(place=self._reader.place, identity=self._reader.identity, size=self._reader.size)

    def more(self) -> None:
        """See the protocol."""
        begun = self._reader.begun
        try:
            while data := self._reader.read():
                self._take(data, self._reader.begun != begun)
                begun = self._reader.begun
        except OSError as error:
            raise UnavailableError(f"{error.filename}: {error.strerror}") from None

    def rest(self) -> None:
        """See the protocol."""
        self.more()
        self.stop()

    def stop(self) -> None:
        """See the protocol."""
        self._reader.close()
