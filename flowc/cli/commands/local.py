"""`flowc local`: what the local provider alone can do."""

from __future__ import annotations

from flowc.cli.table import HELP, WHAT, Command, Option
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.cli.tasks.world import World

PREEMPT, REMOVE = "preempt", "remove"
NOTICE_S = 10

COMMAND = Command(
    name="local",
    summary="preempt local tasks, or remove their disks",
    usage=("flowc local preempt [--notice SECONDS] TASK…", "flowc local remove TASK…"),
    operand=WHAT,
    operand_choices=(PREEMPT, REMOVE),
    options=(
        HELP,
        Option(
            name="--notice",
            metavar="SECONDS",
            kind="integer",
            help=f"how long the job has from the notice on (default: {NOTICE_S}; a provider gives 300)",
        ),
    ),
    examples=(
        ("flowc local preempt train-k3x9q2fa", "as a provider takes it away, and gives it back"),
        ("flowc local remove train-k3x9q2fa", "when its output and what it wrote are needed no more"),
    ),
    notes=f"{TASK} A task that is preempted gets the notice that it would get on a rented machine, is stopped, and "
    "starts again from its disks. The disks of one that has ended stay, with its output, until they are removed; "
    "volumes stay then too.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard error cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded

    work = {PREEMPT: _preempt, REMOVE: _remove}.get(words.operands[0] if words.operands else "")
    if work is None:
        found = f"`{words.operands[0]}` is nothing that local tasks know" if words.operands else "nothing to do given"
        raise UsageError(found, f"flowc local {PREEMPT} TASK, flowc local {REMOVE} TASK")
    if len(words.operands) == 1:
        raise UsageError("no TASK given", "`flowc list --provider local` shows the tasks there are")
    return guarded(lambda: work(words), failed=WORLD_FAILED)


def _preempt(words: Words) -> int:
    from flowc.cli.status import DONE
    from flowc.cli.tasks.world import World, tell

    world = World(words)
    notice_s = float(words.text("notice") or NOTICE_S)
    for name, identity in _tasks(words, world):
        world.local().preempt(identity, notice_s=notice_s)
        tell(f"{name}: will be preempted in {notice_s:g} seconds, and start again")
    return DONE


def _remove(words: Words) -> int:
    from flowc.cli.status import DONE
    from flowc.cli.tasks.world import World, tell

    world = World(words)
    for name, identity in _tasks(words, world):
        world.local().remove(identity)
        tell(f"{name}: its disks and its output are removed")
    return DONE


def _tasks(words: Words, world: World) -> list[tuple[str, str]]:
    """The names and ids of local tasks. Raises RefusedTaskError for what is none."""
    from flowc.tasks.names import bids_of
    from flowc.tasks.refused import RefusedTaskError

    found = []
    for bid in bids_of(world.journal, words.operands[1:]):
        if bid.provider != "local":
            raise RefusedTaskError(f"{bid.name} does not run on this computer", "`flowc local` is for tasks that do")
        if bid.made is None:
            raise RefusedTaskError(f"{bid.name} does not run yet", "its turn comes when others of its job have ended")
        found.append((bid.name, bid.made))
    return found
