"""What there is of a submission that was cut short, how it goes on, and how it ends: in sentences."""

from __future__ import annotations

from flowc.cli.tasks.guard import how_on
from flowc.cli.tasks.world import tell
from flowc.listing import some_of
from flowc.submit.journal import MADE, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.submit.journal import Journal

# So many names are told.
MOST = 8


class Standing:
    """Which submission a command is at: `key` is None before there is one, and where whoever has it now tells of it."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self._key: str | None = None
        self._quiet = False

    def at(self, journal: Journal, key: str) -> None:
        """This one is begun or carried out from here on."""
        self._journal, self._key, self._quiet = journal, key, False

    def quiet(self) -> None:
        """What comes now says itself how it stands."""
        self._quiet = True

    def tell_interrupted(self) -> None:
        """After Ctrl-C, or a signal that asks for the end. Raises JournalError."""
        if self._quiet:
            return
        if self._journal is None or self._key is None or self._journal.submission(self._key) is None:
            tell("interrupted: nothing was submitted")
            return
        tell(f"interrupted: {what_stands(self._journal, self._key)}")
        tell(f"  help: {how_on(self._key)}")

    def tell_unseen(self) -> None:
        """After what was to be shown could not be. Raises JournalError."""
        if self._quiet or self._journal is None or self._key is None or self._journal.submission(self._key) is None:
            return
        tell(f"this could not be shown: {what_stands(self._journal, self._key)}")
        tell(f"  help: {how_on(self._key)}")


def what_stands(journal: Journal, key: str) -> str:
    """What is there of a submission, and what may be. Raises JournalError."""
    bids = journal.bids(key=key)
    volumes = [entry for entry in journal.entries(key) if entry.kind == "volume"]
    placed = [bid.name for bid in bids if bid.state == MADE]
    made = [entry.name for entry in volumes if entry.state == MADE]
    unsure = [entry.name for entry in volumes if entry.state == SENT]
    unsure += [bid.name for bid in bids if bid.state == SENT]
    parts = []
    if len(bids) > 1:
        parts.append(f"{len(placed)} of {len(bids)} bids placed" + (f" ({some_of(placed, MOST)})" if placed else ""))
    elif bids[0].state != SENT:
        parts.append(f"{bids[0].name} is placed" if placed else f"{bids[0].name} is not placed")
    if made:
        parts.append(f"made: {some_of(made, MOST)}")
    if unsure:
        parts.append(f"may be there, no reply has come: {some_of(unsure, MOST)}")
    return "; ".join(parts)
