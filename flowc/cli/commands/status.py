"""`flowc status`: how tasks are, and why."""

from __future__ import annotations

from flowc.cli.table import HELP, Command
from flowc.cli.tasks.options import FORMAT, TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.providers.base import Task
    from flowc.submit.journal import Bid
    from flowc.tasks.inside import Inside

COMMAND = Command(
    name="status",
    summary="show how tasks are, and why",
    usage=("flowc status [OPTIONS] [TASK…]",),
    operand="TASK",
    old=("--project-name", "--ssh-key-name"),
    options=(HELP, FORMAT),
    examples=(
        ("flowc status train-k3x9q2fa", "state, reason, machines"),
        ("flowc status", "all that wait and run, as `flowc list`"),
    ),
    notes=f"{TASK} Where a job has ended, its bid is ended on the way, unless it was submitted with --keep.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises OSError when standard output cannot be written."""
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded
    from flowc.cli.tasks.world import tell

    for old in words.old:
        tell(f"`{old.spelling}` has no effect: {old.why}")
    if not words.operands:
        from flowc.cli.commands.list import run as show_all

        return show_all(words, argv)
    return guarded(lambda: _status(words), failed=WORLD_FAILED)


def _status(words: Words) -> int:
    import sys

    from flowc.cli import terminal
    from flowc.cli.status import DONE, WORLD_FAILED
    from flowc.cli.tasks.show import accounts, document
    from flowc.cli.tasks.tree import account_of_unplaced, unplaced
    from flowc.cli.tasks.world import World, tell
    from flowc.submit.journal import SENT
    from flowc.submit.watch import watcher
    from flowc.tasks.inside import inside
    from flowc.tasks.looking import deliver, look_ahead, looked_after, tasks_of
    from flowc.tasks.names import bids_of

    world = World(words)
    bids = bids_of(world.journal, words.operands)
    if waits := any(bid.made is None for bid in bids):
        look_ahead(world, bids)
        bids = bids_of(world.journal, words.operands)
    tasks: list[Task] = []
    jobs: dict[str, Inside] = {}
    for name in dict.fromkeys(bid.provider for bid in bids):
        provider = world.provider(name)
        its = [bid for bid in bids if bid.provider == name]
        mine = tasks_of(provider, its)
        placed: list[Bid] = []
        now = looked_after(world, name, mine, placed=placed)
        tasks += now
        deliver(world, provider, its, mine)
        jobs |= inside(world, provider, its, now)
        asked = {bid.name for bid in bids}
        tasks += tasks_of(provider, [bid for bid in placed if bid.name in asked], lost=[])
    waiting = [bid for bid in bids_of(world.journal, words.operands) if bid.made is None] if waits else []
    if words.text("format") == "json":
        graph = [unplaced(world.journal, bid) for bid in waiting] if waiting else None
        terminal.write(sys.stdout, document(tasks, graph, jobs=jobs), encoding="utf-8")
    else:
        watched = watcher(world.folder) is not None
        told = "".join(account_of_unplaced(world.journal, bid, watched=watched) for bid in waiting)
        terminal.write(sys.stdout, accounts(tasks, jobs) + told)
    unsure = [bid for bid in waiting if bid.state == SENT]
    for bid in unsure:
        tell(f"{bid.name}: may have been placed; `flowc submit --resume {bid.key}` finds out")
    return WORLD_FAILED if unsure else DONE
