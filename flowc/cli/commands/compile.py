"""`flowc compile`: artifacts on standard output or as files, diagnostics on standard error."""

from __future__ import annotations

from flowc.backends import BACKENDS
from flowc.cli.options import COMMAND_OPTION, JOB_OPTIONS, JUDGE, SOURCE_OPTIONS
from flowc.cli.table import HELP, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="compile",
    summary="turn a job into a bid",
    usage=("flowc compile [OPTIONS] SOURCE… [-- SBATCH OPTIONS]", "flowc compile [OPTIONS] --command COMMAND"),
    operand="SOURCE",
    foreign=True,
    options=(
        Option(
            name="--emit",
            metavar="TARGET",
            choices=("ast", "ir", "plan", *(entry.name for entry in BACKENDS)),
            help="what to produce (default: mithril)",
        ),
        Option(
            name="--output",
            short="-o",
            metavar="DIR",
            kind="folder",
            help="write the files below DIR instead of printing one",
        ),
        COMMAND_OPTION,
        JUDGE,
        HELP,
        *SOURCE_OPTIONS,
        *JOB_OPTIONS,
    ),
    examples=(
        ("flowc compile job.sbatch", "the bid, as JSON on standard output"),
        ("flowc compile job.sbatch -o out/", "request, startup script and report as files"),
        ("flowc compile job.sbatch -i 8xh100 --budget 500", "on that machine, never for more than that"),
        ("flowc compile job.sbatch --emit script", "the startup script, readable"),
        ("flowc compile job.sbatch -- --nodes=2 -t 1:00:00", "with sbatch's own options, as given to sbatch"),
        ('flowc compile -- --gpus=8 --wrap "python train.py"', "without a file"),
        ('flowc compile -c "python train.py" -i 8xh100', "a command, without sbatch's rules"),
        ("flowc compile job.yaml --set spec.backoffLimit=0", "with another value in a YAML file"),
    ),
    notes="SOURCE is a file, or - for standard input. Diagnostics go to standard error.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output or error cannot be written."""
    import os

    from flowc.cli.arguments import UsageError
    from flowc.cli.outputs import Outputs
    from flowc.cli.status import WORLD_FAILED, Tally
    from flowc.cli.tasks.compiling import compiled

    folder = words.text("output")
    if folder is not None and os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"`{folder}` is not a folder", "-o takes the folder that the files are written to")
    outputs = Outputs(folder, several=len(words.operands) > 1)
    tally = Tally()
    for path, artifacts in compiled(words, argv, tally, emit=words.text("emit") or "mithril"):
        if artifacts and not outputs.put(path, artifacts):
            return WORLD_FAILED
    return tally.status
