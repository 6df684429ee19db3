"""Stays with tasks until they have ended, for a command whose exit status is the job's."""

from __future__ import annotations

from flowc.cli.tasks.guard import OURS
from flowc.cli.tasks.world import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowc.submit.journal import Bid
    from flowc.tasks.output import Output
    from flowc.tasks.waiting import Waiting

# For how many tasks it is worth to have a reader on each machine.
MOST_HEARD = 16


def heard_of(bids: Sequence[Bid]) -> Output | None:
    """Who hears of the ends of these at once, where they are few."""
    from flowc.tasks.output import Ends

    return Ends() if len(bids) <= MOST_HEARD else None


def stay(waiting: Waiting, *, output: Output | None = None, timeout: float | None = None) -> int:
    """The exit status: of several jobs the first that is not 0. OURS where the time, in seconds, is up before. `output`
    is what shows what they say. Raises as Waiting does, and OSError where that cannot be shown."""
    from flowc.cli.tasks.progress import Idle

    try:
        with Idle() as idle:
            waiting.heard(idle.around)
            if output is not None:
                output.write = idle.around(output.write)
            in_time = waiting.run(timeout=timeout)
    except (KeyboardInterrupt, OSError):
        for key in sorted({bid.key for bid in waiting.left}):
            paid = any(bid.key == key and bid.provider != "local" for bid in waiting.left)
            tell(
                f"the job goes on{', and is paid' if paid else ''}: `flowc logs -f {key}` shows it again, "
                f"`flowc cancel {key}` ends it"
            )
        raise
    if not in_time:
        tell("stopped waiting: the time is up; the tasks go on")
        return OURS
    if output is not None:
        output.raise_broken()
    return waiting.exit_status
