"""`flowc check`: the findings about many files, in their order, on standard output."""

from __future__ import annotations

import sys

from flowc.cli.options import COMMAND_OPTION, JOB_OPTIONS, SOURCE_OPTIONS
from flowc.cli.table import HELP, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.cli.arguments import Words

COMMAND = Command(
    name="check",
    summary="find mistakes in jobs, without producing anything",
    usage=("flowc check [OPTIONS] SOURCE… [-- SBATCH OPTIONS]", "flowc check [OPTIONS] --command COMMAND"),
    operand="SOURCE",
    foreign=True,
    options=(
        Option(
            name="--format",
            metavar="FORMAT",
            choices=("human", "json", "sarif", "github"),
            help="how findings are shown (default: human)",
        ),
        Option(name="--fix", help="apply the fixes that are certain, in place"),
        Option(name="--only-jobs", help="pass over files named that are no jobs, as in folders (for hooks)"),
        COMMAND_OPTION,
        HELP,
        *SOURCE_OPTIONS,
        *JOB_OPTIONS,
    ),
    examples=(
        ("flowc check job.sbatch", "one job"),
        ("flowc check jobs/", "every job file below a folder"),
        ("flowc check --fix jobs/", "and mend what can be mended"),
        ("flowc check --format github .", "as annotations of a pull request"),
        ("cat job.sbatch | flowc check -", "from standard input"),
    ),
    notes=(
        "SOURCE is a file, a folder, or - for standard input. In folders, these are checked: files with a\n"
        "suffix that only job files have (.sbatch, .slurm, …), scripts with directives that sbatch would read,\n"
        "whatever their names, and .yaml where it is plainly a job; hidden folders are passed over."
    ),
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError."""
    from flowc.cli import sources, terminal
    from flowc.cli.arguments import UsageError, refuse_mixtures
    from flowc.cli.checker import Checker
    from flowc.cli.status import Tally

    checker = Checker(words, argv)
    refuse_mixtures(words)
    commanded = checker.inputs.command
    if not words.operands and commanded is None:
        raise UsageError("no SOURCE given", "name job files or folders, or - for standard input: flowc check .")
    if checker.fix and ("-" in words.operands or commanded is not None):
        what = "standard input" if commanded is None else "the command line"
        raise UsageError(f"`--fix` cannot change {what}", "name a file")
    only_jobs = words.flag("only_jobs")
    if commanded is None:
        files = sources.expand(words.operands, only_jobs=only_jobs, once=checker.inputs.once)
    else:
        files = [commanded.source.path]
    if not files and checker.format == "human":
        if only_jobs:  # a hook asks about whatever is there
            return 0
        shown = ", ".join(f"`{operand}`" for operand in words.operands)
        hint = (
            "job files end in .sbatch or .slurm, begin with #! and #SBATCH lines, or end in .yaml and are plainly jobs"
        )
        terminal.write(sys.stderr, f"flowc: no job files found below {shown}\n  {hint}; name any other one\n")
        return 0
    tally = Tally()
    documents: list[dict[str, Any]] = []
    for text, found, numbers in checker.outcomes(files):
        tally.merge(numbers)
        documents += found
        if text:
            terminal.write(sys.stdout, text)
    encoding = None if checker.format == "human" else "utf-8"
    terminal.write(sys.stdout, checker.conclusion(tally, documents), encoding=encoding)
    return tally.status
