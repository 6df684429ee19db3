"""What reaches a running job from outside: its time limit, warnings, what it asks about itself; and what the machine's
journal says about its end."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.quote import sh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit

# Slurm waits so long between TERM and KILL (KillWait), and so does Kubernetes.
GRACE_S = 30
# How often a job's time is looked at.
TICK_S = 5

# Bash, with options that neither show what it reads (-x, -v) nor keep it from reading what BASH_ENV names (-p).
_bash = at_first_use(r"(?:/usr)?/bin/(?:env\s+)?bash(?:\s+(?:-[elu]+|--login|-))?\s*", "fullmatch")
# `set -v` shows the lines that bash reads, a trap's too; what `set -x` says is hidden there only on descriptor 2.
_shows_lines = at_first_use(r"\bset[ \t][^\n;&|]*?(?:-[a-zA-Z]*v|\bverbose\b)|\bBASH_XTRACEFD\b", "search")


class Limits(Record):
    """What templates ask for of limits and warnings, in seconds of the job's time; None: there is none. `ticks`: the
    time is looked at while the job runs; where that is whenever the seconds used and `tick_phase` are a multiple of 5,
    nothing comes late. `signal` without `signal_at_s` is sent at the provider's notice alone."""

    grace_s: int
    stop_s: int
    attempt_limit_s: int | None
    limit_s: int | None
    kill_at_s: int | None
    ticks: bool
    signal: str | None = None
    signal_at_s: int | None = None
    signal_to_shell: bool = False
    tick_phase: int | None = None


class Journal(Record):
    """What templates ask for of the machine's journal: the file that a failing command of the body is reported for
    (quoted for a shell), and what its line in the body is short of the one there; None where nothing is reported."""

    journal: str | None = None
    journal_line: int = 0


SILENT = Journal()


def limits(job: Job) -> Limits:
    limit, signal = job.time.limit_s, job.time.signal
    grace = job.isolation.stop_grace_s if job.isolation.stop_grace_s is not None else GRACE_S
    kill_at = limit + grace if limit is not None else None
    signal_at = max(0, limit - signal.before_s) if signal is not None and limit is not None else None
    phases = {-due % TICK_S for due in (limit, kill_at, signal_at) if due is not None}
    return Limits(
        grace_s=max(grace, 1),  # to `timeout`, 0 is no end
        # Systemd gives up on a stop only after the job's own grace period, and what runs before it.
        stop_s=2 * grace + 30,
        attempt_limit_s=job.time.attempt_limit_s,
        limit_s=limit,
        kill_at_s=kill_at,
        ticks=limit is not None or signal is not None,
        signal=signal.name if signal is not None else None,
        signal_at_s=signal_at,
        signal_to_shell=signal is not None and signal.to == "shell",
        tick_phase=phases.pop() if len(phases) == 1 else None,
    )


def body_place(unit: Unit) -> tuple[str, int] | None:
    """The file that the body's text stands in, printable, and what a line's number in the body is short of the one
    there; None where lines of the body are not lines of a file."""
    text = unit.job.run.text or " "
    whole = unit.text_span(0, len(text))
    if whole is None or whole.text != text:
        first, last = unit.text_span(0, 1), unit.text_span(len(text) - 1, len(text))
        if first is None or last is None or last.line - first.line != text.count("\n", 0, len(text) - 1):
            return None  # folded
    else:
        first = whole
    path = first.source.path
    if not path.isprintable():
        path = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in path)
    # Text of kind `shell` has got an interpreter line.
    return path, first.line - 1 - (unit.job.run.kind == "shell")


def journal(unit: Unit) -> Journal:
    job = unit.job
    text, shell = job.run.text, job.run.kind == "shell"
    interpreter = (job.run.interpreter or ("/bin/bash" if shell else "")).strip()
    if not text or job.image is not None or not _bash(interpreter):
        return SILENT
    if "BASH_ENV" in text or any(name == "BASH_ENV" for name, _ in (*job.env, *job.env_facts)):
        return SILENT
    if ("set" in text or "BASH_XTRACEFD" in text) and _shows_lines(text):
        return SILENT  # a trap would be shown with them
    place = body_place(unit)
    # Quoted once more by the template: it stands within the quotes of a trap.
    return Journal(journal=sh(place[0]), journal_line=place[1]) if place is not None else SILENT
