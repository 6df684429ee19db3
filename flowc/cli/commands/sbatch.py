"""`flowc sbatch`: takes a job as sbatch does, for scripts that call it."""

from __future__ import annotations

from flowc.cli.table import HELP, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

# What of sbatch's own options says how, and not what, is submitted, with the flag of `flowc submit`.
_HOW = {"wait": "wait", "test-only": "dry_run"}
_HOW_WORDS = ("--parsable", "--wait", "-W", "--test-only")

COMMAND = Command(
    name="sbatch",
    summary="submit a job as sbatch does, for scripts that call it",
    usage=("flowc sbatch [SBATCH OPTIONS] [SCRIPT [ARGUMENTS]]",),
    whole=True,
    options=(HELP,),
    examples=(
        ("flowc sbatch --parsable -d afterok:1234567 train.sbatch", "the number of the job alone"),
        ('sbatch() { flowc sbatch "$@"; }; export -f sbatch; bash pipeline.sh', "a script of bash that calls sbatch"),
    ),
    notes="It prints what sbatch prints: `Submitted batch job NUMBER`, or with --parsable the number alone. By this "
    "number --dependency, and the TASK of every command, know the job; SLURM_JOB_ID within it is another one. Where "
    'sbatch is looked for in PATH, by a script of Python too, let a file of that name do `exec flowc sbatch "$@"`. '
    "Each call submits a job, though the same one lives. Settings and environment say the rest (FLOW_PROVIDER, …). "
    "Nobody waits there: `flowc watch` places the jobs behind others, and ends what is paid.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output or error cannot be written."""
    from flowc.cli.arguments import parse
    from flowc.cli.commands.submit import COMMAND as SUBMIT
    from flowc.cli.tasks.submitting import submit
    from flowc.frontends.slurm.words.getopt import script_of

    given = list(words.rest or ())
    names, at = script_of(given)
    source = [] if "wrap" in names else ["-"] if at is None else [given[at]]
    if at == -1:
        from flowc.cli.arguments import UsageError

        raise UsageError(f"sbatch has no option `{given[0]}`", "`flowc sbatch --help` shows what follows")
    options, arguments = (given, []) if at is None else (given[:at], given[at + 1 :])
    rest = [*(each for each in options if each not in _HOW_WORDS), *arguments]
    line = [*source, "--", *rest]
    how: dict[str, str | bool | list[str]] = {key: True for name, key in _HOW.items() if name in names}
    parsed = parse(SUBMIT, line)
    number = "parsable" if "parsable" in names else "words"
    parsed = parsed.replace(values={**parsed.values, **how, "force_new": True, "number": number})
    return submit(parsed, ["submit", *line])
