"""`flowc catalog`: which machines there are, where, and at what price."""

from __future__ import annotations

from flowc.catalog.find import SORTS
from flowc.cli.table import HELP, WHAT, Command, Option
from flowc.cli.tasks.options import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

LIST, FIND, REFRESH = "list", "find", "refresh"
_WANTED = "what a machine must have (list, find)"
COMMAND = Command(
    name="catalog",
    summary="show which machines there are and what they cost; ask for today's prices",
    usage=(
        "flowc catalog list [OPTIONS]",
        "flowc catalog find [OPTIONS] [TYPE…]",
        "flowc catalog refresh [--dry-run]",
    ),
    operand=WHAT,
    operand_choices=(LIST, FIND, REFRESH),
    options=(
        HELP,
        FORMAT,
        Option(name="--gpu", metavar="MODEL", help="with these GPUs: h100", group=_WANTED),
        Option(name="--gpus", metavar="N", kind="integer", help="at least so many GPUs", group=_WANTED),
        Option(
            name="--gpu-memory", metavar="GB", kind="integer", help="at least so much memory on each GPU", group=_WANTED
        ),
        Option(name="--cpus", metavar="N", kind="integer", help="at least so many CPUs", group=_WANTED),
        Option(name="--memory", metavar="GB", kind="integer", help="at least so much memory", group=_WANTED),
        Option(name="--disk", metavar="GB", kind="integer", help="at least so much local disk", group=_WANTED),
        Option(
            name="--region",
            short="-r",
            metavar="REGION",
            values="regions",
            repeat=True,
            help="in one of these, also 'us-*'",
            group=_WANTED,
        ),
        Option(name="--cloud", metavar="NAME", repeat=True, help="of one of these clouds", group=_WANTED),
        Option(name="--max-price", metavar="USD", help="at most so much an hour", group=_WANTED),
        Option(name="--available", metavar="N", kind="integer", help="at least so many free", group=_WANTED),
        Option(name="--all", short="-a", help="also what is not offered to everybody", group=_WANTED),
        Option(
            name="--sort",
            metavar="BY",
            choices=SORTS,
            help="order (default: name; of find: price)",
            group=_WANTED,
        ),
        Option(name="--limit", metavar="N", kind="integer", help="show so many", group=_WANTED),
        Option(name="--catalog", metavar="FILE", kind="file", help="this catalog, in place of your own copy"),
        Option(name="--dry-run", help="of refresh: show what is different, and write nothing"),
    ),
    examples=(
        ("flowc catalog list", "every machine that is sold, by name"),
        ("flowc catalog find h100", "the cheapest first"),
        ("flowc catalog find 8xh100 8xh200 --region 'us-*'", "one of these, there"),
        ("flowc catalog find --gpu-memory 80 --max-price 20 --format json", "by what is needed, for a program"),
        ("flowc catalog refresh", "today's machines and prices from the provider, and what is different"),
    ),
    notes="Prices are USD of a machine for an hour. Without --catalog they are those of your own copy, which `flowc "
    "catalog refresh` writes, else of the catalog that comes with flowc; jobs are compiled by the same. A catalog file "
    "may have machines of other clouds too: they are shown, and no job is put on them.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.status import WORLD_FAILED

    what = words.operands[0] if words.operands else ""
    if what not in (LIST, FIND, REFRESH):
        found = f"`{what}` is nothing to do with a catalog" if what else "nothing to do given"
        raise UsageError(found, f"flowc catalog {LIST}, flowc catalog {FIND} TYPE, or flowc catalog {REFRESH}")
    if what != FIND and len(words.operands) > 1:
        raise UsageError(f"`{words.operands[1]}` is too much", f"flowc catalog {FIND} {words.operands[1]} looks for it")
    others = set(words.values) - {"help", "dry_run"}
    if what == REFRESH and others:
        name = sorted(others)[0].replace("_", "-")
        raise UsageError(f"`--{name}` does nothing with {REFRESH}", "it is for list and find")
    if what != REFRESH and words.flag("dry_run"):
        raise UsageError(f"`--dry-run` is for {REFRESH}", f"{what} writes nothing")
    if what == REFRESH:
        from flowc.cli.money.refreshing import refresh
        from flowc.cli.tasks.guard import guarded

        return guarded(lambda: refresh(words), failed=WORLD_FAILED)
    from flowc.cli.money.listing import show

    return show(words, find=what == FIND)
