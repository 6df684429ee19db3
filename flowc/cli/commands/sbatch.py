"""`flowc sbatch`: takes a job as sbatch does, for scripts that call it."""

from __future__ import annotations

from flowc.cli.table import HELP, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

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
    "number --dependency, and the TASK of every command, know the job, and it is SLURM_JOB_ID within. Where "
    'sbatch is looked for in PATH, by a script of Python too, let a file of that name do `exec flowc sbatch "$@"`. '
    "Each call submits a job, though the same one lives. Settings and environment say the rest (FLOW_PROVIDER, …). "
    "Nobody waits there: `flowc watch` places the jobs behind others, and ends what is paid.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output or error cannot be written."""
    from flowc.cli.arguments import parse
    from flowc.cli.commands.submit import COMMAND as SUBMIT
    from flowc.cli.tasks.submitting import submit
    from flowc.frontends.slurm.words.called import called

    given = list(words.rest or ())
    call = called(given)
    if call.script == -1:
        from flowc.cli.arguments import UsageError

        raise UsageError(f"sbatch has no option `{given[0]}`", "`flowc sbatch --help` shows what follows")
    source = [] if "wrap" in call.names else ["-"] if call.script is None else [given[call.script]]
    line = [*source, "--", *call.others, *call.arguments]
    parsed = parse(SUBMIT, line)
    flags = {option.key for option in SUBMIT.options if option.metavar is None}
    values = {**parsed.values, **{key: True for key in call.how & flags}, "force_new": True}
    values["number"] = "parsable" if "parsable" in call.how else "words"
    parsed = parsed.replace(values=values)
    return submit(parsed, ["submit", *line])
