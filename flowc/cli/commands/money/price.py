"""`flowc price`: what jobs would cost, and why; nothing is sent anywhere."""

from __future__ import annotations

from flowc.cli.options import COMMAND_OPTION, JOB_OPTIONS, SOURCE_OPTIONS
from flowc.cli.table import HELP, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="price",
    summary="show what jobs would cost at most, and why",
    usage=("flowc price [OPTIONS] SOURCE… [-- SBATCH OPTIONS]", "flowc price [OPTIONS] --command COMMAND"),
    operand="SOURCE",
    foreign=True,
    options=(
        Option(name="--format", metavar="FORMAT", choices=("human", "json"), help="a page (default), or the plan"),
        COMMAND_OPTION,
        HELP,
        *SOURCE_OPTIONS,
        *JOB_OPTIONS,
    ),
    examples=(
        ("flowc price job.sbatch", "the machine, its price, the worst case, what would be cheaper"),
        ("flowc price jobs/*.sbatch", "each, and their sum"),
        ("flowc price job.sbatch --budget 500", "fails where it could be more in all"),
        ("flowc price job.sbatch -i 8xh200 --format json", "on another machine, for a program"),
    ),
    notes="SOURCE is a file, or - for standard input. Prices are those of the catalog. The worst case holds where the "
    "bid is ended with its job, as `flowc submit` does. Diagnostics go to standard error.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output cannot be written."""
    import sys

    from flowc.cli import terminal
    from flowc.cli.status import Tally
    from flowc.cli.tasks.compiling import results

    tally = Tally()
    found = [(path, result.units) for path, result in results(words, argv, tally, emit="plan") if result.units]
    if not found:
        return tally.status
    if words.text("format") == "json":
        from flowc.ir.encode import dumps, plan_document

        text = dumps(plan_document(unit for _, units in found for unit in units))
        terminal.write(sys.stdout, text, encoding="utf-8")
    else:
        import time

        from flowc.cli.money.page import page

        today = time.strftime("%Y-%m-%d", time.gmtime())
        terminal.write(sys.stdout, page(found, today, of=tally.files))
    return tally.status
