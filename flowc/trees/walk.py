"""What is in a folder, or a file, of this computer that a machine is to have."""

from __future__ import annotations

import os
import stat

from flowc.digest import sha256_hex
from flowc.record import Record
from flowc.trees import ignored
from flowc.trees.excluded import excluded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# What fits over SSH in a time that anybody waits.
MOST_BYTES, MOST_FILES = 20 << 30, 500_000
# So many folders are named where there is too much.
MOST_NAMED = 3

# Path below the folder, mode, size in bytes, time of change in nanoseconds, and where a link leads. A folder has size
# and time 0; the path of a file that was named by itself is empty.
Entry = tuple[bytes, int, int, int, bytes]


class TreeError(Exception):
    """Why a folder cannot be sent. `help` is what would mend it."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class Tree(Record):
    """`source` is an absolute path, `entries` in the order of their paths: folders come before what is in them.
    `manifest` is the same as the receiver reads it. `single`: it is one file. `size`: of all files, in bytes. `odd`:
    paths of what is neither file, folder nor link, and left out; `leading`: of links that lead out of the folder."""

    source: bytes
    single: bool
    entries: tuple[Entry, ...]
    manifest: bytes
    size: int
    odd: tuple[bytes, ...] = ()
    leading: tuple[bytes, ...] = ()

    @property
    def files(self) -> int:
        """How many files there are."""
        return sum(stat.S_ISREG(entry[1]) for entry in self.entries)

    @property
    def digest(self) -> str:
        """Tells this tree from others, as far as names, sizes and times do."""
        return sha256_hex(self.manifest)


def scan(source: str, ignores: str | None = None) -> Tree:
    """What is in a folder but for what its ignore files leave out, and `.git` (unless a line `!.git` of its
    `.flowcignore` asks for it). `ignores`: where the folder has a file of that name, it holds as rsync reads it, and
    git's do not. Raises TreeError."""
    path = os.fsencode(os.path.abspath(os.path.expanduser(source)))
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            _readable(path, found)
            entry = (b"", found.st_mode, found.st_size, found.st_mtime_ns, b"")
            if found.st_size > MOST_BYTES:
                raise TreeError(
                    f"{source} is too large: {size_text(found.st_size)}, at most {size_text(MOST_BYTES)} are sent"
                )
            return Tree(source=path, single=True, entries=(entry,), manifest=_manifest((entry,)), size=found.st_size)
        if not stat.S_ISDIR(found.st_mode):
            raise TreeError(f"{source} is neither a file nor a folder")
        return _Walk(source, path, None if ignores is None else os.fsencode(ignores)).run()
    except OSError as error:
        name = os.fsdecode(error.filename) if error.filename not in (None, path) else source
        # No colon behind the name: it may be called `secret`, and what follows would be taken for one.
        raise TreeError(f"{name} cannot be read: {error.strerror}", _CURE if name != source else None) from None
    except ignored.NoGitError as error:
        raise TreeError(f"what is ignored in {source} is not known", str(error)) from None


def _manifest(entries: tuple[Entry, ...]) -> bytes:
    return b"".join([b"%o %d %d %s\0%s\0" % (mode, size, time, path, link) for path, mode, size, time, link in entries])


_CURE = "what the job does not need may be named in .flowcignore"


