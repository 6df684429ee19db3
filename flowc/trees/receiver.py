"""Runs on the machine, by its python3 and from its text alone: takes a tree and puts it where it belongs.

    plan PLACE MARKER READY [OWNER]    its input is a manifest; says `not yet`, `done`, or what it lacks: lines
                                       `INDEX OFFSET`
    put PLACE MARKER READY [OWNER]     its input are these files; says `done` when all is there, and the marker says so

OWNER is `UID` or `UID:GID`, to whom all of it belongs then, root without one. READY is a file that the job makes when
it waits: paths that are the job's own stand in it, and its time of change says when something last arrived.
"""

from __future__ import annotations

import gc
import os
import stat
import struct
import sys
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from io import BufferedReader

    Entry = tuple[bytes, int, int, int, bytes]

# Index, offset, mode, size and time of change of a file; pieces of it follow, each behind its size, and a verdict.
FRAME = struct.Struct(">IQIQq")
PIECE = struct.Struct(">I")
LAST = 0xFFFFFFFF
KEPT, AGAIN, GONE = b"k", b"a", b"g"
# From so many bytes on a file that was cut off is continued.
LARGE = 4 << 20
PART = b".flowc-part"


class BrokenError(Exception):
    """What comes is no tree, or ends before its end."""


def entries(manifest: bytes) -> list[Entry]:
    """The entries of a manifest: path, mode, size, time, link."""
    found = []
    words = manifest.split(b"\0")
    for head, link in zip(words[0:-1:2], words[1::2]):  # noqa: B905 - not known to old interpreters
        mode, size, moment, path = head.split(b" ", 3)
        found.append((path, int(mode, 8), int(size), int(moment), link))
    return found


def lacking(
    place: bytes,
    listed: Sequence[Entry],
    kept: Collection[bytes] = frozenset(),
    part: tuple[bytes, int, int] | None = None,
) -> list[tuple[int, int]]:
    """Make the folders and links of a tree; which of its files are not there as they are to be: (index, offset).
    `kept` are absolute paths that stay as they are; `part`: path, size and time of a file of which there is a part."""
    wanted = []
    for index, (path, mode, size, moment, link) in enumerate(listed):
        real = place + b"/" + path if path else place
        try:
            there = os.lstat(real)
        except OSError:
            there = None
        if real in kept:
            continue
        if stat.S_ISDIR(mode):
            if there is None or not stat.S_ISDIR(there.st_mode):
                if there is not None:
                    os.unlink(real)
                os.mkdir(real)
            # Its own mode comes last: it may be one that takes no more files.
        elif stat.S_ISLNK(mode):
            if there is not None and stat.S_ISLNK(there.st_mode) and os.readlink(real) == link:
                continue
            if there is not None:
                remove(real, there)
            os.symlink(link, real)
        elif there is None or not stat.S_ISREG(there.st_mode) or (there.st_size, there.st_mtime_ns) != (size, moment):
            offset = 0
            if part == (path, size, moment):
                try:
                    offset = min(size, os.lstat(part_of(place, path)).st_size)
                except OSError:
                    offset = 0
            wanted.append((index, offset))
        elif stat.S_IMODE(there.st_mode) != file_mode(mode):
            os.chmod(real, file_mode(mode))
    return wanted


def forget(place: bytes, before: Sequence[Entry], listed: Sequence[Entry], kept: Collection[bytes]) -> None:
    """Remove what an earlier attempt, that was cut off, has brought and is not to be there any more."""
    wanted = {path for path, _, _, _, _ in listed}
    for path, mode, size, moment, link in reversed(before):
        real = place + b"/" + path if path else place
        if path in wanted or real in kept:
            continue
        try:
            there = os.lstat(real)
            if stat.S_ISDIR(there.st_mode):
                os.rmdir(real)
                continue
            same = (there.st_size, there.st_mtime_ns) == (size, moment)
            if os.readlink(real) == link if stat.S_ISLNK(mode) else stat.S_ISREG(there.st_mode) and same:
                os.unlink(real)
        except OSError:
            continue  # it is not there, or something else is in it


def file_mode(mode: int) -> int:
    """No more rights than rights are; the owner may read."""
    return stat.S_IMODE(mode) & 0o777 | 0o400


def part_of(place: bytes, path: bytes) -> bytes:
    """Where a file is written before it is whole: one at a time."""
    return place + b"/" + PART if path else place + PART


def remove(real: bytes, there: os.stat_result) -> None:
    """Out of the way with it; not with a folder that something is in: that may be results."""
    if stat.S_ISDIR(there.st_mode):
        os.rmdir(real)
    else:
        os.unlink(real)


def settle(place: bytes, path: bytes, mode: int, moment: int) -> None:
    """A file that is whole takes its place."""
    part, real = part_of(place, path), place + b"/" + path if path else place
    os.chmod(part, file_mode(mode))
    os.utime(part, ns=(moment, moment))
    try:
        os.rename(part, real)
    except IsADirectoryError:
        remove(real, os.lstat(real))
        os.rename(part, real)


