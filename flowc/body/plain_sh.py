"""What only bash understands in a text that `/bin/sh` runs, which is dash on Debian and Ubuntu."""

from __future__ import annotations

from flowc.body.interpreter import MOST_TEXT
from flowc.patterns import at_first_use
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# Commands of bash's own, and why each matters; the rest is found by its signs.
_COMMANDS = {
    **dict.fromkeys(("[[", "source", "declare", "typeset", "let", "pushd", "popd", "shopt", "mapfile"), "not found"),
    **dict.fromkeys(("readarray", "coproc"), "not found"),
}
_signs = at_first_use(
    r"(?P<background>(?<![&|>])&>>?(?![&(]))"
    r"|(?P<string><<<)"
    r"|(?P<process>(?<=[\s=])[<>]\((?=\S))"
    r"|(?P<array>(?<![\w$.\-/])[A-Za-z_]\w*\+?=\((?!\())"
    r"|(?P<substitution>\$\{[A-Za-z_]\w*(?:\[|//?[^}]|\^|,|:(?:\s+-)?\d))"
    r"|(?P<arithmetic>(?:(?m:^)|[;&|]|\b(?:then|do|else|if|while)\b)[ \t]*\(\((?=[^()\n]*\)\)))"
    r"|(?P<function>(?m:^)[ \t]*function[ \t](?=[ \t]*\w))"
    r"|(?P<braces>(?<=[\s/])\{\w+\.\.\w+\})"
    r"|(?P<pipefail>\bset[ \t][^\n;&|]{0,400}\bpipefail\b)"
    r"|(?P<equal>(?<=\[ )[^\n\]]{0,400}?[ \t]==[ \t])",
    "finditer",
)
_WHY = {
    "background": "runs the command in the background and empties the file",
    "string": "syntax error",
    "process": "syntax error",
    "array": "syntax error",
    "substitution": "bad substitution",
    "function": "not found",
    "arithmetic": "taken for a command",
    "braces": "stays as it is",
    "pipefail": "illegal option, which ends the script",
    "equal": "unexpected operator",
}
# Of these the end is meant, not what leads there.
_LAST = {"equal": 3, "arithmetic": 2, "function": 9}
_IN_STRINGS = frozenset(("substitution",))
# The text sees to it itself.
_changes_shell = at_first_use(r"\bBASH_VERSION\b|\bexec[ \t]+(?:/\S*/)?bash\b", "search")


def only_for_bash(job: Job) -> tuple[int, int, str] | None:
    """The first place, as offsets, and what dash makes of it; None where there is none, or another shell runs it."""
    text = job.run.text or ""
    if not _runs_sh(job) or len(text) > MOST_TEXT or _changes_shell(text):
        return None
    seen = scan(text)
    found = []
    for match in _signs(text):
        name = match.lastgroup or ""
        place = match.end() - _LAST[name] if name in _LAST else match.start()
        hidden = seen.in_quotes(place) if name in _IN_STRINGS else seen.in_string(place)
        if not (hidden or seen.in_comment(place) or seen.in_child(place)):
            found.append((place, match.end(), _WHY[name]))
            break
    for command in seen.commands:
        words = command.words()
        if words and words[0][1] in _COMMANDS and not seen.in_child(words[0][0]) and not seen.in_comment(words[0][0]):
            found.append((words[0][0], words[0][0] + len(words[0][1]), _COMMANDS[words[0][1]]))
            break
    return min(found, default=None)


def _runs_sh(job: Job) -> bool:
    words = (job.run.interpreter or "").split()
    names = [word.rpartition("/")[2] for word in words[:2]]
    return job.run.kind == "script" and job.image is None and (names[:1] == ["sh"] or names == ["env", "sh"])
