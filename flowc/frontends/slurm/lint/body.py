"""Warns of what is odd about the commands: variables that Slurm does not set with these options, no command at all, a
last command in the background."""

from __future__ import annotations

from flowc._compiled.shell_words import SITE_VARIABLES
from flowc.diag.codes.slurm import lint as codes
from flowc.diag.sink import Edit, Fix
from flowc.patterns import at_first_use
from flowc.shell.comments import first_in_code
from flowc.shell.scan import scan
from flowc.shell.variables import only_said, surely_set
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match

    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast
    from flowc.inputs import Inputs
    from flowc.source import Source

_use = at_first_use(r"\$(?:\{(SLURM_[A-Z_]+)([^}\n]?)|(SLURM_[A-Z_]+))", "finditer")
_names = "|".join(SITE_VARIABLES)
_site_use = at_first_use(rf"\$(?:\{{({_names})\b([^}}\n]?)|({_names})\b)", "finditer")

_glued = at_first_use(
    r"\$(SLURM_(?:ARRAY_TASK_ID|ARRAY_JOB_ID|JOB_ID|JOBID|JOB_NAME|PROCID|LOCALID|NODEID))((?:_\w*|[0-9]\w*))",
    "finditer",
)

MOST_USES = 2_000  # looked at; enough for any script that a person wrote
_waits = at_first_use(r"wait", "finditer")
_TESTS = frozenset(("[", "[[", "test"))
_in_case = at_first_use(r"\bcase\s[^;\n)]*\Z", "search")  # none of a command: what is between it and its first pattern
_CONDITIONS = frozenset(("if", "elif"))

_GPUS = ("gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task", "gres", "tres-per-task")
_TASKS = ("ntasks", "ntasks-per-node", "ntasks-per-gpu", "ntasks-per-tres", "extra-node-info", "sockets-per-node",
          "cores-per-socket", "threads-per-core", "gpus-per-task", "hint")  # fmt: skip
_ARRAY = ("array",)

# A variable, and the options of which one must be given for Slurm to set it (22.05).
NEEDS: dict[str, tuple[str, ...]] = {
    "SLURM_NTASKS": _TASKS,
    "SLURM_NPROCS": _TASKS,
    "SLURM_CPUS_PER_TASK": ("cpus-per-task",),
    "SLURM_NTASKS_PER_NODE": ("ntasks-per-node",),
    "SLURM_NTASKS_PER_SOCKET": ("ntasks-per-socket",),
    "SLURM_NTASKS_PER_CORE": ("ntasks-per-core",),
    "SLURM_NTASKS_PER_GPU": ("ntasks-per-gpu",),
    "SLURM_MEM_PER_NODE": ("mem",),
    "SLURM_MEM_PER_CPU": ("mem-per-cpu",),
    "SLURM_MEM_PER_GPU": ("mem-per-gpu",),
    "SLURM_GPUS": ("gpus",),
    "SLURM_GPUS_PER_NODE": ("gpus-per-node",),
    "SLURM_GPUS_PER_SOCKET": ("gpus-per-socket",),
    "SLURM_GPUS_PER_TASK": ("gpus-per-task",),
    "SLURM_GPUS_ON_NODE": _GPUS,
    "SLURM_JOB_GPUS": _GPUS,
    "SLURM_CPUS_PER_GPU": ("cpus-per-gpu",),
    "SLURM_ARRAY_TASK_ID": _ARRAY,
    "SLURM_ARRAY_JOB_ID": _ARRAY,
    "SLURM_ARRAY_TASK_COUNT": _ARRAY,
    "SLURM_ARRAY_TASK_MIN": _ARRAY,
    "SLURM_ARRAY_TASK_MAX": _ARRAY,
    "SLURM_ARRAY_TASK_STEP": _ARRAY,
}
_INSTEAD = {"SLURM_NTASKS": "it needs `--ntasks` or `--ntasks-per-node`", "SLURM_NPROCS": "it needs `--ntasks`"}


