"""Warns of values that sbatch takes though they hardly mean what they say."""

from __future__ import annotations

import re

from flowc._compiled.slurm_options import OPTIONS
from flowc.diag.codes import slurm_lint as codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.slurm.settings import MAIL_EVENTS
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast, Given

# Options whose value may be any text.
PLAIN_TEXT = frozenset(name for name, row in OPTIONS.items() if row["kind"] in ("text", "path", "chdir"))

_minutes_seconds = re.compile(r"0*([0-9]+):0*([0-9]+)\Z").match
_placeholder = re.compile(
    r"<[^<>]{1,60}>|\{\{.*?\}\}|\{[A-Za-z_][\w-]*\}|@[A-Z_]{2,}@|(?<![A-Za-z])X{3,}(?![A-Za-z])|(?i:\byour[_-])\w+"
    r"|\A![A-Z_]{2,}\Z|\A\[[A-Za-z][\w ,/|-]*\]\Z|\ATODO\b|\ACHANGE_?ME\b"
).search
_expansion = re.compile(r"\$\{[^}]*\}?|\$\([^)]*\)?|\$\w+|`[^`]*`|\A~(?=/|\Z)").search
# Here brackets and exclamation marks have a meaning.
_BRACKETS = frozenset(("array", "constraint", "prefer", "nodelist", "exclude", "cluster-constraint"))
_ADDS_UP = frozenset(("signal", "switches", "kill-on-invalid-dep", "mail-type", "verbose", "quiet"))
_DAYS_IN_HOURS = frozenset(("24", "48", "72", "96", "168"))


def looks_unfilled(text: str) -> re.Match[str] | None:
    """The part of a value that looks like the gap of a template."""
    return _placeholder(text)


def lint_values(ast: Ast, sink: Sink) -> None:
    """Look at every option of the script and its command line."""
    directories: set[str] = set()
    last: dict[tuple[int, str], Given] = {}
    for given in ast.given:
        if given.origin == "environment":
            continue
        if given.origin == "script":
            _repeated(given, last, sink)
        if given.value is not None and given.value_span is not None:
            _one_value(given, given.value, given.value_span, sink, directories)
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
    if not foreign:
        _spelling(given, value, span, sink)
    kind = OPTIONS[given.option]["kind"] if given.option in OPTIONS else ""
    found = looks_unfilled(value)
    if found and not (given.option in _BRACKETS and found[0][:1] in ("[", "!")):
        sink.report(codes.PLACEHOLDER, span, text=found[0])
    else:
        expansion = _expansion(value)
        if expansion and given.origin != "arguments":
            sink.report(codes.NOT_EXPANDED, span, text=expansion[0])
    if kind == "duration":
        _time(given, value, span, sink)
    elif kind == "size" and not foreign and value.isdigit() and 0 < int(value[:9]) < 100:
        sink.report(codes.TINY_MEMORY, span, option=given.option, value=value, mib=int(value))
    elif kind == "gpus" and (value == "gpu" or value.startswith("gpu:")):
        sink.report(codes.GPU_AS_TYPE, span, value=value)
    elif kind == "mail-type":
        _mail(value, span, sink)
    elif kind == "path":
        _directory(value, span, sink, directories)


def _spelling(given: Given, value: str, span: Span, sink: Sink) -> None:
    """Values that begin where the spelling of the option went wrong."""
    short = not given.written.startswith("--")
    glued = span.source.text[given.span.start : span.start]
    if short and value.startswith("=") and span.text.startswith("="):
        edit = Edit(span=Span(span.source, span.start, span.start + 1), text="")
        fix = Fix(title="take out the `=`", edits=(edit,))
        sink.report(codes.EQUALS_IN_VALUE, span, fix=fix, option=given.written, value=value)
        return
    name = (given.written[1:] + value).partition("=")[0]
    if short and glued == given.written and (name in OPTIONS or name == "tasks-per-node") and len(name) > 2:
        at = given.span.start
        fix = Fix(title=f"write `--{name}`", edits=(Edit(span=Span(span.source, at, at), text="-"),))
        sink.report(
            codes.ONE_DASH_NAME, given.span, fix=fix, written=given.written + value, letter=given.written, value=value
        )
    elif not short and given.option == "ntasks-per-node" and "--tasks-per".startswith(given.written):
        sink.report(codes.TASKS_PER_NODE, given.span, written=given.written.lstrip("-"), value=value)
    between = span.source.text[given.span.start : span.start]
    apart = between[-1:] in (" ", "\t") and span.text == value
    if apart and ("\n" in between or (value[:1] == "-" and value[1:2].isalpha()) or value[:2] == "--"):
        sink.report(codes.SWALLOWED_OPTION, given.span, option=given.written, value=value)


def _time(given: Given, value: str, span: Span, sink: Sink) -> None:
    found = _minutes_seconds(value)
    if found and given.origin != "bsub":
        hours = f"{int(found[1][:6])}:{found[2].zfill(2)}:00"
        help = f"for hours and minutes write `{hours}`"
        sink.report(codes.MINUTES_SECONDS, span, help=help, value=value, minutes=found[1], seconds=found[2])
    elif value[:1] == "-" and value != "-1":
        sink.report(codes.NEGATIVE_TIME, span, value=value, canonical=given.canonical)
    elif value in _DAYS_IN_HOURS and given.origin == "script":
        sink.report(codes.DAYS_AS_MINUTES, span, value=value, help=f"for hours write `{value}:00:00`")


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
    sink.report(codes.OUTPUT_DIRECTORY, span, directory=directory)


def _lowered_nodes(ast: Ast, sink: Sink) -> None:
    for component in ast.components:
        nodes, tasks = component.given.get("nodes"), component.options.get("ntasks", "")
        if nodes is None or nodes.canonical is None or not tasks.isdigit():
            continue
        least = nodes.canonical.partition("-")[0]
        if least.isdigit() and int(least) > int(tasks):
            lowered = component.options.get("nodes", tasks)
            sink.report(codes.NODES_LOWERED, nodes.span, tasks=tasks, nodes=nodes.canonical, lowered=lowered)
