"""`flowc watch`: releases what has ended, ends what outlives its limit."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="watch",
    summary="end bids with their jobs, for as long as it runs",
    usage=("flowc watch [OPTIONS]", "flowc watch --install|--uninstall"),
    options=(
        HELP,
        Option(name="--every", metavar="SECONDS", kind="integer", help="how often it looks (default: 30)"),
        Option(
            name="--grace",
            metavar="SECONDS",
            kind="integer",
            help="how long after its limit a job is ended whose machine does not do it (default: 300)",
        ),
        Option(name="--once", help="look once: for cron"),
        Option(name="--install", help="have systemd run it, as a service of this user"),
        Option(name="--uninstall", help="take that service away"),
    ),
    examples=(
        ("flowc watch", "in a terminal"),
        ("flowc watch --install", "in the background, also after a reboot"),
        ("flowc watch --once", "by cron, where there is no systemd"),
    ),
    notes="Where a job has ended on all its machines, its output is brought and its bid ended, unless it was submitted "
    "with --keep; bids that waited for it are placed. A job that outlives its time limit is ended: one that has not "
    "begun has half an hour more, for images and secrets.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard error cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded

    if words.operands:
        raise UsageError(f"`flowc watch` takes no operand, found `{words.operands[0]}`", "it looks after all tasks")
    given = [name for name in ("install", "uninstall", "once") if words.flag(name)]
    if len(given) > 1:
        raise UsageError(f"`--{given[0]}` and `--{given[1]}` exclude each other", "leave out one of them")
    return guarded(lambda: _watch(words), failed=WORLD_FAILED)


def _watch(words: Words) -> int:
    from flowc.cli.setup import service
    from flowc.cli.setup.watching import run_watch

    if words.flag("install"):
        return service.install(words)
    if words.flag("uninstall"):
        return service.uninstall(words)
    return run_watch(words)