def lint_variables(ast: Ast, source: Source, sink: Sink, body: int) -> None:
    """Report each variable once, where a shell body uses it without a default, a test or a value of its own."""
    text = source.text
    if ast.shebang is None or text.find("SLURM_", body) < 0 or not ast.is_shell:
        return
    given = {name for component in ast.components for name in component.options}
    missing = {name for name, options in NEEDS.items() if given.isdisjoint(options)}
    if not missing or ("exclusive" in given and missing <= {"SLURM_GPUS_ON_NODE", "SLURM_JOB_GPUS"}):
        return
    for name, span in _uses(text, body, _use, missing):
        reason = _INSTEAD.get(name, f"it needs `--{NEEDS[name][0]}`")
        help = f"where sbatch's command line gives it, give it here too: `-- --{NEEDS[name][0]}=…`"
        sink.report(codes.VARIABLE_NEVER_SET, Span(source, *span), help=help, variable=name, reason=reason)


def lint_glued(ast: Ast, source: Source, sink: Sink, body: int) -> None:
    """Report a variable of Slurm's whose name goes on into the text behind it, where another one was hardly meant."""
    text = source.text
    if ast.shebang is None or text.find("$SLURM_", body) < 0 or not ast.is_shell:
        return
    told: set[str] = set()
    for match, _ in zip(_glued(text, body), range(MOST_USES), strict=False):
        name = match[1] + match[2]
        if name in told or _is_plain(text, match.start()) or surely_set(text, name):
            continue
        from flowc.diag.codes.slurm.body import GLUED_VARIABLE

        told.add(name)
        span = Span(source, match.start(), match.end())
        meant = f"${{{match[1]}}}{match[2]}"
        fix = Fix(title=f"write `{meant}`", edits=(Edit(span=span, text=meant),), certain=False)
        sink.report(GLUED_VARIABLE, span, fix=fix, written=match[0], meant=f"${{{match[1]}}}")


def lint_site_variables(ast: Ast, source: Source, sink: Sink, body: int, inputs: Inputs) -> None:
    """The same for variables that the prologs of some clusters set, and Slurm itself never does."""
    for name, span in site_variables(ast, source, body):
        if inputs.cluster is None or name not in inputs.cluster.variables.keys:
            from flowc.diag.codes.slurm.body import SITE_VARIABLE
            from flowc.diag.lacks import VARIABLE

            help = f"set it first: `export {name}=$(mktemp -d)`, or a volume's path"
            sink.report(SITE_VARIABLE, Span(source, *span), help=help, lacks=((VARIABLE, name),), variable=name)


def site_variables(ast: Ast, source: Source, body: int) -> list[tuple[str, tuple[int, int]]]:
    """Those that the text counts on, with their first uses."""
    if ast.shebang is None or not any(name in source.text for name in SITE_VARIABLES) or not ast.is_shell:
        return []
    exported = " ".join(component.options.get("export", "") for component in ast.components)
    found = _uses(source.text, body, _site_use, {*SITE_VARIABLES})
    return [(name, span) for name, span in found if name not in exported]


