"""Sends a tree to a machine, or copies it to a disk of this computer: only what is not there yet."""

from __future__ import annotations

import os
import stat
import zlib

from flowc.record import Record
from flowc.trees import receiver
from flowc.trees.walk import TreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from flowc.trees.walk import Tree

    class Answer(Protocol):
        """How a command on a machine ended: its exit status, its output, and what it said in its errors."""

        @property
        def status(self) -> int: ...
        @property
        def output(self) -> bytes: ...
        @property
        def said(self) -> str: ...


# What the machine's script makes when it waits (templates/storage.sh.j2).
READY = "/run/flowc.trees"
PIECE = 1 << 18
# A file that changes while it is read is read again, so often.
ATTEMPTS = 3
# Runs the receiver, whose text is its first word: no secret is in it. It needs none of that machine's packages.
SCRIPT = 'c=$1; shift; exec python3 -IS -c "$c" "$@"'


class Sent(Record):
    """What was sent: how many files `of` all, and `size` bytes of them; `gone` are those that vanished meanwhile,
    `torn` those that never stood still, by their paths."""

    of: int
    files: int = 0
    size: int = 0
    gone: tuple[bytes, ...] = ()
    torn: tuple[bytes, ...] = ()


def receiver_text() -> str:
    """The receiver as the machine's python3 takes it."""
    with open(receiver.__file__, encoding="utf-8") as file:
        return file.read()


def send(
    look: Callable[[], Tree],
    place: str,
    marker: str,
    run: Callable[..., Answer],
    *,
    owner: str | None = None,
    progress: Callable[[int, int], object] = lambda done, whole: None,
) -> Sent | None:
    """Bring a tree to `place` of the machine on which `run` runs scripts: see `Provider.run`. `owner` is `UID` or
    `UID:GID`, to whom it belongs there, None: root. `look` says what is in
    the tree, while the connection is made. None where its job does not wait for it yet. `progress` hears of the bytes
    that were sent, and of all that are to be. Raises TreeError for what the machine cannot take, and what `run` and
    `look` raise; what is there already is not sent again then."""
    words = (SCRIPT, receiver_text())
    where = (place, marker, READY) if owner is None else (place, marker, READY, owner)
    trees: list[Tree] = []

    def manifest() -> Iterator[bytes]:
        trees.append(look())
        yield zlib.compress(trees[0].manifest, 1)

    answer = run(*words, "plan", *where, given=manifest())
    _check(answer)
    lines = answer.output.split(b"\n")[:-1]
    if lines == [b"not yet"]:
        return None
    if lines == [b"done"]:
        return Sent(of=trees[0].files)
    wanted = [(int(index), int(offset)) for index, offset in (line.split() for line in lines)]
    source = _Files(trees[0], wanted, progress)
    answer = run(*words, "put", *where, given=source.stream())
    _check(answer)
    return source.sent()


def _check(answer: Answer) -> None:
    if answer.status:
        ended = f"killed there by signal {answer.status - 128}" if answer.status > 128 else f"status {answer.status}"
        said = [line for line in answer.said.strip().splitlines() if line] or [f"who takes it has ended: {ended}"]
        raise TreeError(said[-1].removeprefix("flowc: "))


def copy(tree: Tree, place: str) -> None:
    """The same on this computer, to a place that nobody waits for. Raises OSError."""
    target = os.fsencode(place)
    receiver.make_place(target, tree.entries)
    for index, _ in receiver.lacking(target, tree.entries):
        path, mode, _, _, _ = tree.entries[index]
        try:
            with open(_real(tree, path), "rb") as file, open(receiver.part_of(target, path), "wb") as part:
                status = os.fstat(file.fileno())
                _copy(file.fileno(), part.fileno())
        except FileNotFoundError:
            continue  # gone since it was listed
        receiver.settle(target, path, mode, status.st_mtime_ns)
    for path, mode, _, _, _ in reversed(tree.entries):
        if stat.S_ISDIR(mode):
            os.chmod(target + b"/" + path, stat.S_IMODE(mode) & 0o777 | 0o700)


def _copy(source: int, target: int) -> None:
    while os.copy_file_range(source, target, 1 << 30):
        pass


def _real(tree: Tree, path: bytes) -> bytes:
    return tree.source + b"/" + path if path else tree.source


class _Files:
    """What is sent of a tree, as the receiver takes it."""

    def __init__(self, tree: Tree, wanted: list[tuple[int, int]], progress: Callable[[int, int], object]) -> None:
        self._tree = tree
        self._wanted = wanted
        self._progress = progress
        self._whole = sum(tree.entries[index][2] - offset for index, offset in wanted)
        self._files = self._bytes = 0
        self._gone: list[bytes] = []
        self._torn: list[bytes] = []

    def sent(self) -> Sent:
        return Sent(
            of=self._tree.files,
            files=self._files,
            size=self._bytes,
            gone=tuple(self._gone),
            torn=tuple(self._torn),
        )

    def stream(self) -> Iterator[bytes]:
        packer = zlib.compressobj(1)
        for index, offset in self._wanted:
            for piece in self._file(index, offset):
                packed = packer.compress(piece)
                if packed:
                    yield packed
        yield packer.compress(receiver.FRAME.pack(receiver.LAST, 0, 0, 0, 0)) + packer.flush()

    def _file(self, index: int, offset: int) -> Iterator[bytes]:
        path, _, size, moment, _ = self._tree.entries[index]
        for attempt in range(ATTEMPTS):
            try:
                file = open(_real(self._tree, path), "rb")  # noqa: SIM115 - it may be gone
            except OSError:
                self._gone.append(path)
                return
            with file:
                before = os.fstat(file.fileno())
                if (before.st_size, before.st_mtime_ns) != (size, moment):
                    offset = 0  # the part that is there is of another one
                yield receiver.FRAME.pack(index, offset, before.st_mode, before.st_size, before.st_mtime_ns)
                file.seek(offset)
                left = before.st_size - offset
                while left and (data := file.read(min(PIECE, left))):
                    left -= len(data)
                    self._bytes += len(data)
                    yield receiver.PIECE.pack(len(data))
                    yield data
                    self._progress(self._bytes, self._whole)
                yield receiver.PIECE.pack(0)
                after = os.fstat(file.fileno())
            still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
            if still or attempt == ATTEMPTS - 1:
                if not still:
                    self._torn.append(path)
                self._files += 1
                yield receiver.KEPT
                return
            yield receiver.AGAIN
            offset = 0
