"""`flowc wait`: until tasks have ended."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="wait",
    summary="wait until tasks have ended, and end their bids",
    usage=("flowc wait [OPTIONS] TASK…",),
    operand="TASK",
    options=(
        HELP,
        Option(name="--every", metavar="SECONDS", kind="integer", help="how often it looks (default: 2, later 15)"),
        Option(
            name="--timeout", metavar="SECONDS", kind="integer", help="stop waiting after so long (exit status 125)"
        ),
    ),
    examples=(("flowc wait train-k3x9q2fa && flowc submit eval.sbatch", "the next one when this one did well"),),
    notes=f"{TASK} The exit status is the job's (of several the first that is not 0), 125 where flowc itself fails. "
    "Ctrl-C ends the waiting and nothing else.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.tasks.guard import OURS, guarded

    if not words.operands:
        raise UsageError("no TASK given", "`flowc list` shows the tasks there are")
    return guarded(lambda: _wait(words), failed=OURS)


def _wait(words: Words) -> int:
    from flowc.cli.tasks.staying import heard_of, stay
    from flowc.cli.tasks.world import World
    from flowc.tasks.names import bids_of
    from flowc.tasks.waiting import Waiting

    world = World(words)
    bids = bids_of(world.journal, words.operands)
    every, timeout = words.text("every"), words.text("timeout")
    waiting = Waiting(world, bids, output=heard_of(bids), every=None if every is None else float(every))
    return stay(waiting, timeout=None if timeout is None else float(timeout))