def _uses(
    text: str, body: int, pattern: Callable[..., Iterator[Match[str]]], wanted: set[str]
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each of the variables with its first use, where it has none with a default and no value of its own."""
    uses: dict[str, tuple[int, int]] = {}
    handled: set[str] = set()
    for use, _ in zip(pattern(text, body), range(MOST_USES), strict=False):
        name = use[1] or use[3]
        if name not in wanted or name in handled:
            continue
        if _is_plain(text, use.start()) or ("ARRAY" not in name and only_said(text, use.start())):
            continue
        if (use[2] and use[2] in ":-+=?") or _tested(text, use.start()):
            handled.add(name)
        elif name not in uses:
            uses[name] = use.span()
    for name, span in uses.items():
        if name not in handled and not surely_set(text, name, body):
            yield name, span


def _tested(text: str, place: int) -> bool:
    """Whether it stands in a test, where a variable may well be empty."""
    for command in scan(text).commands_at(place):
        words = command.words()
        if (words and words[0][1] in _TESTS) or not _CONDITIONS.isdisjoint(command.reserved()):
            return True
    return _in_case(text[max(0, place - 200) : place]) is not None


def _is_plain(text: str, place: int) -> bool:
    """Whether a `$` is an ordinary character here, or that of another script."""
    seen, before = scan(text), text[max(0, place - 200) : place]
    backslashes = len(before) - len(before.rstrip("\\"))
    return backslashes % 2 == 1 or seen.in_comment(place) or seen.in_quotes(place) or seen.in_child(place)


# Settings, which are of no use without a command behind them.
_SETTINGS = frozenset(("export", "unset", "set", "shopt", "module", "ml", "cd", "ulimit", "umask"))
# After the command that does the work, these are of no weight.
_LAST_WORDS = frozenset(("echo", "date", "exit", "exit;"))


def lint_commands(ast: Ast, source: Source, sink: Sink, body: int) -> None:
    """Report a script that does nothing, and one that ends before its last command does."""
    text = source.text
    if ast.body_line is None:
        _missing(source, sink, text.rstrip().rfind("\n") + 1, "it ends after its directives")
    elif ast.shebang is not None and ast.is_shell:
        if not _does_something(text, body):
            _missing(source, sink, body, "these lines only prepare for one")
        elif text.find("&", body) >= 0:
            _last_command(source, sink, body)


def _missing(source: Source, sink: Sink, start: int, what: str) -> None:
    from flowc.diag.codes.slurm.body import IDLE_SCRIPT

    span = Span(source, start, len(source.text.rstrip()))
    sink.report(IDLE_SCRIPT, span, help="write it below the directives", what=what)


def _does_something(text: str, body: int) -> bool:
    """Whether a command from `body` on is more than a setting. Most are seen by the first word of a line."""
    at = body
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line, start, at = text[at:end].strip(), at, end + 1
        if not line or line[0] == "#":
            continue
        words = line.split(None, 1)
        name, equals, _ = words[0].partition("=")
        if not (name in _SETTINGS or (equals and name.isidentifier())):
            return True
        if (len(words) > 1 and equals) or any(sign in line for sign in "`(;&|<\\'\""):
            return _runs_something(text, start)
    return False


def _runs_something(text: str, place: int) -> bool:
    for command in scan(text).commands:
        if command.end > place:
            words = command.words()
            if words and words[0][1] not in _SETTINGS:
                return True
    return False


def _last_command(source: Source, sink: Sink, body: int) -> None:
    """The last command is in the background, on a line of its own or in a loop, and nothing waits."""
    text = source.text
    end_of_loop = 0
    for start, line in _from_the_end(text, body):
        if line == "done":
            end_of_loop = end_of_loop or start + len(line)
        elif line.split(None, 1)[0] not in _LAST_WORDS:
            break
    else:
        return
    if not _in_background(text, start, line) or first_in_code(lambda text: _waits(text, body), text, shell=True):
        return
    from flowc.diag.codes.slurm.body import BACKGROUND_AT_END

    end = start + len(line)
    fix = None
    if "\r" not in text:
        at = end_of_loop or end
        fix = Fix(
            title="write `wait` behind it", edits=(Edit(span=Span(source, at, at), text="\nwait"),), certain=False
        )
    sink.report(
        BACKGROUND_AT_END, Span(source, start, end), help="write `wait` behind it, or take the `&` away", fix=fix
    )


def _from_the_end(text: str, body: int) -> Iterator[tuple[int, str]]:
    """The lines that are neither blank nor comments, last ones first: the offset of the first sign, and the text."""
    end = len(text)
    while end > body:
        start = max(text.rfind("\n", 0, end) + 1, body)
        line = text[start:end].strip()
        if line and line[0] != "#":
            yield text.index(line[0], start), line
        end = start - 1


def _in_background(text: str, start: int, line: str) -> bool:
    comment = next((place for place, _ in scan(text).comments if start < place < start + len(line)), None)
    line = line if comment is None else text[start:comment].rstrip()
    return line.endswith("&") and not line.endswith(("&&", "|&", ">&", ";&", "\\&"))
