"""What is done on the way when tasks are looked at: jobs that have ended are noted, and their bids ended."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from flowc.providers.base import RUNNING
from flowc.providers.errors import NotFoundError, RateLimitError, UnavailableError
from flowc.submit.journal import OPEN, WAITING, JournalError
from flowc.submit.turns import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.providers.base import Provider, Task
    from flowc.submit.ending import End, Endings
    from flowc.submit.journal import Bid
    from flowc.tasks.world import World

# So many tasks are asked for one by one; more come in one list.
FEW = 2
MOST_LISTED = 10_000


def output_folder(world: World) -> str:
    """Where what jobs have left is kept, below the keys of their submissions. Raises JournalError."""
    return os.path.join(world.folder, "output")


def endings_of(world: World, provider: str) -> Endings:
    """Who looks after this user's tasks at a provider. Raises as World does."""
    from flowc.submit.ending import Endings

    def tell(bid: Bid, end: End) -> None:
        status = f"exit status {end.exit_status}"
        why = f" ({end.reason})" if end.reason and end.reason != status else ""
        paid = (
            "" if bid.provider == "local" else "; its bid stays, and is paid" if bid.keep else "; nothing more is paid"
        )
        world.tell(f"{bid.name}: {end.state}{why}, {status}{paid}")

    return Endings(
        world.journal,
        world.provider(provider),
        folder=output_folder(world),
        now=time.time,
        tell=tell,
        coming=world.coming,
    )


def looked_after(world: World, provider: str, tasks: Iterable[Task], *, placed: list[Bid] | None = None) -> list[Task]:
    """The tasks as they are now. One whose machine cannot be asked stays as the provider says. Bids whose turn it is
    then are placed, and go to `placed`."""
    from flowc.tasks.placing import place_more

    tasks = list(tasks)
    bids = world.journal.bids(provider=provider)
    ours = {bid.made: bid for bid in bids if bid.made is not None}
    pairs = [(ours[task.identity], task) for task in tasks if task.identity in ours]
    for bid, task in pairs:
        note_start(world, bid, task)
    seen = endings_of(world, provider).look_at_all(pairs)
    held = [each.key for each in world.journal.submissions(state=OPEN) if each.provider == provider]
    # Those too whose end was noted by a process that did not get to placing the next ones, or to saying so.
    ended = {bid.key for bid in bids if bid.ended is not None}
    ended |= {bid.key for (bid, _), (_, end) in zip(pairs, seen, strict=True) if end is not None}
    for key in reversed(held):  # the oldest first: others may wait for it
        if key in ended or Turns(world.journal, key, now=time.time()).may_change():
            place_more(world, key)
            if placed is not None:
                placed += [bid for bid in world.journal.bids(key=key) if bid.made is not None and bid.made not in ours]
    now = {task.identity: task for task, _ in seen}
    return [now.get(task.identity, task) for task in tasks]


def unplaced(world: World, provider: str) -> list[Bid]:
    """The bids that wait for others or for their turn."""
    held = [each.key for each in world.journal.submissions(state=OPEN) if each.provider == provider]
    return [bid for key in held for bid in world.journal.bids(key=key) if bid.state == WAITING]


def look_ahead(world: World, bids: Iterable[Bid], *, but: Iterable[Bid] = ()) -> None:
    """Look after what bids wait for that are not placed, except for some: nobody else may. What cannot be reached now
    passes."""
    bids = list(bids)
    if not any(bid.state == WAITING for bid in bids):
        return
    from flowc.submit.steps import InterruptedSubmissionError
    from flowc.tasks.graph.walk import ahead_of

    seen = {bid.name for bid in but}
    others = [bid for bid in ahead_of(world.journal, bids) if bid.name not in seen]
    for name in dict.fromkeys(bid.provider for bid in others):
        with suppress(UnavailableError, RateLimitError, InterruptedSubmissionError):
            placed = [bid for bid in others if bid.provider == name and bid.made is not None]
            looked_after(world, name, tasks_of(world.provider(name), placed, lost=[]))


def note_start(world: World, bid: Bid, task: Task) -> None:
    """Write down that a bid's machines run, where that is new; it is no reason to stop looking that it cannot be."""
    if task.state == RUNNING and bid.started_at is None:
        with suppress(JournalError):
            world.journal.started(bid.key, bid.number, time.time())


def deliver(
    world: World, provider: Provider, bids: Iterable[Bid], tasks: Iterable[Task], *, lacking: bool = False
) -> None:
    """Bring to the machines of these bids what they wait for (`lacking`: what is not there yet); not to those that
    cannot be reached now. Tasks of other bids are passed over."""
    if provider.keeps_tasks:
        return
    from flowc.submit.delivery import Deliverer

    deliverer = Deliverer(world.journal, provider, world.environ, tell=world.tell, releaser=world.releaser)
    ours = {bid.made: bid for bid in bids}
    for task in tasks:
        with suppress(UnavailableError):
            if task.identity in ours:
                deliverer.bring(ours[task.identity], task, lacking=lacking)


def task_of(provider: Provider, bid: Bid) -> Task:
    """The task of a bid that was placed. Raises ProviderError: a NotFoundError says which it was, and how it ended."""
    assert bid.made is not None, bid.name
    try:
        return provider.get(bid.made)
    except NotFoundError as error:
        if bid.provider != "local":
            raise NotFoundError(f"{bid.name}: {error}", help=error.help) from None
        status = "" if bid.exit_status is None else f", exit status {bid.exit_status}"
        raise NotFoundError(
            f"{bid.name} is removed from this computer" + (f": it was {bid.ended}{status}" if bid.ended else ""),
            help="`flowc list --all` shows what is there",
        ) from None


def tasks_of(provider: Provider, bids: list[Bid], *, lost: list[Bid] | None = None) -> list[Task]:
    """The tasks of bids that their provider has; one that it does not know any more goes to `lost`. Raises
    ProviderError, without `lost` for such a one too."""
    listed: dict[str, Task] = {}
    if len(bids) > FEW:
        listed = {task.identity: task for task in provider.list_tasks(limit=MOST_LISTED)}
    found = []
    for bid in bids:
        if bid.made is None:
            continue
        try:
            found.append(listed[bid.made] if bid.made in listed else task_of(provider, bid))
        except NotFoundError:
            if lost is None:
                raise
            lost.append(bid)
    return found
