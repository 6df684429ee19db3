"""Ends tasks, and what is paid for them."""

from __future__ import annotations

import time
from contextlib import suppress

from flowc.providers.base import CANCELLED, ENDED, RUNNING
from flowc.providers.errors import NotFoundError, ProviderError
from flowc.settings.lookup import SettingsError
from flowc.submit.ending import revoke_keys
from flowc.submit.journal import JournalError
from flowc.submit.turns import NOW, Turns
from flowc.tasks.graph.walk import behind
from flowc.tasks.graph.words import MOST, why_not
from flowc.tasks.looking import MOST_LISTED, endings_of
from flowc.tasks.names import bids_of
from flowc.tasks.placing import give_up
from flowc.tasks.refused import NoTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from flowc.providers.base import Task
    from flowc.submit.journal import Bid
    from flowc.tasks.world import World

# So many of each provider, as `flowc list` shows them.
LISTED = 100
# So long what jobs have said is brought before they are ended. Up to so many are asked for one by one.
LAST_WORDS_S = 30.0
FEW = 3


def cancel(world: World, names: Iterable[str], *, now: bool = False) -> None:
    """The tasks that these names mean; one that has ended is no error. What they have said is brought before, unless
    they are to end `now`. What the journal does not know, or cannot tell,
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
    _cancel(world, known, now=now)


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


def _cancel(world: World, names: Collection[str], *, now: bool) -> None:
    """Those that the journal knows."""
    bids = bids_of(world.journal, names)
    for key in dict.fromkeys(bid.key for bid in bids if bid.made is None):
        # Those that are not placed come first: nothing may be placed while the others end.
        give_up(world, key, [bid.name for bid in bids if bid.key == key and bid.made is None])
    trouble: JournalError | None = None
    bids = bids_of(world.journal, names)
    over_by_themselves = set() if now else _last_words(world, bids)
    for bid in bids:
        if bid.name in over_by_themselves:
            continue
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


def _last_words(world: World, bids: Iterable[Bid]) -> set[str]:
    """Bring what the jobs of these bids have said. The names of the bids that are ended with it, as their jobs had
    ended by themselves. What is in the way is told, and no reason to let them live on; Ctrl-C is no other."""
    running = [bid for bid in bids if bid.made is not None and bid.ended is None]
    done: set[str] = set()
    for name in dict.fromkeys(bid.provider for bid in running):
        mine = [bid for bid in running if bid.provider == name]
        try:
            provider = world.provider(name)
            if not provider.keeps_tasks:
                done |= _brought(world, name, mine)
        except KeyboardInterrupt:
            world.tell("ends them without what they have said")
        except (ProviderError, JournalError, SettingsError) as error:
            world.tell(f"warning: not brought what they have said: {error}")
    return done


def _brought(world: World, name: str, bids: list[Bid]) -> set[str]:
    """The same at one provider. Raises as World and the provider do."""
    provider, endings = world.provider(name), endings_of(world, name)
    if len(bids) > FEW:
        tasks = {task.identity: task for task in provider.list_tasks(limit=MOST_LISTED)}
    else:
        tasks = {}
        for bid in bids:
            with suppress(NotFoundError):
                tasks[bid.made or ""] = provider.get(bid.made or "")
    pairs = [(bid, tasks[bid.made or ""]) for bid in bids if bid.made in tasks]
    said = endings.last_words(pairs, within_s=LAST_WORDS_S)
    done = set()
    for bid, task in pairs:
        end = said.get(bid.name)
        if end is not None:
            endings.settle(bid, task, end)
            done |= set() if bid.keep else {bid.name}
        elif task.state == RUNNING and bid.name not in said:
            world.tell(f"{bid.name}: what it has said could not be brought in {LAST_WORDS_S:g} s")
    return done
