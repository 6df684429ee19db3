"""What reaches a running job from outside: its time limit, warnings, what it asks about itself; and what the machine's
journal says about its end."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

# Slurm waits so long between TERM and KILL (KillWait), and so does Kubernetes.
GRACE_S = 30
# How the small Slurm marks the containers of steps.
STEP_CONTAINERS = "--label=flowc"
# Where the small Slurm leaves what the job asked about itself.
END_FILE = "/run/flowc.end"

# Bash, with options that neither show what it reads (-x, -v) nor keep it from reading what BASH_ENV names (-p).
_bash = at_first_use(r"(?:/usr)?/bin/(?:env\s+)?bash(?:\s+(?:-[elu]+|--login|-))?\s*", "fullmatch")


def time_variables(job: Job) -> dict[str, Any]:
    """Limits and warnings, in seconds of the job's time."""
    limit, signal = job.time.limit_s, job.time.signal
    grace = job.isolation.stop_grace_s if job.isolation.stop_grace_s is not None else GRACE_S
    found: dict[str, Any] = {
        "grace_s": max(grace, 1),  # to `timeout`, 0 is no end
        # Systemd gives up on a stop only after the job's own grace period, and what runs before it.
        "stop_s": 2 * grace + 30,
        "attempt_limit_s": job.time.attempt_limit_s,
        "limit_s": limit,
        "kill_at_s": limit + grace if limit is not None else None,
        "ticks": limit is not None or signal is not None,
        "signal": None,
    }
    if signal is not None:
        found["signal"] = signal.name
        found["signal_at_s"] = max(0, limit - signal.before_s) if limit is not None else None
        found["signal_to_shell"] = signal.to == "shell"
    return found


def end_variables(job: Job, tools: str | None) -> dict[str, Any]:
    """Whether the small Slurm may end the job from inside, have it started again, leave containers of steps."""
    ends = tools is not None and END_FILE in tools
    return {
        "asks_end": ends,
        "asks_requeue": ends and job.retry.requeue is not False,
        "step_containers": tools is not None and STEP_CONTAINERS in tools,
    }


def body_place(unit: Unit) -> tuple[str, int] | None:
    """The file that the body's text stands in, printable, and what a line's number in the body is short of the one
    there; None where lines of the body are not lines of a file."""
    text = unit.job.run.text or " "
    first, last = unit.text_span(0, 1), unit.text_span(len(text) - 1, len(text))
    if first is None or last is None or last.line - first.line != text.count("\n", 0, len(text) - 1):
        return None  # folded
    path = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in first.source.path)
    # Text of kind `shell` has got an interpreter line.
    return path, first.line - 1 - (unit.job.run.kind == "shell")


def journal_variables(unit: Unit) -> dict[str, Any]:
    """The file that a failing command of the body is reported for, and what its line in the body is short of the one
    there; the file is None where nothing is reported."""
    job, none = unit.job, {"journal": None}
    text, shell = job.run.text, job.run.kind == "shell"
    interpreter = (job.run.interpreter or ("/bin/bash" if shell else "")).strip()
    if not text or job.image is not None or not _bash(interpreter):
        return none
    if "BASH_ENV" in text or any(name == "BASH_ENV" for name, _ in (*job.env, *job.env_facts)):
        return none
    place = body_place(unit)
    # Quoted once more by the template: it stands within the quotes of a trap.
    return {"journal": sh(place[0]), "journal_line": place[1]} if place is not None else none
