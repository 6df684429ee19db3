"""`flowc ssh`: a shell, or a command, on a task's machine."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.nodes import NODE
from flowc.cli.tasks.options import TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="ssh",
    summary="open a shell on a machine of a task, or run a command there",
    usage=("flowc ssh [--node N] [-t|-T] TASK [[--] COMMAND…]",),
    operand="TASK",
    foreign=True,
    after=1,
    follows="the command that is run there follows",
    options=(
        HELP,
        NODE,
        Option(name="--tty", short="-t", help="a terminal for the command, though its output goes elsewhere"),
        Option(name="--no-tty", short="-T", help="none of its own, though there is one here"),
    ),
    examples=(
        ("flowc ssh train-k3x9q2fa", "a shell where the job is"),
        ("flowc ssh train-k3x9q2fa nvidia-smi -L", "a command, with its exit status"),
        ("flowc ssh --node 1 train-k3x9q2fa 'ls *.pt | wc -l'", "one word is read by a shell"),
    ),
    notes=f"{TASK} It begins where the job is: in its container while that runs, else in its folder with its "
    "environment and secrets, as root. Where standard input and output are a terminal the command has one too. It ends "
    "with flowc: Ctrl-C and other signals reach it, and it is ended where flowc is killed or the connection cut. The "
    "exit status is the command's, and 125 where flowc itself fails.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.tasks.guard import OURS, guarded

    if len(words.operands) != 1:
        raise UsageError("one TASK is needed", "what follows it is run there: flowc ssh TASK nvidia-smi")
    if words.flag("tty") and words.flag("no_tty"):
        raise UsageError("`--tty` and `--no-tty` exclude each other", "leave out one of them")
    return guarded(lambda: _ssh(words), failed=OURS)


def _ssh(words: Words) -> int:
    import os

    from flowc.cli.tasks.nodes import node_of
    from flowc.cli.tasks.world import World, tell
    from flowc.tasks.entering import enter, machine_of
    from flowc.tasks.names import bids_of
    from flowc.tasks.refused import RefusedTaskError

    world = World(words)
    bids = bids_of(world.journal, words.operands)
    if len(bids) > 1:
        raise RefusedTaskError(
            f"`{words.operands[0]}` is {len(bids)} tasks", f"name one: {', '.join(bid.name for bid in bids[:8])}"
        )
    (bid,) = bids
    if bid.made is None:
        raise RefusedTaskError(f"{bid.name} has no machines: it is {bid.state}", f"flowc status {bid.name}")
    node = node_of(words, world.journal, bids) or 0
    provider = world.provider(bid.provider)
    task, machine = machine_of(provider, bid, node)
    wanted = os.isatty(1) or words.flag("tty")
    if words.flag("tty") and not os.isatty(0):
        tell("standard input is no terminal, so the command gets none")
    terminal = os.environ.get("TERM", "dumb") if os.isatty(0) and wanted and not words.flag("no_tty") else ""
    session = provider.session(task, machine, words.rest or (), terminal=terminal)
    return enter(session, terminal=bool(terminal))
