"""`flowc cancel`: ends tasks and what is paid for them."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="cancel",
    summary="end tasks, and what is paid for them",
    usage=("flowc cancel [--now] TASK…",),
    operand="TASK",
    options=(HELP, Option(name="--now", help="without bringing what the jobs have said")),
    examples=(
        ("flowc cancel train-k3x9q2fa", "its output is brought, its bid ends, with its machines"),
        ("flowc cancel --now train-k3x9q2fa", "its bid ends at once"),
    ),
    notes=f"{TASK} Where a job has ended by itself, its exit status stays what it was. What machines have to say is "
    "waited for, 30 seconds at most, or until Ctrl-C. A task that has ended is no error. Tasks that wait for one of "
    "these go on as under Slurm: after afterany they have their turn, after afterok never.",
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

    cancel(World(words), words.operands, now=words.flag("now"))
    return DONE
