"""What a job's text relies on and the machine will not have: its interpreter, commands of a cluster."""

from __future__ import annotations

from flowc._compiled.slurm_commands import INTERPRETERS, MISSING, SHELLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job


def missing_commands(job: Job) -> dict[str, int]:
    """Name to the offset in `job.run.text` of its first call; empty for scripts that are not a shell's.

    A call is a word at the place of a command: at the start of a line or after `;`, `|`, `$(`, `do` and the like, with
    assignments before it let pass. Comments and quoted text that looks like a call may be taken for one.
    """
    text, interpreter = job.run.text, job.run.interpreter
    if not text or not interpreter or not any(name in text for name in MISSING):
        return {}
    words = interpreter.replace("/", " ").split()
    if not any(word in SHELLS for word in words):
        return {}
    import re

    # The bounds keep a line of a million assignments from costing a million times its length.
    pattern = re.compile(
        r"(?:^|[;&|(`!{]|\b(?:do|then|else|exec|time|command|if|while))[ \t]*"
        r"(?:[A-Za-z_]\w{0,60}=[^\s;&|]{0,200}[ \t]+){0,20}"
        rf"({'|'.join(MISSING)})(?=[ \t\n;|&)]|$)",
        re.MULTILINE,
    )
    found: dict[str, int] = {}
    for match in pattern.finditer(text):
        found.setdefault(match[1], match.start(1))
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
