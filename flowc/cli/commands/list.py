"""`flowc list`: the tasks, newest first."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.options import FORMAT, PROVIDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.cli.tasks.world import World
    from flowc.providers.base import Provider, Task
    from flowc.submit.journal import Bid

# Of each provider, beside one's own that live.
MOST = 100

COMMAND = Command(
    name="list",
    summary="show the tasks, newest first",
    usage=("flowc list [OPTIONS]",),
    options=(
        HELP,
        Option(name="--all", short="-a", help="also those that have ended"),
        Option(name="--tree", help="who waits for whom, and why, with what is not placed yet"),
        Option(name="--limit", metavar="N", kind="integer", help=f"of each provider at most so many (default: {MOST})"),
        PROVIDER.replace(help="of this one alone (default: all)"),
        FORMAT,
    ),
    examples=(
        ("flowc list", "what waits and runs"),
        ("flowc list --tree", "the graph of jobs that wait for each other"),
        ("flowc list --all --format json", "everything, for a program"),
    ),
    notes="Where jobs have ended, their bids are ended on the way, unless they were submitted with --keep; machines "
    "get what they wait for.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises OSError when standard output cannot be written."""
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded
    from flowc.cli.tasks.world import World

    return guarded(lambda: _list(words, World(words)), failed=WORLD_FAILED)


def _list(words: Words, world: World) -> int:
    import os
    import sys

    from flowc.cli import terminal
    from flowc.cli.tasks.show import document, table
    from flowc.cli.tasks.world import tell
    from flowc.providers.base import ENDED
    from flowc.settings.lookup import SettingsError
    from flowc.tasks.looking import deliver, looked_after, tasks_of, unplaced

    tasks, missing = [], None
    cut: list[str] = []
    names = world.listed()
    for name in names:
        try:
            provider = world.provider(name)
        except SettingsError as error:
            if len(names) == 1:
                raise
            missing = f"what {name} has is not shown: {error}{f'; {error.help}' if error.help else ''}"
            continue
        placed: list[Bid] = []
        listed = _newest(world, provider, name, words.text("limit"), cut)
        mine = looked_after(world, name, listed, placed=placed)
        mine += tasks_of(provider, placed, lost=[])
        deliver(world, provider, [bid for bid in world.journal.bids(provider=name) if bid.lives], mine, lacking=True)
        tasks += mine
    tree = None
    if words.flag("tree"):
        from flowc.cli.tasks.tree import Tree, lines_for

        tree = Tree(world.journal, tasks, providers=names, everything=words.flag("all"))
    ever = bool(tasks)
    if not words.flag("all"):
        tasks = [task for task in tasks if task.state not in ENDED]
    tasks.sort(key=lambda task: task.created_at, reverse=True)
    if words.text("format") == "json":
        graph = None if tree is None else tree.document()
        terminal.write(sys.stdout, document(tasks, graph), encoding="utf-8")
    elif tree is not None and tree.jobs:
        lines = lines_for(os.environ, sys.stdout.encoding)
        width = terminal.width(sys.stdout) if sys.stdout.isatty() else None
        terminal.write(sys.stdout, tree.text(terminal.palette(sys.stdout, os.environ), lines, width))
    else:
        held = [bid for name in names for bid in unplaced(world, name)]
        if tasks:
            terminal.write(sys.stdout, table(tasks))
        if held:
            one = len(held) == 1
            tell(f"{len(held):,} {'is' if one else 'are'} not placed yet: `flowc list --tree` shows what for")
        elif ever and not tasks:
            tell("no task waits or runs; `flowc list --all` shows those that have ended")
        elif not tasks:
            tell('there is no task yet; to try one here: flowc run "echo hello" --provider local')
    for name in cut:
        tell(f"of {name} only the newest {MOST} were asked for, and yours that live: `--limit 1000` shows more")
    if missing is not None:
        tell(missing)
    return 0


def _newest(world: World, provider: Provider, name: str, limit: str | None, cut: list[str]) -> list[Task]:
    """A provider's newest tasks. Without a limit one's own that live are among them; `cut` gets the name where it may
    have others. Raises as providers do."""
    from flowc.tasks.looking import tasks_of

    found = list(provider.list_tasks(limit=int(limit or MOST)))
    if limit is None and len(found) >= MOST:
        cut.append(name)
        there = {task.identity for task in found}
        older = [bid for bid in world.journal.bids(provider=name) if bid.lives and bid.made is not None]
        found += tasks_of(provider, [bid for bid in older if bid.made not in there], lost=[])
    return found
