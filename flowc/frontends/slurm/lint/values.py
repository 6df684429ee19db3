"""Warns of values that sbatch takes though they hardly mean what they say."""

from __future__ import annotations

from flowc._compiled.shell_words import ENVIRONMENT
from flowc._compiled.slurm_options import OPTIONS
from flowc.diag.codes.slurm import files
from flowc.diag.codes.slurm import lint as codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.slurm.faults import report
from flowc.frontends.slurm.values.settings import MAIL_EVENTS
from flowc.patterns import at_first_use
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast, Given

LONGEST = 1024  # longer values are looked at no closer; the controller refuses most of them
# Options whose value may be any text.
PLAIN_TEXT = frozenset(name for name, row in OPTIONS.items() if row["kind"] in ("text", "path", "chdir"))

_minutes_seconds = at_first_use(r"0*([0-9]{1,6}):0*([0-9]{1,6})\Z", "match")
_placeholder = at_first_use(
    r"<[^<>]{1,60}>|\{\{.{0,60}?\}\}|(?<!\$)\{[A-Za-z_][\w-]{0,60}\}|@[A-Z_]{2,}@|(?<![A-Za-z])X{3,}(?![A-Za-z])"
    r"|(?<![A-Za-z])(?i:your)[_-]\w+|\w{1,60}[_-]of[_-]your[_-]\w+"
    r"|(?<![A-Za-z])(?i:REPLACE|CHANGE|FILL|INSERT|EDIT|SET)[_-]?(?i:ME|THIS|WITH|IN)(?![a-z])\w*"
    r"|\A![A-Z_]{2,}\Z|\A\[[A-Za-z][\w ,/|-]*\]\Z|\ATODO\b|(?:\A|/)path/to/",
    "search",
)
# One of these stands in each of them, in small letters, if not two `@`.
_GAP_SIGNS = (
    *("<", "{", "!", "[", "xxx", "your", "todo", "path/to/"),
    *("replace", "change", "fill", "insert", "edit", "set"),
)
_printf = at_first_use(r"(?<![%\w])%[sd](?!\w)", "search")  # for format() or printf(); no pattern of a file name
_expansion = at_first_use(r"\$\{[^}]*\}?|\$\([^)]*\)?|\$\w+|`[^`]*`|\A~(?=/|\Z)", "search")
# Here brackets and exclamation marks have a meaning.
_BRACKETS = frozenset(("array", "constraint", "prefer", "nodelist", "exclude", "cluster-constraint"))
_ADDS_UP = frozenset(("signal", "switches", "kill-on-invalid-dep", "mail-type", "verbose", "quiet"))
# What of the patterns of file names stands for a variable.
_PATTERNS = {
    "USER": "`%u` in a file name is the user's name",
    "SLURM_JOB_NAME": "`%x` in a file name is the job's name",
    "SLURM_ARRAY_JOB_ID": "`%A` in a file name is the array's number",
    "SLURM_ARRAY_TASK_ID": "`%a` in a file name is the index of the task",
    "SLURM_JOB_ID": "`%j` in a file name is the job's number",
    "SLURM_JOBID": "`%j` in a file name is the job's number",
}
_MOST_HOURS = 24  # a first field up to this may be meant as hours
_PLAIN_MINUTES = (5, 10, 15, 20)  # `10:00` is what people write for ten minutes, if nothing beside it says hours
_hours = at_first_use(r"(?i)#[^\n]*\b(?:h|hrs?|hours?|hh)\b", "search")
_DAYS_IN_HOURS = frozenset(("24", "48", "72", "96", "168"))


def looks_unfilled(text: str) -> re.Match[str] | None:
    """The part of a value that looks like the gap of a template."""
    lowered = text.lower()
    if text.isascii() and text.count("@") < 2:
        for sign in _GAP_SIGNS:
            if sign in lowered:
                break
        else:
            return None
    found: re.Match[str] | None = _placeholder(text)
    return found


