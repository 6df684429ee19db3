"""`flowc logs`: the output of tasks."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.nodes import NODE
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.cli.tasks.world import World
    from flowc.submit.journal import Bid
    from flowc.tasks.output import Output

COMMAND = Command(
    name="logs",
    summary="show the output of tasks",
    usage=("flowc logs [-f] [--node N] [--stderr] TASK…", "flowc logs --remove [--older DAYS] [TASK…]"),
    operand="TASK",
    options=(
        HELP,
        Option(name="--follow", short="-f", help="as it comes, until the jobs have ended"),
        NODE,
        Option(name="--stderr", help="the errors, of a job that has a file for them alone"),
        Option(name="--remove", help="remove what is kept here of tasks that have ended: output and results"),
        Option(
            name="--older", metavar="DAYS", kind="integer", help="with --remove: only what came before so many days"
        ),
    ),
    examples=(
        ("flowc logs train-k3x9q2fa", "what there is"),
        ("flowc logs -f train-k3x9q2fa", "live, through preemptions; then its bid is ended"),
        ("flowc logs --node 1 train-k3x9q2fa", "of the second machine alone"),
        ("flowc logs --remove --older 30", "what was brought more than 30 days ago, of all tasks"),
    ),
    notes=f"{TASK} The output stays here when the machines are gone, until --remove. With --follow the exit status is "
    "the job's, and 125 where flowc itself fails; Ctrl-C ends the looking and nothing else.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import OURS, guarded

    if words.flag("remove"):
        if words.flag("follow") or words.flag("node") or words.flag("stderr"):
            raise UsageError("`--remove` shows nothing", "it goes with `--older` alone")
        if not words.operands and words.text("older") is None:
            raise UsageError("no TASK given", "name tasks, or how old: flowc logs --remove --older 30")
        return guarded(lambda: _remove(words), failed=WORLD_FAILED)
    if words.text("older") is not None:
        raise UsageError("`--older` is for `--remove`", "flowc logs --remove --older 30")
    if not words.operands:
        raise UsageError("no TASK given", "`flowc list` shows the tasks there are")
    return guarded(lambda: _logs(words), failed=OURS if words.flag("follow") else WORLD_FAILED)


def _logs(words: Words) -> int:
    from flowc.cli import terminal
    from flowc.cli.status import DONE
    from flowc.cli.tasks.nodes import node_of
    from flowc.cli.tasks.progress import Progress
    from flowc.cli.tasks.staying import stay
    from flowc.cli.tasks.world import World, tell
    from flowc.tasks.names import bids_of
    from flowc.tasks.output import Output
    from flowc.tasks.waiting import Waiting

    world = World(words)
    bids = bids_of(world.journal, words.operands)
    node = node_of(words, world.journal, bids)

    shown = False

    def write(data: bytes) -> None:
        nonlocal shown
        shown = True
        terminal.write_bytes(data)
        if not words.flag("follow"):
            progress.step()

    output = Output(write, several=len(bids) > 1, node=node, errors=words.flag("stderr"))
    progress = Progress(output.far)
    brought = _brought(world, output, bids)
    output.raise_broken()
    if words.flag("follow"):
        return stay(Waiting(world, bids, output=output), output=output)
    for bid in bids:
        if bid not in brought:
            try:
                _show(world, output, bid, errors=words.flag("stderr"))
            finally:
                progress.clear()
            output.raise_broken()
    if words.flag("stderr") and not shown:
        whose = bids[0].name if len(bids) == 1 else "these tasks"
        tell(f"{whose}: nothing in a file for errors alone: they may be in the output")
    return DONE


def _remove(words: Words) -> int:
    import time

    from flowc.cli.status import DONE
    from flowc.cli.tasks.world import World, tell
    from flowc.tasks.kept import kept_of, remove
    from flowc.tasks.names import bids_of
    from flowc.tasks.refused import RefusedTaskError
    from flowc.trees.walk import size_text

    world = World(words)
    bids = bids_of(world.journal, words.operands) if words.operands else world.journal.bids()
    for bid in bids:
        if bid.ended is None and words.operands:
            raise RefusedTaskError(f"{bid.name} has not ended", f"`flowc cancel {bid.name}` ends it")
    kept = kept_of(world, [bid for bid in bids if bid.ended is not None])
    if (days := words.text("older")) is not None:
        kept = [each for each in kept if each.at < time.time() - int(days) * 86400]
    freed = remove(kept)
    tell(f"removed: what was kept of {len(kept):,} task{'' if len(kept) == 1 else 's'}, {size_text(freed)}")
    for bid in bids if words.operands else ():
        if bid.provider == "local" and not any(each.bid == bid for each in kept):
            tell(f"{bid.name}: its output is on its disks here: `flowc local remove {bid.name}` removes both")
    return DONE


def _brought(world: World, output: Output, bids: list[Bid]) -> list[Bid]:
    """Show the output of those that are gone from their provider, which was brought before."""
    import os

    folder = os.path.join(world.folder, "output")
    gone = [bid for bid in bids if bid.released_at is not None]
    return [bid for bid in gone if output.kept(folder, bid)]


def _show(world: World, output: Output, bid: Bid, *, errors: bool) -> None:
    from flowc.cli.tasks.world import tell
    from flowc.providers.base import ENDED
    from flowc.tasks.looking import task_of

    if bid.made is None:
        tell(f"{bid.name}: {bid.state}, so it has no output")
        return
    provider = world.provider(bid.provider)
    task = task_of(provider, bid)
    if not output.all(provider, bid, task) and not errors:
        if task.state not in ENDED:
            tell(f"{bid.name}: {task.state}, no output yet")
        elif not provider.keeps_tasks:
            tell(f"{bid.name}: {task.state}, its machines are gone, and nothing of its output is kept here")
    output.last(provider, bid, task)
