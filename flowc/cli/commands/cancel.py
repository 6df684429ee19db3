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
    notes=f"{TASK} A task that has ended is no error. Tasks that wait for one of these go on as under Slurm: after "
    "afterany they have their turn, after afterok never.",
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
    from flowc.cli.status import DONE
    from flowc.cli.tasks.world import World
    from flowc.tasks.cancelling import cancel

    cancel(World(words), words.operands)
    return DONE
