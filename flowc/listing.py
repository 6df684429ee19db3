"""Names in a sentence, of which there may be very many."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def some_of(names: Iterable[str], most: int) -> str:
    """The first names between commas, and how many there are beside: `a, b and 3 more`."""
    every = list(names)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
