"""What is kept here of jobs that have ended, output and results: how much it is, and its end. It goes when somebody
says so, and never by itself: of machines that are gone there is no other copy."""

from __future__ import annotations

import os
from contextlib import suppress

from flowc.record import Record
from flowc.tasks.looking import output_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.submit.journal import Bid
    from flowc.tasks.world import World


class Kept(Record):
    """The files that are kept of a bid: their size in bytes, and when the last of them came, in seconds since the
    epoch."""

    bid: Bid
    paths: tuple[str, ...]
    size: int
    at: float


def kept_of(world: World, bids: Iterable[Bid]) -> list[Kept]:
    """Of those of these bids of which there is something. Raises JournalError without a home."""
    found = []
    folder = output_folder(world)
    listed: dict[str, list[os.DirEntry[str]]] = {}
    for bid in bids:
        if bid.key not in listed:
            listed[bid.key] = []
            with suppress(OSError):
                listed[bid.key] = list(os.scandir(os.path.join(folder, bid.key)))
        files = [each for each in listed[bid.key] if each.name.startswith(f"{bid.name}.") and each.is_file()]
        if files:
            states = [each.stat(follow_symlinks=False) for each in files]
            size, at = sum(each.st_size for each in states), max(each.st_mtime for each in states)
            found.append(Kept(bid=bid, paths=tuple(each.path for each in files), size=size, at=at))
    return found


def remove(kept: Iterable[Kept]) -> int:
    """The bytes that are free then. Raises OSError."""
    freed = 0
    for each in kept:
        for path in each.paths:
            with suppress(FileNotFoundError):  # another one was faster
                os.unlink(path)
        with suppress(OSError):  # others of its submission are there
            os.rmdir(os.path.dirname(each.paths[0]))
        freed += each.size
    return freed
