"""Who watches: one process of a user at most, known by a lock that is free as soon as it is gone; and what it has seen
of jobs, for the next one."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress

from flowc.submit.journal import JournalError
from flowc.submit.overdue import Seen
from flowc.submit.store.holds import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOCK, _SEEN = "watch.lock", "watch.json"


@contextmanager
def alone(folder: str) -> Iterator[bool]:
    """Whether nobody else watches; then nobody else does as long as this lasts. Raises JournalError where there is no
    room for as much."""
    import fcntl

    try:
        make_folder(folder)
        descriptor = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(
            f"{folder} cannot be written: {error.strerror}", "free space, or set XDG_STATE_HOME"
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        with suppress(OSError):  # on a disk that is full nobody hears which process it is
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield True
    finally:
        os.close(descriptor)


def watcher(folder: str) -> int | None:
    """The process that watches, None where none does."""
    import fcntl

    try:
        descriptor = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 20)
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


def load(folder: str) -> dict[str, Seen]:
    """What was seen of jobs, by the names of their bids; nothing where that is lost."""
    try:
        with open(os.path.join(folder, _SEEN), encoding="utf-8") as file:
            return {name: Seen(used_s=used_s, at=at) for name, (used_s, at) in json.load(file).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save(folder: str, seen: Mapping[str, Seen]) -> None:
    """Replace what `load` gives. Raises OSError."""
    path = os.path.join(folder, _SEEN)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump({name: (each.used_s, each.at) for name, each in seen.items()}, file)
    os.replace(f"{path}.new", path)