def finish(
    place: bytes, listed: Sequence[Entry], kept: Collection[bytes], marker: bytes, owner: tuple[int, int] | None
) -> None:
    """All is there: it gets its owner, the folders get their modes, the marker says so."""
    if owner is not None:
        for path, _, _, _, _ in listed:
            real = place + b"/" + path if path else place
            if real not in kept and os.path.lexists(real):
                os.lchown(real, *owner)
        if not (len(listed) == 1 and not listed[0][0]):  # a folder, which is none of them
            os.lchown(place, *owner)
    for path, mode, _, _, _ in reversed(listed):
        if stat.S_ISDIR(mode):
            wanted, real = stat.S_IMODE(mode) & 0o777 | 0o700, place + b"/" + path
            if stat.S_IMODE(os.lstat(real).st_mode) != wanted:
                os.chmod(real, wanted)
    # What an earlier attempt has left. The plan goes last: it says that there was one.
    for left in (part_of(place, listed[0][0] if listed else b"."), marker + b".part", marker + b".plan"):
        if os.path.lexists(left):
            os.unlink(left)
    write(marker, b"")


def write(path: bytes, data: bytes) -> None:
    """Write a file as a whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + b".new", "wb") as file:
        file.write(data)
    os.rename(path + b".new", path)


def read(path: bytes) -> bytes:
    """A file, empty where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def make_place(place: bytes, listed: Sequence[Entry]) -> None:
    """The folders above a tree, and the tree's own."""
    single = len(listed) == 1 and not listed[0][0]
    os.makedirs(os.path.dirname(place) if single else place, exist_ok=True)


class Stream:
    """What comes on standard input, unpacked; READY's time says that it comes."""

    def __init__(self, source: BufferedReader, ready: bytes) -> None:
        self.source, self.ready = source, ready
        self.unpacker = zlib.decompressobj()
        self.buffer = b""
        self.told = 0.0

    def take(self, count: int) -> bytes:
        """So many bytes. Raises BrokenError where they do not come."""
        while len(self.buffer) < count:
            data = self.source.read1(1 << 18)
            if not data:
                raise BrokenError("the connection was cut")
            if time.monotonic() - self.told > 1:
                self.told = time.monotonic()
                os.utime(self.ready)
            self.buffer += self.unpacker.decompress(data)
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found


def plan(
    place: bytes, marker: bytes, ready: bytes, owner: tuple[int, int] | None, source: BufferedReader
) -> list[bytes]:
    """Say what is lacking."""
    manifest = zlib.decompress(source.read())
    if not os.path.exists(ready):
        return [b"not yet"]
    os.utime(ready)
    listed = entries(manifest)
    make_place(place, listed)
    kept = frozenset(read(ready).split(b"\0"))
    forget(place, entries(read(marker + b".plan")), listed, kept)
    write(marker + b".plan", manifest)
    state = read(marker + b".part").split(b"\0")
    part = (state[2], int(state[0]), int(state[1])) if len(state) == 3 else None
    wanted = lacking(place, listed, kept, part)
    if not wanted:
        finish(place, listed, kept, marker, owner)
        return [b"done"]
    return [b"%d %d" % pair for pair in wanted]


def put(
    place: bytes, marker: bytes, ready: bytes, owner: tuple[int, int] | None, source: BufferedReader
) -> list[bytes]:
    """Take files until the last one."""
    listed = entries(read(marker + b".plan"))
    stream = Stream(source, ready)
    while True:
        index, offset, mode, size, moment = FRAME.unpack(stream.take(FRAME.size))
        if index == LAST:
            break
        path = listed[index][0]
        part = part_of(place, path)
        if size >= LARGE:
            write(marker + b".part", b"%d\0%d\0%s" % (size, moment, path))
        with open(part, "ab" if offset else "wb") as file:
            if offset:
                file.truncate(offset)
            while True:
                (count,) = PIECE.unpack(stream.take(PIECE.size))
                if not count:
                    break
                file.write(stream.take(count))
        if stream.take(1) == KEPT:
            settle(place, path, mode, moment)
        else:
            os.unlink(part)
    os.sync()  # before the marker: it must not outlive a power cut alone
    finish(place, listed, frozenset(read(ready).split(b"\0")), marker, owner)
    return [b"done"]


def owner_of(text: str) -> tuple[int, int]:
    """User and group of `UID` or `UID:GID`; -1 leaves the group as it is."""
    user, _, group = text.partition(":")
    return int(user), int(group or -1)


def main(words: list[str]) -> int:
    """The exit status."""
    os.umask(0o022)
    gc.disable()  # many entries, and nothing that refers to itself
    place, marker, ready = map(os.fsencode, words[1:4])
    owner = owner_of(words[4]) if words[4:] else None
    source: BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
    try:
        said = (plan if words[0] == "plan" else put)(place, marker, ready, owner, source)
    except (BrokenError, OSError) as error:
        sys.stderr.write(f"flowc: {error}\n")
        return 1
    sys.stdout.buffer.write(b"".join(line + b"\n" for line in said))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
