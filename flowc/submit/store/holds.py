"""Files that hold up against others and against a power cut: folders that are there for good, locks between processes
that are free as soon as their process is gone."""

from __future__ import annotations

import os
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def make_folder(path: str) -> None:
    """A folder of this user alone, with those above it: there after a power cut too. Raises OSError."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        os.makedirs(each, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.dirname(each), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def held(path: str) -> Iterator[None]:
    """Holds what the file `path` stands for; waits for another process that does. The file is made, and removed at the
    end. Raises OSError."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor)
            # Who had it before has removed the file in between: what was locked then is nobody's.
            if os.fstat(descriptor).st_nlink:
                break
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield
    finally:
        os.unlink(path)
        os.close(descriptor)


@contextmanager
def one_at_a_time(folder: str) -> Iterator[None]:
    """Waits until no other process is within this, for the same folder. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
