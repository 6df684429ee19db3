"""Ends tasks, and what is paid for them."""

from __future__ import annotations

import time

from flowc.providers.base import CANCELLED
from flowc.submit.turns import NOW, Turns
from flowc.tasks.graph.walk import behind
from flowc.tasks.graph.words import MOST, why_not
from flowc.tasks.names import bids_of
from flowc.tasks.placing import give_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.tasks.world import World


def cancel(world: World, names: Iterable[str]) -> None:
    """The tasks that these names mean; one that has ended is no error. Raises RefusedTaskError, and as the provider and
    World do."""
    names = tuple(names)
    bids = bids_of(world.journal, names)
    for key in dict.fromkeys(bid.key for bid in bids if bid.made is None):
        # Those that are not placed come first: nothing may be placed while the others end.
        give_up(world, key, [bid.name for bid in bids if bid.key == key and bid.made is None])
    for bid in bids_of(world.journal, names):
        if bid.made is None:
            world.tell(f"{bid.name}: was not placed, and will not be")
            continue
        world.provider(bid.provider).end("bid", bid.made)
        if bid.ended is None:
            world.journal.ended(bid.key, bid.number, CANCELLED, 130)
        world.journal.released(bid.key, bid.number, time.time())
        world.tell(f"{bid.name}: ended" + ("" if bid.provider == "local" else ", nothing more is paid for it"))
    for bid in behind(world.journal, bids)[:MOST]:
        turns = Turns(world.journal, bid.key, now=time.time())
        if turns.behind(bid.identity) == NOW:
            world.tell(
                f"{bid.name}: has its turn now: who looks next places it (`flowc wait`, `list`, `status`, `watch`)"
            )
        else:
            world.tell(f"{bid.name}: {why_not(turns, bid)}")
