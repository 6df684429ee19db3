"""Words of a directive that belong to no option: what was most likely meant."""

from __future__ import annotations

from flowc.diag.codes.slurm import read as codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.slurm.faults import gaps, lookalikes
from flowc.frontends.slurm.values.settings import accepts
from flowc.patterns import at_first_use
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.words.getopt import Occurrence, Problem, Table
    from flowc.source import Source

    Advice = tuple[str | None, Fix | None]

_unit = at_first_use(r"([KMGTkmgt])(?:i?[Bb])?\Z", "match")
_COMMENTS = ("//", ";", "/*")


def report_stray(source: Source, problem: Problem, table: Table, sink: Sink) -> None:
    """Report a word (and those after it) that stands where an option is due."""
    span = Span(source, problem.start, problem.end)
    text = span.text
    help, fix = (
        _by_characters(source, span, problem, table)
        or _by_gap(source, span, problem)
        or _by_spelling_before(source, span, problem, table)
        or _comment_sign(source, span)
        or _by_option_before(source, span, problem, table)
        or _by_itself(source, span, table)
        or ("options begin with `-`, values with blanks need quotes, comments begin with `#`", None)
    )
    shown = text if len(text) <= 40 else text[:37] + "…"
    sink.report(codes.STRAY_WORD, span, text=shown.replace("\n", " "), help=help, fix=fix)


def _by_characters(source: Source, span: Span, problem: Problem, table: Table) -> Advice | None:
    char = lookalikes.find(span.text)
    if char is None:
        return None
    fix = lookalikes.mend_options(source, span, table)
    if fix is None and problem.before is not None:
        fix = lookalikes.mend_options(source, Span(source, problem.before.start, span.end), table)
    return lookalikes.advice(char), fix


def _by_gap(source: Source, span: Span, problem: Problem) -> Advice | None:
    before = problem.before
    help = gaps.taken_from_next_line(source, before) if before is not None and before.text is not None else None
    help = help or gaps.advice(source, span.start, span.end)
    if help is None and before is not None:
        help = gaps.instead_of_lsf(source, before.start)
    return None if help is None else (help, None)


def _by_itself(source: Source, span: Span, table: Table) -> Advice | None:
    text = span.text
    if source.text.startswith("#SBATCH", span.start - 7):
        return "a blank follows `#SBATCH`", None
    name, equals, _ = text.partition("=")
    if equals and name in table.longs and " " not in text:
        fix = Fix(title=f"write `--{text}`", edits=(Edit(span=Span(source, span.start, span.start), text="--"),))
        return "a long name takes two dashes", fix
    return None


def _by_spelling_before(source: Source, span: Span, problem: Problem, table: Table) -> Advice | None:
    """The option right before the word is spelt so that its value stands alone."""
    before = problem.before
    if before is None:
        return None
    written = before.written
    if before.text in ("", "=") and before.word.text.endswith("="):
        return _blanks_around_equals(source, span, before)
    long = before.word.text[1:]
    if written[1:2] != "-" and long in table.longs:
        start = before.word.start
        fix = Fix(title=f"write `--{long}`", edits=(Edit(span=Span(source, start, start), text="-"),))
        return f"sbatch takes `-{long}` for `{written}` with a value; a long name takes two dashes", fix
    return None


def _comment_sign(source: Source, span: Span) -> Advice | None:
    for sign in _COMMENTS:
        if span.text.startswith(sign):
            edit = Edit(span=Span(source, span.start, span.start + len(sign)), text="#")
            return f"a comment begins with `#`, not with `{sign}`", Fix(title="write `#`", edits=(edit,))
    return None


def _by_option_before(source: Source, span: Span, problem: Problem, table: Table) -> Advice | None:
    """What the kind of the option right before the word says about it."""
    before = problem.before
    if before is None:
        return None
    text, written = span.text, before.written
    if before.text is None:
        if table.args[before.name] == "optional":
            return _attach(source, span, before)
        return f"`{written}` takes no value", None
    kind = _kind(before)
    unit = _unit(text)
    if kind == "size" and unit and before.text.isdigit():
        fix = Fix(
            title=f"write `{before.text}{unit[1].upper()}`",
            edits=(Edit(span=Span(source, before.end, span.end), text=unit[1].upper()),),
        )
        return f"the unit follows without a blank: `{before.text}{unit[1].upper()}`", fix
    if before.text.endswith(",") or text.startswith(","):
        return _join_list(source, span, before)
    whole = source.text[before.value_start : span.end]
    if kind in ("text", "path", "chdir", "features") and '"' not in whole and len(whole) < 80:
        quoted = f'{written}="{whole}"' if written.startswith("--") else f'{written} "{whole}"'
        return f"a value with blanks needs quotes: `{quoted}`; a comment begins with `#`", None
    return None


def _kind(occurrence: Occurrence) -> str:
    from flowc._compiled.slurm_options import OPTIONS

    return str(OPTIONS[occurrence.name]["kind"]) if occurrence.name in OPTIONS else ""


def _blanks_around_equals(source: Source, span: Span, before: Occurrence) -> Advice:
    """`--nodes = 2`, `--nodes= 2`"""
    value = span.text.split()[0]
    start = before.start + len(before.written)
    edit = Edit(span=Span(source, start, span.start + len(value)), text=f"={value}")
    help = "no blanks stand around `=`"
    if not before.written.startswith("--") or span.text != value or source.text[start : start + 1] in "\"'":
        return help, None
    return help, Fix(title=f"write `{before.written}={value}`", edits=(edit,))


def _join_list(source: Source, span: Span, before: Occurrence) -> Advice:
    """`--mail-type=BEGIN, END`"""
    rest = "".join(span.text.split())
    fix = None
    if accepts(before.name, f"{before.text}{rest}") and "'" not in rest and '"' not in rest:
        fix = Fix(title="take out the blanks", edits=(Edit(span=Span(source, before.end, span.end), text=rest),))
    return "a list holds no blanks", fix


def _attach(source: Source, span: Span, before: Occurrence) -> Advice:
    value, written = span.text.split()[0], before.written
    joined = f"{written}={value}" if written.startswith("--") else written + value
    fix = None
    if span.text == value and accepts(before.name, value):
        edit = Edit(span=Span(source, before.end, span.end), text=joined[len(written) :])
        fix = Fix(title=f"write `{joined}`", edits=(edit,))
    return f"the value of `{written}` is optional and must be attached: `{joined}`", fix
