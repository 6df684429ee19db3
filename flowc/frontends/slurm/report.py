"""Turns faults in options into diagnostics with the place inside the value, a help and, where it is certain, a fix."""

from __future__ import annotations

from flowc._compiled.slurm_options import ELSEWHERE, OPTIONS, REMOVED
from flowc.diag.codes import slurm as codes
from flowc.diag.sink import Edit, Fix
from flowc.diag.suggest import nearest
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.getopt import Occurrence, Problem, Table
    from flowc.frontends.slurm.trees import ValueMistake
    from flowc.source import Source

# Options whose bad values are helped along with what is usually meant.
_HELP = {
    "duration": "minutes, H:M:S or D-H:M:S: `90`, `1:30:00`, `2-12:00:00`",
    "delay": "minutes, H:M:S or D-H:M:S: `90`, `1:30:00`, `2-12:00:00`",
    "size": "a whole number with K, M, G or T: `4G`, `16000M`",
    "gres": "NAME[:TYPE][:COUNT], joined by commas: `gpu:a100:2,lscratch:100`",
    "gpus": "COUNT or TYPE:COUNT: `2`, `h100:8`",
    "nodes": "a count or MIN-MAX: `2`, `2-4`",
    "moment": "YYYY-MM-DDTHH:MM, HH:MM or now+COUNT: `2030-01-31T18:00`, `now+2hours`",
}
_CASES = {"removed": REMOVED, "elsewhere": ELSEWHERE}


def value_mistake(source: Source, occurrence: Occurrence, mistake: ValueMistake, sink: Sink, shown: str) -> None:
    """A refused value. `shown` is the option as the user knows it."""
    span = value_span(source, occurrence, mistake.start, mistake.end)
    kind = OPTIONS[occurrence.name]["kind"] if occurrence.name in OPTIONS else ""
    fix = glued_long_name(source, occurrence)
    help = _HELP.get(kind)
    if fix is not None:
        help = "a long name takes two dashes"
    elif occurrence.text is not None and occurrence.text.startswith("=") and occurrence.written[:2] != "--":
        fix = _drop_equals(source, occurrence)
        help = "a short option takes its value without `=`"
    elif occurrence.text == "":
        help = help or f"a value follows `{occurrence.written}` without blanks"
    elif not OPTIONS.get(occurrence.name, {}).get("kind"):
        help = None
    code = codes.FILE_NOT_READ if kind in ("nodefile", "file", "export-file") else codes.BAD_VALUE
    if kind == "exit" or (kind == "gres" and occurrence.text and occurrence.text.lower() in ("help", "list")):
        code = codes.PRINTS_AND_EXITS
    sink.report(code, span, help=help, fix=fix, option=shown, reason=mistake.message)


def value_span(source: Source, occurrence: Occurrence, start: int = 0, end: int | None = None) -> Span:
    """A part of an option's value (characters of the value) in the source; the whole option when it has no value."""
    if occurrence.text is None:
        return Span(source, occurrence.start, occurrence.end)
    word, inset = occurrence.word, occurrence.inset
    size = len(occurrence.text)
    stop = size if end is None else min(end, size)
    first = word.at(inset + start)
    last = word.at(inset + stop - 1) + 1 if stop > start else first
    if last <= first:
        return Span(source, occurrence.start, occurrence.end) if not size else Span(source, max(first - 1, 0), first)
    return Span(source, first, last)


def glued_long_name(source: Source, occurrence: Occurrence) -> Fix | None:
    """The fix for `-nodes=2`: a long name after one dash, which sbatch reads as a letter with a glued value."""
    if occurrence.written.startswith("--") or occurrence.inset != 2 or occurrence.text is None:
        return None
    name = (occurrence.written[1:] + occurrence.text).partition("=")[0]
    if name not in OPTIONS and name not in ("tasks-per-node",):
        return None
    start = occurrence.word.start
    return Fix(title=f"write `--{name}`", edits=(Edit(span=Span(source, start, start), text="-"),))


def _drop_equals(source: Source, occurrence: Occurrence) -> Fix | None:
    at = occurrence.word.at(occurrence.inset)
    if source.text[at : at + 1] != "=":
        return None
    return Fix(title="take out the `=`", edits=(Edit(span=Span(source, at, at + 1), text=""),))


def getopt_problem(source: Source, problem: Problem, table: Table, sink: Sink) -> None:
    """What stands where sbatch expects an option of its own."""
    span = Span(source, problem.start, problem.end)
    if problem.kind == "unknown":
        _unknown(source, span, problem, table, sink)
    elif problem.kind == "ambiguous":
        names = ", ".join(f"`--{name}`" for name in problem.names[:6])
        sink.report(codes.AMBIGUOUS_OPTION, span, option=problem.name, names=names, help="write the name in full")
    elif problem.kind == "missing":
        sink.report(codes.MISSING_VALUE, span, option=problem.name)
    elif problem.kind == "unwanted":
        sink.report(codes.UNWANTED_VALUE, span, option=problem.name, help=f"write `{problem.name}` alone")
    else:
        _stray(source, span, problem, sink)


def _unknown(source: Source, span: Span, problem: Problem, table: Table, sink: Sink) -> None:
    written = problem.name
    name = written.lstrip("-").partition("=")[0]
    fix = None
    help = None
    for words in (REMOVED, ELSEWHERE):
        if written.startswith("--") and name in words:
            help = words[name] if words is REMOVED else f"an option of {words[name]}"
    if (
        help is None
        and written.startswith("-")
        and not written.startswith("--")
        and name in table.longs
        and len(name) > 1
    ):
        help = "a long name takes two dashes"
        fix = Fix(title=f"write `--{name}`", edits=(Edit(span=Span(source, span.start, span.start), text="-"),))
    if help is None and len(name) > 1:
        guess = nearest(name.replace("_", "-"), table.names)
        if guess is not None:
            help = f"did you mean `--{guess}`?"
            if source.text[span.start : span.end] == written and written.startswith("--"):
                fix = Fix(title=f"write `--{guess}`", edits=(Edit(span=span, text=f"--{guess}"),))
    sink.report(codes.UNKNOWN_OPTION, span, option=written.partition("=")[0], help=help, fix=fix)


def _stray(source: Source, span: Span, problem: Problem, sink: Sink) -> None:
    text = span.text
    shown = text if len(text) <= 40 else text[:37] + "…"
    shown = shown.replace("\n", " ")
    help = "options begin with `-`; a comment in a directive begins with `#`"
    before = source.text[: span.start].rpartition("\n")[2].split()
    if before and before[-1].startswith("-") and not before[-1].startswith("--") and len(before[-1]) > 2:
        help = f"sbatch takes `{before[-1]}` for a letter with a value; a long name takes two dashes"
    elif before and before[-1].startswith("-"):
        help = f"an optional or missing value of `{before[-1]}` must be attached to it"
    sink.report(codes.STRAY_WORD, span, text=shown, help=help)
