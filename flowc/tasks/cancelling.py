"""Ends tasks, and what is paid for them."""

from __future__ import annotations

import time
from contextlib import suppress

from flowc.providers.base import CANCELLED, ENDED
from flowc.providers.errors import NotFoundError, ProviderError
from flowc.settings.lookup import SettingsError
from flowc.submit.ending import revoke_keys
from flowc.submit.journal import JournalError
from flowc.submit.turns import NOW, Turns
from flowc.tasks.graph.walk import behind
from flowc.tasks.graph.words import MOST, why_not
from flowc.tasks.names import bids_of
from flowc.tasks.placing import give_up
from flowc.tasks.refused import NoTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from flowc.providers.base import Task
    from flowc.tasks.world import World

# So many of each provider, as `flowc list` shows them.
LISTED = 100


def cancel(world: World, names: Iterable[str]) -> None:
    """The tasks that these names mean; one that has ended is no error. What the journal does not know, or cannot tell,
    is asked of the provider, by its whole name or id. Raises RefusedTaskError, and as the provider and World do."""
    names = tuple(names)
    try:
        known, strange = _known(world, names)
    except JournalError:
        _end(world, _there(world, names))
        raise
    found = []
    if strange:
        with suppress(ProviderError):
            found = _there(world, strange)
        here = {each for _, task in found for each in (task.identity, task.name)}
        bids_of(world.journal, [name for name in strange if name not in here])  # which says that there are none
    _end(world, found)
    _cancel(world, known)


def _known(world: World, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The names that the journal knows, and the others. Raises RefusedTaskError for one that may be several tasks."""
    known, strange = [], []
    for name in names:
        try:
            bids_of(world.journal, [name])
            known.append(name)
        except NoTaskError:
            strange.append(name)
    return known, strange


def _there(world: World, names: Collection[str]) -> list[tuple[str, Task]]:
    """Tasks that providers have under such a name or id, of those that `flowc list` shows. Raises as the provider and
    World do."""
    found = []
    for name in world.listed():
        with suppress(SettingsError):  # without a key there is nothing of ours
            tasks = world.provider(name).list_tasks(limit=LISTED)
            found += [
                (name, task) for task in tasks if task.state not in ENDED and {task.identity, task.name} & {*names}
            ]
    return found


def _end(world: World, found: Iterable[tuple[str, Task]]) -> None:
    for name, task in found:
        world.provider(name).end("bid", task.identity)
        world.tell(_ended(task.name, name))


def _ended(name: str, provider: str) -> str:
    return f"{name}: ended" + ("" if provider == "local" else ", nothing more is paid for it")


def _cancel(world: World, names: Collection[str]) -> None:
    """Those that the journal knows."""
    bids = bids_of(world.journal, names)
    for key in dict.fromkeys(bid.key for bid in bids if bid.made is None):
        # Those that are not placed come first: nothing may be placed while the others end.
        give_up(world, key, [bid.name for bid in bids if bid.key == key and bid.made is None])
    trouble: JournalError | None = None
    for bid in bids_of(world.journal, names):
        if bid.made is None:
            world.tell(f"{bid.name}: was not placed, and will not be")
            continue
        with suppress(*(() if bid.ended is None else (NotFoundError,))):
            world.provider(bid.provider).end("bid", bid.made)
        over = bid.ended is not None and bid.released_at is not None
        world.tell(f"{bid.name}: had ended before: {bid.ended}" if over else _ended(bid.name, bid.provider))
        try:
            if bid.ended is None:
                world.journal.ended(bid.key, bid.number, CANCELLED, 130)
            world.journal.released(bid.key, bid.number, time.time())
            revoke_keys(world.journal, world.provider(bid.provider), bid)
        except JournalError as error:  # the others are paid for all the same
            trouble = error
    if trouble is not None:
        raise trouble
    for bid in behind(world.journal, bids)[:MOST]:
        turns = Turns(world.journal, bid.key, now=time.time())
        if turns.behind(bid.identity) == NOW:
            world.tell(
                f"{bid.name}: has its turn now: who looks next places it (`flowc wait`, `list`, `status`, `watch`)"
            )
        else:
            world.tell(f"{bid.name}: {why_not(turns, bid)}")
