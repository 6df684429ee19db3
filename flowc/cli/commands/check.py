"""`flowc check`: the findings about many files, in their order, on standard output."""

from __future__ import annotations

import sys

from flowc.cli.options import COMMAND_OPTION, JOB_OPTIONS, JUDGE, SOURCE_OPTIONS
from flowc.cli.table import HELP, Command, Option
from flowc.diag.code import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words
    from flowc.cli.checking.checker import Checker
    from flowc.cli.status import Tally

_SHOWN = "what is shown"
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
            choices=("human", "concise", "json", "sarif", "github", "gitlab", "junit", "html"),
            help="how findings are shown (default: human)",
        ),
        Option(
            name="--summary",
            help="count instead: each finding, and each module, path and program that is missing, with how many files "
            "it concerns (a table, --format json or html)",
        ),
        JUDGE,
        Option(name="--fix", help="apply the fixes that are certain, in place"),
        Option(name="--unsafe-fixes", help="with --fix or --diff: those too that may make another job of it"),
        Option(name="--diff", help="show what --fix would change, and change nothing"),
        Option(
            name="--select",
            metavar="CODE,…",
            values="codes",
            repeat=True,
            help="only these: codes (FC820), what codes begin with (FC8), names",
            group=_SHOWN,
        ),
        Option(
            name="--ignore",
            metavar="CODE,…",
            values="codes",
            repeat=True,
            help="none of these findings",
            group=_SHOWN,
        ),
        Option(
            name="--exclude",
            metavar="PATTERN",
            repeat=True,
            help="pass over these files below folders: old, *.tmp.yaml, jobs/2019/*",
            group=_SHOWN,
        ),
        Option(
            name="--severity",
            metavar="LEVEL",
            choices=SEVERITIES,
            help="nothing below this (default: note)",
            group=_SHOWN,
        ),
        Option(name="--quiet", short="-q", help="findings alone, without the count at the end", group=_SHOWN),
        Option(name="--baseline", metavar="FILE", kind="file", help="only what is not in this file", group=_SHOWN),
        Option(
            name="--add-ignores",
            help="write a comment into each file that ignores what is found in it now, or, with --baseline, that file",
            group=_SHOWN,
        ),
        Option(name="--stdin-filename", metavar="NAME", help="what standard input is called", group=_SHOWN),
        Option(name="--no-cache", help="check each file anew, and keep nothing for the next time"),
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
        ("flowc check --summary jobs/", "what they need that a machine does not have, and how many do"),
        ("flowc check --format github .", "as annotations of a pull request"),
        ("cat job.sbatch | flowc check -", "from standard input"),
        ("flowc check --ignore FC820 --severity warning jobs/", "without these, and without notes"),
        ("flowc check --add-ignores jobs/", "begin with what is there; from now on new findings are shown"),
    ),
    notes=(
        "SOURCE is a file, a folder, or - for standard input. In folders, these are checked: files with a "
        "suffix that only job files have (.sbatch, .slurm, …), scripts with directives that sbatch would read, "
        "whatever their names, and .yaml where it is plainly a job; hidden folders and templates (job.sh.j2) are "
        "passed over. A comment `# flowc: ignore[FC820] why` behind a line, or on a line of its own above it, hides "
        "that finding; at the head of the file all of that kind in it. For all files of a project, `select`, `ignore`, "
        "`exclude`, `severity` and `per-file-ignores` stand in `[tool.flowc]` of pyproject.toml, or in .flowc.toml."
    ),
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError."""
    from flowc.cli import sources, terminal
    from flowc.cli.arguments import refuse_mixtures
    from flowc.cli.checking.checker import Checker
    from flowc.cli.status import DONE, ERRORS, Tally

    checker = Checker(words, argv)
    refuse_mixtures(words)
    commanded = checker.inputs.command
    _refuse(checker, words)
    only_jobs = words.flag("only_jobs")
    if commanded is None:
        excluded = checker.showing.exclude
        files = sources.expand(words.operands, only_jobs=only_jobs, once=checker.inputs.once, exclude=excluded)
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
    tally.world_failed = any(version is None for _, version in checker.judges)
    text, documents = checker.of_profile(tally)
    if text:
        terminal.write(sys.stdout, text)
    for text, found, numbers in checker.outcomes(files) if not checker.stuck else ():
        tally.merge(numbers)
        documents += found
        if text:
            terminal.write(sys.stdout, text)
    if checker.stuck:
        terminal.write(sys.stderr, "flowc: error: nothing was checked: the profile is to be mended first\n")
        if checker.summary or checker.adopts:
            return tally.status
    text, found = checker.unused(tally)
    documents += found
    if text:
        terminal.write(sys.stdout, text)
    encoding = None if checker.format == "human" else "utf-8"
    terminal.write(sys.stdout, checker.conclusion(tally, documents), encoding=encoding)
    if checker.adopts and checker.showing.baseline_path is not None:
        return _keep(checker.showing.baseline_path, tally)
    would_change = checker.diff and tally.fixed + tally.adopted
    return ERRORS if would_change and tally.status == DONE else tally.status


def _refuse(checker: Checker, words: Words) -> None:
    """Raises UsageError where flags do not go together."""
    from flowc.cli.arguments import UsageError

    commanded = checker.inputs.command
    if not words.operands and commanded is None:
        raise UsageError("no SOURCE given", "name job files or folders, or - for standard input: flowc check .")
    if checker.changes and ("-" in words.operands or commanded is not None):
        what = "standard input" if commanded is None else "the command line"
        raise UsageError(f"`{checker.changes}` cannot change {what}", "name a file")
    if checker.diff and checker.format != "human":
        raise UsageError("`--diff` is a format of its own", "leave out `--format`")
    if checker.summary and (checker.changes or checker.diff or checker.format not in ("human", "json", "html")):
        word = checker.changes or ("--diff" if checker.diff else f"--format {checker.format}")
        raise UsageError(f"`--summary` and `{word}` do not go together", "a summary is a table, or json, or html")
    if checker.format == "html" and not checker.summary:
        raise UsageError("`--format html` is the page of a summary", "add `--summary`")
    if checker.unsafe and not (checker.fix or checker.diff):
        raise UsageError("`--unsafe-fixes` says which fixes, not that there are to be any", "add `--fix` or `--diff`")


def _keep(path: str, tally: Tally) -> int:
    """Write a baseline of all that was found."""
    from flowc.cli import terminal
    from flowc.cli.checking.fix import write_new
    from flowc.cli.status import DONE, WORLD_FAILED
    from flowc.diag.render import count
    from flowc.silence.baseline import text_of

    try:
        write_new(path, text_of(tally.prints).encode())
    except OSError as error:
        terminal.write(sys.stderr, f"flowc: error: cannot write `{path}`: {(error.strerror or str(error)).lower()}\n")
        return WORLD_FAILED
    terminal.write(
        sys.stderr, f"flowc: kept {count(len(tally.prints), 'finding')} in {path}: --baseline {path} hides them\n"
    )
    return tally.status if tally.bugs or tally.world_failed else DONE
