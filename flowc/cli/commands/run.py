"""`flowc run`: a command, or a job file, is submitted; on this computer its output is shown."""

from __future__ import annotations

from flowc.cli.options import SOURCE_OPTIONS, SUBMITTED_JOB_OPTIONS
from flowc.cli.table import HELP, Command
from flowc.cli.tasks.options import SUBMIT_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

# How files of jobs end: nobody calls a program so.
JOB_FILES = (".sbatch", ".slurm", ".yaml", ".yml", ".json", ".sh")

COMMAND = Command(
    name="run",
    summary="run a command, or a job file",
    usage=('flowc run [OPTIONS] "COMMAND"', "flowc run [OPTIONS] SOURCE… [-- SBATCH OPTIONS]"),
    operand="SOURCE",
    foreign=True,
    options=(HELP, *SUBMIT_OPTIONS, *SOURCE_OPTIONS, *SUBMITTED_JOB_OPTIONS),
    examples=(
        ('flowc run "echo hello" --provider local', "on this computer, at once: nothing is paid"),
        ('flowc run "nvidia-smi" -i 8xh100 --provider local', "with that machine's GPUs, as a mock"),
        ('flowc run "python train.py" -i 8xh100 --time 2:00:00 --follow', "on a rented machine, for 2 hours at most"),
        ('flowc run "python train.py" -i 8xh100 --dry-run --offline', "what would be called, without network and key"),
        ("flowc run job.sbatch --provider local", "a job file: as submit, and its output is shown"),
    ),
    notes="One word that names no file is a command for the machine's shell; quote it as a whole. All else is as in "
    "`flowc submit`, but that on this computer the output is shown, as with --follow, unless --wait is given: the "
    "exit status is the job's then, and 125 where flowc itself fails.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output or error cannot be written."""
    from flowc.cli.tasks.submitting import submit

    return submit(_with_command(words), argv, shown_here=True)


def _with_command(words: Words) -> Words:
    """The words, with an operand that is a command as `--command` would have it. Raises UsageError."""
    import os

    from flowc.cli.arguments import UsageError

    named = [operand == "-" or os.path.exists(operand) for operand in words.operands]
    if not words.operands or all(named) or words.flag("resume"):
        return words
    first = words.operands[0]
    if len(named) > 1:
        from shlex import join, quote

        if named[0]:
            missing = words.operands[named.index(False)]
            raise UsageError(f"there is no file `{missing}`", "a command is one word, quoted, and stands alone")
        raise UsageError(f"`{first}` and what follows are several words", f"flowc run {quote(join(words.operands))}")
    if first.endswith(JOB_FILES) and len(first.split()) == 1:
        hint = f"one that the machine has: flowc run 'bash {first}'" if first.endswith(".sh") else "look at its path"
        raise UsageError(f"there is no file `{first}`", hint)
    place = (words.operand_words[0], 0)
    return words.replace(
        operands=(), values={**words.values, "command": first}, places={**words.places, "command": place}
    )
