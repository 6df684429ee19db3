"""Turns faults in options into diagnostics with the place inside the value, a help and, where it is certain, a fix."""

from __future__ import annotations

from flowc._compiled.slurm_options import ELSEWHERE, FOREIGN, OPTIONS, REMOVED
from flowc.diag.codes.slurm import read as codes
from flowc.diag.sink import Edit, Fix
from flowc.diag.suggest import nearest
from flowc.frontends.slurm.faults import gaps
from flowc.frontends.slurm.values.numerals import BLANKS
from flowc.frontends.slurm.words.getopt import table_of
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.values.trees import ValueMistake
    from flowc.frontends.slurm.words.getopt import Occurrence, Problem, Table
    from flowc.source import Source

    Advice = tuple[str | None, Fix | None]

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


def value_mistake(source: Source, occurrence: Occurrence, mistake: ValueMistake, sink: Sink, shown: str) -> None:
    """A refused value. `shown` is the option as the user knows it."""
    span = occurrence.value_span(source, mistake.start, mistake.end)
    kind = OPTIONS[occurrence.name]["kind"] if occurrence.name in OPTIONS else ""
    fix = glued_long_name(source, occurrence)
    help = _HELP.get(kind)
    odd = odd_characters(Span(source, occurrence.start, occurrence.end), occurrence.text)
    whole = gaps.taken_from_next_line(source, occurrence) or gaps.advice(source, occurrence.start, occurrence.end)
    whole = whole or gaps.instead_of_lsf(source, occurrence.start)
    if odd is not None:
        help, fix = odd
    elif whole is not None:
        help = whole
    elif fix is not None:
        help = "a long name takes two dashes"
    elif occurrence.text is not None and occurrence.text.startswith("=") and occurrence.written[:2] != "--":
        fix = drop_equals(Span(source, occurrence.start, occurrence.end), occurrence.value_start)
        help = "a short option takes its value without `=`"
    elif occurrence.text is not None and occurrence.text.startswith("=") and occurrence.inset == 0:
        edit = Edit(span=Span(source, occurrence.option_end, occurrence.word.start), text="")
        fix = Fix(title="take out the blank", edits=(edit,))
        help = "no blanks stand around `=`"
    elif occurrence.text == "":
        help = help or f"a value follows `{occurrence.written}` without blanks"
    elif not OPTIONS.get(occurrence.name, {}).get("kind"):
        help = None
    code = codes.FILE_NOT_READ if kind in ("nodefile", "file", "export-file") else codes.BAD_VALUE
    if kind == "exit" or (kind == "gres" and occurrence.text and occurrence.text.lower() in ("help", "list")):
        code = codes.PRINTS_AND_EXITS
    reason = mistake.message
    if occurrence.text == "":
        reason = reason.replace("found the end, ", "it is empty, ")
    sink.report(code, span, help=help, fix=fix, option=shown, reason=reason)


def count_last(option: str, value: str | None) -> str | None:
    """The help for `gpu:8:h100` in a list of GPUs."""
    if value is None or option not in OPTIONS or OPTIONS[option]["kind"] not in ("gres", "gpus"):
        return None
    for item in value.split(","):
        *name, count, model = ("", *item.split(":"))
        if count.isdigit() and model.isalnum() and not model.isdigit() and len(name) < 3:
            return f"the count comes last: `{':'.join((*name[1:], model, count))}`"
    return None


def glued_long_name(source: Source, occurrence: Occurrence) -> Fix | None:
    """The fix for `-nodes=2`: a long name after one dash, which sbatch reads as a letter with a glued value."""
    if occurrence.written.startswith("--") or occurrence.inset != 2 or occurrence.text is None:
        return None
    name = (occurrence.written[1:] + occurrence.text).partition("=")[0]
    if name not in OPTIONS and name not in ("tasks-per-node",):
        return None
    start = occurrence.word.start
    return Fix(title=f"write `--{name}`", edits=(Edit(span=Span(source, start, start), text="-"),))


def drop_equals(option: Span, at: int) -> Fix | None:
    """The fix for `-o=x` with its `=` at the offset `at`: `-o x`. A value that is optional stays attached, and so does
    one inside quotes that hold the option too."""
    source = option.source
    if source.text[at : at + 1] != "=":
        return None
    row = next((row for row in OPTIONS.values() if row["short"] == source.text[at - 1]), None)
    apart = row is not None and row["arg"] == "required" and at == option.start + 2 and at + 1 < option.end
    title = "write a blank for the `=`" if apart else "take out the `=`"
    return Fix(title=title, edits=(Edit(span=Span(source, at, at + 1), text=" " if apart else ""),))


def drop_colon(source: Source, at: int) -> Fix | None:
    """The fix for `#SBATCH:`."""
    if source.text[max(at - 8, 0) : at] not in ("\n#SBATCH", "#SBATCH"):
        return None
    return Fix(title="write `#SBATCH`", edits=(Edit(span=Span(source, at, at + 1), text=""),))


