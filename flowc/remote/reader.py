"""Reads a file that grows from where it was left, through its renaming, its truncation, and other machines.

This text is also run on machines, by whichever Python 3 is there: it uses nothing but its library.
`PATH STATUS PLACE IDENTITY KNOWN DIGEST MODE` are its words there (see `Reader`; STATUS is the path of a file whose
content is told whenever it is another one, or empty; MODE is `once` or `follow`). It writes frames, a line and the
bytes that the line counts: `from PLACE IDENTITY SIZE` before the first data of a file, `data BYTES`, `status BYTES`,
`beat` where there was nothing for a while, and `end` before its own end. It ends when its input does.
"""

from __future__ import annotations

import os
import select
import sys
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 1 << 18
# So many bytes before the place are compared, so that a file is not taken for another one.
MOST_KNOWN = 1024
POLL_S = 0.05
BEAT_S = 10.0


def digest_of(data: bytes) -> str:
    """Of bytes that were read last."""
    return f"{zlib.crc32(data):08x}"


class Reader:
    """`find` gives the path, `identify` what tells a file of it from another. `place` is where the file with that
    `identity` (empty: not known) was left, and `digest` is of the `known` bytes before it. Where there is another file
    now, or it is shorter, it is read from its beginning, and `begun` counts that."""

    def __init__(
        self,
        find: Callable[[], str],
        identify: Callable[[str], str],
        place: int = 0,
        identity: str = "",
        known: int = 0,
        digest: str = "",
    ) -> None:
        self.find, self.identify = find, identify
        self.place, self.identity = place, identity
        self.begun = 0
        self._known, self._digest = known, digest
        self._file: int | None = None

    def read(self) -> bytes:
        """The next bytes; empty where there are none now. Raises OSError for what is no file that can be read."""
        if self._file is None and not self._open():
            return b""
        assert self._file is not None
        data = os.read(self._file, PIECE)
        if not data and self._is_another():
            if not self._open():
                return b""
            data = os.read(self._file, PIECE)
        self.place += len(data)
        return data

    @property
    def size(self) -> int:
        """Bytes of the file; 0 where there is none."""
        return os.fstat(self._file).st_size if self._file is not None else 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _is_another(self) -> bool:
        assert self._file is not None
        try:
            there = os.stat(self.find())
        except OSError:
            return False  # it is being renamed, or its machine is made anew: what comes is seen then
        here = os.fstat(self._file)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) or here.st_size < self.place

    def _open(self) -> bool:
        self.close()
        path = self.find()
        try:
            self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except (FileNotFoundError, NotADirectoryError):
            return False
        identity = self.identify(path)
        if not self._goes_on(identity):
            if self.place:
                self.begun += 1
            self.place = 0
        self.identity, self._known = identity, 0
        os.lseek(self._file, self.place, os.SEEK_SET)
        return True

    def _goes_on(self, identity: str) -> bool:
        assert self._file is not None
        if self.identity not in ("", identity) or os.fstat(self._file).st_size < self.place:
            return False
        return not self._known or self._digest == digest_of(os.pread(self._file, self._known, self.place - self._known))


def identify(path: str) -> str:
    """By when it was made, where that is kept: another disk has files of the same numbers."""
    import subprocess

    try:
        words = ["stat", "-L", "-c", "%i/%.W", "--", path]
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode().strip()
    except OSError:
        return str(os.stat(path).st_ino)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def main(path: str, status: str, place: str, identity: str, known: str, digest: str, mode: str) -> None:
    """Until the input ends, or the file does where it is read once."""
    reader = Reader(lambda: path, identify, int(place), identity, int(known), digest)
    told: tuple[str, int] | None = None
    seen: tuple[int, int, int] | None = None
    beat = time.monotonic()
    while True:
        data = reader.read()
        if reader.identity and (reader.identity, reader.begun) != told:
            told = (reader.identity, reader.begun)
            _write(b"from %d %s %d\n" % (reader.place - len(data), reader.identity.encode(), reader.size))
        if data:
            _write(b"data %d\n" % len(data) + data)
            continue
        if mode == "once":
            break
        if status:
            seen = _tell_status(status, seen)
        if time.monotonic() - beat > BEAT_S:
            beat = time.monotonic()
            _write(b"beat\n")
        if select.select([0], [], [], POLL_S)[0] and not os.read(0, 4096):
            break
    _write(b"end\n")


def _tell_status(path: str, seen: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp == seen:
            return seen
        with open(path, "rb") as file:
            data = file.read(65536)
    except OSError:
        return seen
    _write(b"status %d\n" % len(data) + data)
    return stamp


if __name__ == "__main__":
    main(*sys.argv[1:])
