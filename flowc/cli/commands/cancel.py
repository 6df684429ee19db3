"""`flowc cancel`: ends tasks and what is paid for them."""

from __future__ import annotations

from flowc.cli.table import HELP, Command
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="cancel",
    summary="end tasks, and what is paid for them",
    usage=("flowc cancel TASK…",),
    operand="TASK",
    options=(HELP,),
    examples=(("flowc cancel train-k3x9q2fa", "its bid ends at once, with its machines"),),
    notes=f"{TASK} A task that has ended is no error.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded

    if not words.operands:
        raise UsageError("no TASK given", "`flowc list` shows the tasks there are")
    return guarded(lambda: _cancel(words), failed=WORLD_FAILED)


def _cancel(words: Words) -> int:
    import time

    from flowc.cli.status import DONE
    from flowc.cli.tasks.world import World, tell
    from flowc.providers.base import CANCELLED
    from flowc.tasks.names import bids_of
    from flowc.tasks.placing import give_up

    world = World(words)
    bids = bids_of(world.journal, words.operands)
    for key in dict.fromkeys(bid.key for bid in bids if bid.made is None):
        # Those that are not placed come first: nothing may be placed while the others end.
        give_up(world, key, [bid.name for bid in bids if bid.key == key and bid.made is None])
    for bid in bids_of(world.journal, words.operands):
        if bid.made is None:
            tell(f"{bid.name}: was not placed, and will not be")
            continue
        world.provider(bid.provider).end("bid", bid.made)
        if bid.ended is None:
            world.journal.ended(bid.key, bid.number, CANCELLED, 130)
        world.journal.released(bid.key, bid.number, time.time())
        tell(f"{bid.name}: ended" + ("" if bid.provider == "local" else ", nothing more is paid for it"))
    return DONE