def lint_values(ast: Ast, sink: Sink, doubtful: set[int]) -> None:
    """Look at every option of the script and its command line, but not at `doubtful` ones (by offset)."""
    directories: set[str] = set()
    last: dict[tuple[int, str], Given] = {}
    for given in ast.given:
        if given.origin == "environment" or (given.span.start in doubtful and given.origin == "script"):
            continue
        if given.origin == "script":
            _repeated(given, last, sink)
        span = given.value_span
        if given.value is not None and span is not None and len(given.value) <= LONGEST:
            _one_value(given, given.value, span, sink, directories)
    _lowered_nodes(ast, sink)


def _repeated(given: Given, last: dict[tuple[int, str], Given], sink: Sink) -> None:
    key = given.component, given.option
    before = last.get(key)
    last[key] = given
    if before is None or given.option in _ADDS_UP or before.canonical == given.canonical:
        return
    line = given.span.line
    sink.report(
        codes.REPEATED_OPTION,
        before.span,
        option=given.option,
        line=line,
        notes=((given.span, "the one that holds"),),
    )


def _one_value(given: Given, value: str, span: Span, sink: Sink, directories: set[str]) -> None:
    foreign = given.origin in ("pbs", "bsub")
    if not foreign and _spelling(given, value, span, sink):
        return  # what follows would speak of a value that nobody wrote
    kind = OPTIONS[given.option]["kind"] if given.option in OPTIONS else ""
    if not value.isascii() and given.origin != "arguments":
        _characters(given, value, span, sink)
    found = looks_unfilled(value) or (_printf(value) if "%" in value and kind != "path" else None)
    if found and not (given.option in _BRACKETS and found[0][:1] in ("[", "!")):
        from flowc.diag.suggest import to_fill

        help = "`--fill NAME=VALUE` puts a value there" if to_fill(found[0]) else None
        sink.report(codes.PLACEHOLDER, span, help=help, text=found[0])
    else:
        shell = "$" in value or "`" in value or value[:1] == "~"
        expansion = _expansion(value) if shell else None
        if expansion and given.origin != "arguments":
            sink.report(files.NOT_EXPANDED, span, help=_instead_of(expansion[0], kind), text=expansion[0])
    if kind == "duration":
        _time(given, value, span, sink)
    elif kind == "size" and not foreign and value.isdecimal() and 0 < int(value[:9]) < 100:
        help = f"for {value} GiB write `{value}G`"
        sink.report(codes.TINY_MEMORY, span, help=help, option=given.option, value=value, mib=int(value))
    elif kind == "gpus" and (value == "gpu" or value.startswith("gpu:")):
        sink.report(codes.GPU_AS_TYPE, span, value=value)
    elif kind == "mail-type":
        if given.origin != "pbs":  # which has letters for events
            _mail(value, span, sink)
    elif kind == "path" and not found:
        _directory(value, span, sink, directories)


def _instead_of(expansion: str, kind: str) -> str | None:
    """What to write in place of a variable: a pattern of file names, or what `--fill` puts there."""
    name = expansion.strip("${}")
    if kind == "path" and name in _PATTERNS:
        return _PATTERNS[name]
    if not name.isidentifier() or name in ENVIRONMENT or name.startswith(("SLURM", "SBATCH")):
        return None
    from flowc.frontends.slurm.faults.gaps import give

    return give(name)


def _spelling(given: Given, value: str, span: Span, sink: Sink) -> bool:
    """Values that begin where the spelling of the option went wrong: whether one was reported."""
    short = not given.written.startswith("--")
    glued = span.source.text[given.span.start : span.start]
    if short and value.startswith("=") and span.text.startswith("="):
        fix = report.drop_equals(given.span, span.start)
        sink.report(
            codes.EQUALS_IN_VALUE, span, fix=fix and fix.replace(certain=False), option=given.written, value=value
        )
        return True
    name = (given.written[1:] + value).partition("=")[0]
    if short and glued == given.written and (name in OPTIONS or name == "tasks-per-node") and len(name) > 2:
        at = given.span.start
        fix = Fix(title=f"write `--{name}`", edits=(Edit(span=Span(span.source, at, at), text="-"),), certain=False)
        sink.report(
            codes.ONE_DASH_NAME, given.span, fix=fix, written=given.written + value, letter=given.written, value=value
        )
        return True
    elif not short and given.option == "ntasks-per-node" and "--tasks-per".startswith(given.written):
        sink.report(codes.TASKS_PER_NODE, given.span, written=given.written.lstrip("-"), value=value)
    between = span.source.text[given.span.start : span.start]
    apart = between[-1:] in (" ", "\t") and span.text == value
    if apart and ("\n" in between or (value[:1] == "-" and value[1:2].isalpha()) or value[:2] == "--"):
        sink.report(codes.SWALLOWED_OPTION, given.span, option=given.written, value=value)
        return True
    return False


