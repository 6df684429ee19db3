"""What a job's text relies on and the machine will not have: its interpreter, commands of a cluster."""

from __future__ import annotations

from flowc._compiled.slurm_commands import INTERPRETERS, MISSING, SHELLS
from flowc.patterns import at_first_use
from flowc.shell_text import in_single_quotes, outside_child_scripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.job import Job


_NAMES = "|".join(MISSING)
_words = at_first_use(rf"(?<![\w./$\"'=@-])(?:{_NAMES})(?![\w./=-])", "finditer")
# What stands before a command on its line. The bounds keep a line of assignments from costing more than its length.
_at_command = at_first_use(
    r"(?:^|[;&|(`!{]|\b(?:do|then|else|exec|time|command|if|while))[ \t]*"
    r"(?:[A-Za-z_]\w{0,60}=[^\s;&|]{0,200}[ \t]+){0,20}\Z",
    "search",
)
_definitions = at_first_use(
    rf"\b(?:function[ \t]+({_NAMES})\b|({_NAMES})[ \t]*\([ \t]*\)|alias[ \t]+({_NAMES})=)", "finditer"
)
_guards = at_first_use(rf"\b(?:command[ \t]+-[vV]|type(?:[ \t]+-\w+)?|which|hash)[ \t]+[\"']?({_NAMES})\b", "finditer")
_LINE = 500  # characters of a line that are looked at before a word
_MOST_GUARDS = 100
_MOST_ON_A_LINE = 20


def missing_commands(job: Job) -> dict[str, int]:
    """Name to the offset in `job.run.text` of its first call; empty for scripts that are not a shell's.

    A call is a word at the place of a command: at the start of a line or after `;`, `|`, `$(`, `do` and the like, with
    assignments before it let pass. Comments, here-documents and text in single quotes are no calls; nor is a command
    that the script defines itself, or asks for first (`command -v srun`) on the same line or in an `if` around it.
    """
    text, interpreter = job.run.text, job.run.interpreter
    if not text or not interpreter or not any(name in text for name in MISSING):
        return {}
    words = interpreter.replace("/", " ").split()
    if not any(word in SHELLS for word in words):
        return {}
    calls = outside_child_scripts(text, 0, list(_calls(text)))
    if not calls:
        return {}
    known = {match[1] or match[2] or match[3] for match in _definitions(text)}
    guarded = _guarded(text)
    found: dict[str, int] = {}
    for start, end in calls:
        name = text[start:end]
        if name in found or name in known:
            continue
        if not any(first <= start < last for first, last in guarded.get(name, ())):
            found[name] = start
    return found


def _calls(text: str) -> Iterator[tuple[int, int]]:
    """Where the words stand at the place of a command; of one line the first few are looked at."""
    line_end, seen = -1, 0
    for match in _words(text):
        if match.start() > line_end:
            line_end, seen = text.find("\n", match.end()), 0
            line_end = len(text) if line_end < 0 else line_end
        seen += 1
        if seen <= _MOST_ON_A_LINE and _is_call(text, match.start()):
            yield match.span()


def _is_call(text: str, start: int) -> bool:
    line_start = text.rfind("\n", max(0, start - _LINE), start) + 1
    before = text[max(line_start, start - _LINE) : start]
    if not before.strip():
        return True
    if before.lstrip()[0] == "#" or " #" in before or not _at_command(before):
        return False
    return not in_single_quotes(before)


def _guarded(text: str) -> dict[str, list[tuple[int, int]]]:
    """Where a command is asked for before it is used: name to stretches of the text."""
    found: dict[str, list[tuple[int, int]]] = {}
    for guard, _ in zip(_guards(text), range(_MOST_GUARDS), strict=False):
        start = text.rfind("\n", 0, guard.start()) + 1
        end = text.find("\n", guard.end())
        end = len(text) if end < 0 else end
        line = text[start:end]
        words = line.split(None, 1)
        if words[0] in ("if", "elif"):
            indent = line[: len(line) - len(line.lstrip())]
            close = text.find(f"\n{indent}fi", end)
            end = close if close >= 0 else end
        found.setdefault(guard[1], []).append((start, end))
    return found


def missing_interpreter(job: Job) -> str | None:
    """Why the machine may not start the script by its first line; None when it can."""
    if job.run.kind != "script" or job.run.interpreter is None:
        return None
    words = job.run.interpreter.split()
    if not words:
        return "`#!` names none"
    path = words[0]
    if not path.startswith("/"):
        return f"`{path}` is looked for in the working directory"
    folder, _, name = path.rpartition("/")
    if folder not in ("/bin", "/usr/bin"):
        return f"`{path}` is no path of the provider's image"
    if name == "env":
        name = next((word for word in words[1:] if word[0] != "-" and "=" not in word), "")
    return None if name in INTERPRETERS else f"`{name or path}` is not on the provider's image"
