"""The folder in which flowc keeps what it can make again. It is never needed: what is not there, damaged, of somebody
else or cannot be written is as if nothing had been kept."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def folder(environ: Mapping[str, str]) -> str | None:
    """`$XDG_CACHE_HOME/flowc`, by default `~/.cache/flowc`; it need not exist. None where nobody says which."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = environ.get("HOME", "")
        if not base.startswith("/"):
            return None
        base += "/.cache"
    return f"{base.rstrip('/')}/flowc"


def opened(path: str) -> tuple[int, int] | None:
    """A descriptor of a kept file and its size in bytes; None where there is none that nobody but us has written."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if found.st_uid == os.geteuid() and not found.st_mode & 0o022:
            return file, found.st_size
    except OSError:
        pass
    os.close(file)
    return None


def keep(path: str, data: bytes, *, most: int) -> None:
    """Puts a file into its place, whole or not at all, for us alone; of its kind (what stands before the last `-` of
    its name) the `most` newest stay."""
    above, _, name = path.rpartition("/")
    new = f"{path}.{os.getpid()}.new"
    try:
        if not os.path.isdir(above):
            # Nobody's home is made: one that is not there is not to be written to.
            if not os.path.isdir(os.path.dirname(above)):
                os.mkdir(os.path.dirname(above), 0o700)
            os.mkdir(above, 0o700)
        if os.stat(above).st_uid != os.geteuid():
            return
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        os.replace(new, path)
        _drop_oldest(above, name.rpartition("-")[0] + "-", most)
    except OSError:
        _drop(new)


def touch(path: str) -> None:
    """A file that was of use is none of the oldest."""
    try:
        os.utime(path)
    except OSError:
        return


def _drop_oldest(above: str, kind: str, most: int) -> None:
    with os.scandir(above) as entries:
        found = [
            (each.stat(follow_symlinks=False).st_mtime_ns, each.path) for each in entries if each.name.startswith(kind)
        ]
    for _, path in sorted(found)[:-most]:
        _drop(path)


def _drop(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