def broken_line(source: Source, at: int, end: int, sink: Sink) -> None:
    """A directive that cannot be split into words from the offset `at` on."""
    if source.text[at] == ":":
        sink.report(codes.COLON_WORD, Span(source, at, at + 1), fix=drop_colon(source, at))
    else:
        sink.report(codes.UNCLOSED_QUOTE, Span(source, at, end), quote=source.text[at])


def odd_characters(option: Span, value: str | None) -> tuple[str, Fix | None] | None:
    """Help and fix for a value with characters that look like others; `option` spans the option and the value."""
    if value is None or value.isascii():
        return None
    from flowc.frontends.slurm.faults import lookalikes

    char = lookalikes.find(value)
    if char is None:
        return None
    return lookalikes.advice(char), lookalikes.mend_options(option.source, option, table_of((22, 5)))


def getopt_problem(source: Source, problem: Problem, table: Table, sink: Sink) -> None:
    """What stands where sbatch expects an option of its own."""
    span = Span(source, problem.start, problem.end)
    if problem.kind == "unknown":
        _unknown(source, span, problem, table, sink)
    elif problem.kind == "ambiguous":
        names = ", ".join(f"`--{name}`" for name in problem.names[:6])
        help, fix = _foreign(span, problem.name, table) or ("write the name in full", None)
        sink.report(codes.AMBIGUOUS_OPTION, span, option=problem.name, names=names, help=help, fix=fix)
    elif problem.kind == "missing":
        sink.report(codes.MISSING_VALUE, span, option=problem.name)
    elif problem.kind == "unwanted":
        sink.report(codes.UNWANTED_VALUE, span, option=problem.name, help=f"write `{problem.name}` alone")
    else:
        from flowc.frontends.slurm.faults.strays import report_stray

        report_stray(source, problem, table, sink)


def _unknown(source: Source, span: Span, problem: Problem, table: Table, sink: Sink) -> None:
    if (lsf := gaps.instead_of_lsf(source, span.start)) is not None:
        sink.report(codes.UNKNOWN_OPTION, span, option=problem.name.partition("=")[0], help=lsf)
        return
    advice = _by_characters(source, span, table) or _by_dashes(source, span, problem, table)
    if advice is None and problem.name.startswith("--"):
        advice = _by_tables(span, problem.name, table)
    help, fix = advice or _nearest(span, problem.name, table)
    sink.report(codes.UNKNOWN_OPTION, span, option=problem.name.partition("=")[0], help=help, fix=fix)


def _by_characters(source: Source, span: Span, table: Table) -> Advice | None:
    if span.text.isascii():
        return None
    from flowc.frontends.slurm.faults import lookalikes

    char = lookalikes.find(span.text)
    if char is None:
        return None
    end = span.end
    while end < len(source.text) and end - span.start < 1000 and source.text[end] not in BLANKS:
        end += 1
    return lookalikes.advice(char), lookalikes.mend_options(source, Span(source, span.start, end), table)


def _by_dashes(source: Source, span: Span, problem: Problem, table: Table) -> Advice | None:
    """`-job-name=x`, whose first letter is no option."""
    name = problem.name.lstrip("-").partition("=")[0]
    if problem.name.startswith("--") or name not in table.longs or len(name) < 2:
        return None
    fix = Fix(title=f"write `--{name}`", edits=(Edit(span=Span(source, span.start, span.start), text="-"),))
    return "a long name takes two dashes", fix


def _by_tables(span: Span, written: str, table: Table) -> Advice | None:
    name = written[2:]
    known = _foreign(span, written, table)
    if name in REMOVED:
        return REMOVED[name], known[1] if known else None
    if name in ELSEWHERE:
        return f"an option of {ELSEWHERE[name]}", None
    return known


def _foreign(span: Span, written: str, table: Table) -> Advice | None:
    """What sbatch calls an option of another system."""
    names = [name for name in FOREIGN.get(written[2:].replace("_", "-"), ()) if name in table.longs]
    if not written.startswith("--") or not names:
        return None
    shown = " or ".join(f"`--{name}`" for name in names)
    if len(names) > 1:
        return f"to sbatch this is {shown}", None
    return f"to sbatch this is {shown}", _rename(span, written, names[0])


def _nearest(span: Span, written: str, table: Table) -> Advice:
    name = written.lstrip("-").partition("=")[0]
    guess = nearest(name.replace("_", "-"), table.names) if len(name) > 1 else None
    if guess is None:
        return None, None
    return f"did you mean `--{guess}`?", _rename(span, written, guess)


def _rename(span: Span, written: str, name: str) -> Fix | None:
    if span.text != written or not written.startswith("--"):
        return None
    return Fix(title=f"write `--{name}`", edits=(Edit(span=span, text=f"--{name}"),))