class _Walk:
    def __init__(self, source: str, path: bytes, ignores: bytes | None) -> None:
        self._source = source
        self._path = path
        self._ignores = ignores
        self._ignored: set[bytes] = set()
        self._entries: list[Entry] = []
        self._odd: list[bytes] = []
        self._leading: list[bytes] = []
        self._files = self._bytes = 0
        self._skipped = {b".git"}
        self._excluded: Callable[[bytes], bool] | None = None

    def run(self) -> Tree:
        if _asks_for_git(self._path):
            self._skipped = set()
        if self._ignores is not None and os.path.exists(self._path + b"/" + self._ignores):
            covered = True
            self._excluded = excluded(self._path, self._ignores)
        elif covered := not os.path.lexists(self._path + b"/.git") and ignored.is_inside(self._path):
            self._ignored |= ignored.of_repository(self._path)
        # Folders with whether git's own ignore files, and ours, have been read for them.
        todo = [(b"", covered, False)]
        while todo:
            todo += self._folder(*todo.pop())
        entries = tuple(sorted(self._entries))
        return Tree(
            source=self._path,
            single=False,
            entries=entries,
            manifest=_manifest(entries),
            size=self._bytes,
            odd=tuple(sorted(self._odd)),
            leading=tuple(sorted(self._leading)),
        )

    def _folder(self, below: bytes, by_git: bool, by_us: bool) -> list[tuple[bytes, bool, bool]]:
        folder = self._path + b"/" + below if below else self._path
        with os.scandir(folder) as listed:
            found = list(listed)
        names = {each.name for each in found}
        prefix = below + b"/" if below else b""
        if self._excluded is not None:
            pass  # git's hold nowhere in it
        elif b".git" in names:
            self._ignored |= {prefix + each for each in ignored.of_repository(folder)}
            by_git = True
        elif not by_git and ignored.GIT_IGNORES in names:
            self._ignored |= {prefix + each for each in ignored.of_files(folder, ignored.GIT_IGNORES)}
            by_git = True
        if not by_us and ignored.OWN_IGNORES in names:
            self._ignored |= {prefix + each for each in ignored.of_files(folder, ignored.OWN_IGNORES)}
            by_us = True
        more = []
        for each in found:
            path = prefix + each.name
            if each.name in self._skipped or path in self._ignored:
                continue
            try:
                status = each.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since it was listed
            mode = status.st_mode
            if self._excluded is not None and self._excluded(path + b"/" if stat.S_ISDIR(mode) else path):
                continue
            if stat.S_ISREG(mode):
                _readable(each.path, status)
                self._entries.append((path, mode, status.st_size, status.st_mtime_ns, b""))
                self._bytes += status.st_size
            elif stat.S_ISDIR(mode):
                self._entries.append((path, mode, 0, 0, b""))
                more.append((path, by_git, by_us))
            elif stat.S_ISLNK(mode):
                self._link(path, each.path, mode)
            else:
                self._odd.append(path)
        self._files += len(found)
        if self._bytes > MOST_BYTES or len(self._entries) > MOST_FILES:
            raise self._too_much()
        return more

    def _link(self, path: bytes, real: bytes, mode: int) -> None:
        target = os.readlink(real)
        self._entries.append((path, mode, 0, 0, target))
        inside = os.path.normpath(os.path.join(self._path, os.path.dirname(path), target))
        if target.startswith(b"/") or not (inside + b"/").startswith(self._path + b"/"):
            self._leading.append(path)

    def _too_much(self) -> TreeError:
        """The largest folders are named, as far as was looked."""
        by_size = self._bytes > MOST_BYTES
        sums: dict[bytes, int] = {}
        for path, mode, size, _, _ in self._entries:
            if not stat.S_ISDIR(mode):
                top = b"/".join(path.split(b"/")[:2][: max(1, path.count(b"/"))])
                sums[top] = sums.get(top, 0) + (size if by_size else 1)
        largest = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_NAMED]
        shown = ", ".join(
            f"{os.fsdecode(name)} ({size_text(amount) if by_size else f'{amount:,} files'})" for name, amount in largest
        )
        most = size_text(MOST_BYTES) if by_size else f"{MOST_FILES:,} files"
        return TreeError(
            f"there is too much in {self._source}: more than {most}; the largest: {shown}",
            f"{_CURE}; large data belong into a bucket or a volume",
        )


def _asks_for_git(folder: bytes) -> bool:
    try:
        with open(folder + b"/" + ignored.OWN_IGNORES, "rb") as file:
            return any(line.strip().rstrip(b"/") in (b"!.git", b"!/.git") for line in file)
    except OSError:
        return False


def _readable(path: bytes, status: os.stat_result) -> None:
    """Raises PermissionError for a file that cannot be read. Most are one's own, which their mode tells."""
    if not (status.st_uid == os.geteuid() and status.st_mode & 0o400) and not os.access(path, os.R_OK):
        raise PermissionError(13, os.strerror(13), path)


def size_text(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