def _characters(given: Given, value: str, span: Span, sink: Sink) -> None:
    """A blank that is none: part of the value, and hardly ever meant. In a comment it does no harm."""
    from flowc.frontends.slurm.faults import lookalikes
    from flowc.frontends.slurm.words.getopt import table_of

    char = next((char for char in value if char in lookalikes.BLANK_LIKE), None)
    if char is None or given.option in ("comment", "wrap"):
        return
    fix = lookalikes.mend_options(given.span.source, given.span, table_of((22, 5)))
    fix = fix and fix.replace(certain=False)
    sink.report(codes.LOOKALIKE_BLANK, span, fix=fix, option=given.written, character=lookalikes.describe(char))


def _time(given: Given, value: str, span: Span, sink: Sink) -> None:
    found = _minutes_seconds(value)
    if found and given.origin != "bsub":
        hours, seconds = int(found[1]), int(found[2])
        plain = seconds == 0 and hours in _PLAIN_MINUTES and not _speaks_of_hours(span)
        if not plain and (hours <= _MOST_HOURS or found[1] in _DAYS_IN_HOURS):
            _minutes_or_hours(hours, seconds, value, span, sink)
    elif value[:1] == "-" and value != "-1":
        sink.report(codes.NEGATIVE_TIME, span, value=value, canonical=given.canonical)
    elif value in _DAYS_IN_HOURS and given.origin == "script":
        sink.report(codes.DAYS_AS_MINUTES, span, value=value, help=f"for hours write `{value}:00:00`")


def _speaks_of_hours(span: Span) -> bool:
    """Whether the comment behind the value does."""
    text = span.source.text
    end = text.find("\n", span.end)
    return _hours(text, span.end, end if end >= 0 else len(text)) is not None


def _minutes_or_hours(first: int, second: int, value: str, span: Span, sink: Sink) -> None:
    """`8:00`. Beyond a day, as in `30:00` or `90:00`, minutes are what most people mean, and so they are in round ones;
    days in hours are an exception."""
    long = f"{first}:{second:02}:00"
    hours = f"{first} h" + (f" {second} min" if second else "")
    minutes = f"{first} min" + (f" {second} s" if second else "")
    plain = f"0:{first:02}:{second:02}" if second else str(first)
    help = f"for {hours} write `{long}`; if {minutes} is meant, `{plain}` says so plainly"
    sink.report(codes.MINUTES_SECONDS, span, help=help, value=value, minutes=minutes, hours=hours)


def _mail(value: str, span: Span, sink: Sink) -> None:
    for word in value.split(","):
        if word and word.upper() not in MAIL_EVENTS and word.upper() not in ("ALL", "NONE"):
            sink.report(codes.UNKNOWN_MAIL_EVENT, span, word=word)
            return


def _directory(value: str, span: Span, sink: Sink, directories: set[str]) -> None:
    directory = value.rpartition("/")[0]
    if value.startswith(("/", "~", "$")) or directory in ("", ".", "..", "../..") or directory in directories:
        return
    directories.add(directory)
    sink.report(files.OUTPUT_DIRECTORY, span, directory=directory)


def _lowered_nodes(ast: Ast, sink: Sink) -> None:
    for component in ast.components:
        nodes, tasks = component.given.get("nodes"), component.options.get("ntasks", "")
        if nodes is None or nodes.canonical is None or not tasks.isdigit():
            continue
        least = nodes.canonical.partition("-")[0]
        if least.isdigit() and int(least) > int(tasks):
            lowered = component.options.get("nodes", tasks)
            sink.report(codes.NODES_LOWERED, nodes.span, tasks=tasks, nodes=nodes.canonical, lowered=lowered)
