"""`flowc submit`: compiles jobs and submits them, each exactly once."""

from __future__ import annotations

from flowc.cli.options import SOURCE_OPTIONS, SUBMITTED_JOB_OPTIONS
from flowc.cli.table import HELP, Command
from flowc.cli.tasks.options import SUBMIT_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="submit",
    summary="compile jobs and submit them, each exactly once",
    usage=("flowc submit [OPTIONS] SOURCE… [-- SBATCH OPTIONS]", "flowc submit --resume [KEY…]"),
    operand="SOURCE",
    foreign=True,
    options=(HELP, *SUBMIT_OPTIONS, *SOURCE_OPTIONS, *SUBMITTED_JOB_OPTIONS),
    examples=(
        ("flowc submit job.sbatch", "a bid; the name of its task is printed"),
        ("flowc submit job.sbatch --provider local --follow", "on this computer, with its output and exit status"),
        ("flowc submit job.sbatch --follow", "stays until the job has ended, and ends its bid"),
        ("flowc submit a.sbatch b.sbatch --after afterok:a", "`b` when `a` has ended well"),
        ("flowc submit b.sbatch --after afterany:sweep_3", "behind a task of an array that was submitted before"),
        ("flowc submit job.sbatch --code .", "brings this folder, but for what git ignores"),
        ("flowc submit job.sbatch --code git", "the machines clone the commit that is checked out"),
        ("flowc submit job.sbatch --dry-run", "what would be called, and what is found on the way"),
        ("flowc submit job.sbatch --dry-run --offline", "the same without network and key"),
        ("flowc submit --resume", "finish what a lost connection or a power cut left open"),
        ("flowc submit job.sbatch --force-new", "once more, though it lives already"),
    ),
    notes="The names of tasks go to standard output, one a line; with --follow the output of the jobs does. All else "
    "goes to standard error; its last line says who ends what is paid. With --follow and --wait the exit status is "
    "the job's, and 125 where flowc itself fails.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output or error cannot be written."""
    from flowc.cli.tasks.submitting import submit

    return submit(words, argv)
