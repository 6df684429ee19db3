"""The folder in which flowc keeps what it can make again. It is never needed: what is not there, damaged, of somebody
else or cannot be written is as if nothing had been kept."""

import _imp
import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HASH = 8  # bytes before a value, which tell whether it is whole


def folder(environ: "Mapping[str, str]") -> str | None:
    """`$XDG_CACHE_HOME/flowc`, by default `~/.cache/flowc`; it need not exist. None where nobody says which."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = environ.get("HOME", "")
        if not base.startswith("/"):
            return None
        base += "/.cache"
    return f"{base.rstrip('/')}/flowc"


def stamps(names: tuple[str, ...]) -> list[tuple[int, int, int]]:
    """What tells these files of flowc's code from those that stood there before; nothing for one in an archive, of
    which its version is all that there is."""
    package, found = os.path.dirname(os.path.abspath(__file__)), []
    for name in names:
        try:
            now = os.stat(f"{package}/{name}")
        except OSError:
            continue
        found.append((now.st_size, now.st_mtime_ns, now.st_ctime_ns))
    return found


def opened(path: str) -> tuple[int, os.stat_result] | None:
    """A descriptor of a kept file and what is known of it; None where there is none that nobody but us has written."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if found.st_uid == os.geteuid() and found.st_mode & 0o170022 == 0o100000:  # a file, not a folder
            return file, found
    except OSError:
        pass
    os.close(file)
    return None


def keep(path: str, data: bytes, *, most: int, at: int | None = None) -> None:
    """Puts a file into its place, whole or not at all, for us alone; of its kind (what stands before the last `-` of
    its name) the `most` newest stay. `at`: the time of its last change (seconds since 1970) that it is given once all
    of it is on the disk; as long as it has that one, nobody has changed it."""
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
            if at is not None:
                os.fsync(file)
                os.utime(file, (at, at))
        finally:
            os.close(file)
        os.replace(new, path)
        _drop_oldest(above, name.rpartition("-")[0] + "-", most)
    except OSError:
        _drop(new)


def value(path: str, most_bytes: int) -> object | None:
    """What `keep_value` has put there; None where there is none, or the file is damaged."""
    found = opened(path)
    if found is None:
        return None
    with open(found[0], "rb", buffering=0) as file:
        try:
            data = file.read(most_bytes)
        except OSError:
            return None
    if _imp.source_hash(0, data[_HASH:]) != data[:_HASH]:
        return None
    try:
        kept: object = marshal.loads(data[_HASH:])
    except (ValueError, EOFError, TypeError):
        return None
    return kept


def keep_value(path: str, value: "Any", most_bytes: int, *, most: int) -> None:
    """Keeps a plain value as `keep` does, unless it takes more bytes. Raises ValueError for one that is not plain."""
    data = marshal.dumps(value)
    if len(data) <= most_bytes - _HASH:
        keep(path, _imp.source_hash(0, data) + data, most=most)


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
