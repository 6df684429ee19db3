"""`flowc local`: what the local provider alone can do."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

PREEMPT = "preempt"
NOTICE_S = 10

COMMAND = Command(
    name="local",
    summary="take the machines of a local task away",
    usage=("flowc local preempt [--notice SECONDS] TASK…",),
    operand="WHAT",
    operand_choices=(PREEMPT,),
    options=(
        HELP,
        Option(
            name="--notice",
            metavar="SECONDS",
            kind="integer",
            help=f"how long the job has from the notice on (default: {NOTICE_S}; a provider gives 300)",
        ),
    ),
    examples=(("flowc local preempt train-k3x9q2fa", "as a provider takes it away, and gives it back"),),
    notes=f"{TASK} The task gets the notice that it would get on a rented machine, is stopped, and starts again from "
    "its disks.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard error cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded

    if not words.operands or words.operands[0] != PREEMPT:
        found = f"`{words.operands[0]}` is nothing that local tasks know" if words.operands else "no WHAT given"
        raise UsageError(found, f"flowc local {PREEMPT} TASK")
    if len(words.operands) == 1:
        raise UsageError("no TASK given", "`flowc list --provider local` shows the tasks there are")
    return guarded(lambda: _preempt(words), failed=WORLD_FAILED)


def _preempt(words: Words) -> int:
    from flowc.cli.status import DONE
    from flowc.cli.tasks.guard import RefusedTaskError
    from flowc.cli.tasks.names import bids_of
    from flowc.cli.tasks.world import World, tell

    world = World(words)
    notice_s = float(words.text("notice") or NOTICE_S)
    bids = bids_of(world.journal, words.operands[1:])
    for bid in bids:
        if bid.provider != "local":
            raise RefusedTaskError(f"{bid.name} does not run on this computer", "its provider alone preempts it")
    for bid in bids:
        if bid.made is None:
            raise RefusedTaskError(f"{bid.name} does not run yet", "its turn comes when others of its job have ended")
        world.local().preempt(bid.made, notice_s=notice_s)
        tell(f"{bid.name}: will be preempted in {notice_s:g} seconds, and start again")
    return DONE
