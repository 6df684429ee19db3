"""Follows a file of a machine over its connection, and goes on where it was left, whatever is cut on the way."""

from __future__ import annotations

import os
import pkgutil

from flowc.record import Record
from flowc.remote.reader import MOST_KNOWN, digest_of
from flowc.remote.ssh import UnreachableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.remote.link import Link

    # Gets bytes, and whether they are the first of a file after those of another one.
    Take = Callable[[bytes, bool], object]

_SCRIPT = 'command -v python3 >/dev/null || exit 45; exec python3 -S -c "$@"'
_NO_PYTHON = 45
# Who reads there says something at least every 10 seconds (`reader.BEAT_S`).
SILENCE_S = 45.0


class Mark(Record):
    """Where a file was left: after `place` bytes of the file that is `identity`; `last` are some bytes before that
    place. `size` is what the file had when that was last seen."""

    place: int = 0
    identity: str = ""
    last: bytes = b""
    size: int = 0


class Tail:
    """A file of a machine from `mark` on. `take` gets what it has; `tell` gets the content of the file `status`
    whenever it is another one."""

    def __init__(
        self, path: str, take: Take, *, mark: Mark, status: str = "", tell: Callable[[bytes], object] | None = None
    ) -> None:
        self.mark = mark
        self._path = path
        self._take = take
        self._status = status
        self._tell = tell
        self._buffer = b""
        self._wanted = 0
        self._anew = False
        self._kind = b""
        self._ended = False

    def run(self, link: Link, *, until: int | None) -> None:
        """Until the file that is open as `until` ends, such as a pipe; None: until the end of the file itself. Raises
        UnreachableError where the connection is cut: then it can be run again, on another machine too. Raises what
        `take` and `tell` raise."""
        text = pkgutil.get_data("flowc.remote", "reader.py")
        assert text is not None
        known = self.mark.last[-MOST_KNOWN:]
        words = (
            text.decode(),
            self._path,
            self._status,
            str(self.mark.place),
            self.mark.identity,
            str(len(known)),
            digest_of(known),
            "once" if until is None else "follow",
        )
        self._buffer, self._wanted, self._ended = b"", 0, False
        with open(os.devnull if until is None else os.dup(until), "rb", buffering=0) as given:
            ran = link.run(_SCRIPT, *words, given=given, take=self._feed, silence=SILENCE_S)
        if ran.status == _NO_PYTHON:
            raise UnreachableError(f"{link.place.host} has no python3, by which output is brought")
        if not self._ended:
            why = (ran.said.strip().splitlines() or ["it was cut short"])[-1]
            raise UnreachableError(f"{link.place.host}: {self._path}: {why[:200]}")

    def _feed(self, data: bytes) -> None:
        self._buffer += data
        while True:
            if self._wanted:
                # What is there of data is handed on; a status is wanted as a whole.
                if not self._buffer or (self._kind == b"status" and len(self._buffer) < self._wanted):
                    return
                piece, self._buffer = self._buffer[: self._wanted], self._buffer[self._wanted :]
                self._wanted -= len(piece)
                if self._kind == b"status":
                    if self._tell is not None:
                        self._tell(piece)
                else:
                    self._got(piece)
                continue
            line, newline, rest = self._buffer.partition(b"\n")
            if not newline:
                return
            self._buffer = rest
            self._kind, *values = line.split(b" ")
            if self._kind in (b"data", b"status"):
                self._wanted = int(values[0])
            elif self._kind == b"from":
                place, identity, size = int(values[0]), values[1].decode(), int(values[2])
                self._anew = bool(self.mark.place) and place == 0
                last = b"" if place == 0 else self.mark.last
                self.mark = Mark(place=place, identity=identity, last=last, size=size)
            elif self._kind == b"end":
                self._ended = True

    def _got(self, piece: bytes) -> None:
        self._take(piece, self._anew)
        self._anew = False
        place = self.mark.place + len(piece)
        last = (self.mark.last + piece)[-MOST_KNOWN:] if len(piece) < MOST_KNOWN else piece[-MOST_KNOWN:]
        self.mark = self.mark.replace(place=place, last=last, size=max(self.mark.size, place))
