"""Who reads a job's text: the interpreter of its first line, and whether a plain machine has it."""

from __future__ import annotations

from flowc._compiled.slurm_commands import INTERPRETER_PACKAGES, INTERPRETERS, SHELLS
from flowc.patterns import at_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# Characters of a text that are looked at for calls: no longer one fits into a script, whatever its compression.
MOST_TEXT = 1 << 20
_SHELLS = frozenset(SHELLS)
_python = at_words(r"(?<![\w./$=-])python(?![\w.=-])", ("python",))


def interpreter_words(job: Job) -> list[str]:
    """`/usr/bin/env bash -e` as `usr`, `bin`, `env`, `bash`, `-e`."""
    default = "/bin/bash" if job.run.kind == "shell" else ""
    return (job.run.interpreter or default).replace("/", " ").split()


def is_shell(job: Job) -> bool:
    return not _SHELLS.isdisjoint(interpreter_words(job))


def is_bash(job: Job) -> bool:
    """Whether the text is read by bash, or by a shell that reads comments as it does, and that does not show what it
    reads."""
    words = interpreter_words(job)
    return not {"bash", "sh", "dash"}.isdisjoint(words) and not any(word[0] == "-" and "v" in word for word in words)


def may_be_shell(job: Job) -> bool:
    """The same, or that no program is named that would read the text."""
    return not interpreter_words(job) or is_shell(job)


def interpreter_package(job: Job) -> tuple[str, str] | None:
    """The program that the script's first line names and the machine lacks, with the package that brings it."""
    name = interpreter_name(job)
    if job.image is not None or name not in INTERPRETER_PACKAGES:
        return None
    return name, INTERPRETER_PACKAGES[name]


def names_python(job: Job) -> bool:
    """Whether what runs on the machine itself names Python as `python`, which Ubuntu knows as `python3` alone."""
    texts = ((job.run.text or "")[:MOST_TEXT], " ".join(job.run.argv), job.setup or "")
    return job.image is None and any(True for text in texts for _ in _python(text))


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
    if path.rpartition("/")[0] not in ("/bin", "/usr/bin"):
        return f"`{path}` is no path of the provider's image"
    name = interpreter_name(job)
    if path == "/usr/bin/env" and name in job.programs:
        return None
    if name in INTERPRETERS or (name in INTERPRETER_PACKAGES and job.image is None):
        return None
    return f"`{name or path}` is not on the provider's image"


def missing_env(job: Job) -> str | None:
    """The program that a first line with `/usr/bin/env` names, where the machine may not have it."""
    words = (job.run.interpreter or "").split()
    return interpreter_name(job) if words[:1] == ["/usr/bin/env"] and missing_interpreter(job) else None


def interpreter_name(job: Job) -> str:
    """The program below /bin or /usr/bin that runs the script, "" where the first line names no such one."""
    words = (job.run.interpreter or "").split()
    if job.run.kind != "script" or not words or words[0].rpartition("/")[0] not in ("/bin", "/usr/bin"):
        return ""
    name = words[0].rpartition("/")[2]
    if name == "env":
        name = next((word for word in words[1:] if word[0] != "-" and "=" not in word), "")
    return name
