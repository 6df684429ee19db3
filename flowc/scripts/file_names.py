"""Where a job's input comes from and its output goes; Slurm's patterns in the names of these files, as a batch step
expands them (Slurm 22.05).

What is known at compile time is put in at once. The host's name is not: it stays a `HOST` in the list of
parts.
"""

from __future__ import annotations

from flowc.body.slurm_releases import holds
from flowc.record import Record
from flowc.scripts.identity import job_id, task_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

HOST = None
PADDED = "jJAant"
LOG = "/var/log/foundry/job.log"


class Streams(Record):
    """What templates ask for of files: each as the parts of its name. `stderr` is None where it goes with the output;
    `append`: what is there is kept; `link_output`: the provider's log leads there."""

    stdin: list[str | None]
    stdout: list[str | None]
    stderr: list[str | None] | None
    append: bool
    link_output: bool
    make_output_folder: bool
    make_error_folder: bool

    @property
    def name_the_host(self) -> bool:
        return HOST in (*self.stdin, *self.stdout, *(self.stderr or ()))


def streams(job: Job, folder: str, index: int | None) -> Streams:
    named = any(name and "%" in name for name in (job.io.stdin, job.io.stdout, job.io.stderr, job.conventions.output))
    letters = _letters(job, index) if named or "%" in folder else {}
    default = LOG if job.conventions.output is None else f"{folder}/{job.conventions.output}"
    stdout = expand(job.io.stdout or default, folder, letters)
    stderr = expand(job.io.stderr, folder, letters) if job.io.stderr else stdout
    return Streams(
        stdin=expand(job.io.stdin or "/dev/null", folder, letters),
        stdout=stdout,
        stderr=stderr if stderr != stdout else None,
        append=job.io.append,
        link_output=stdout != [LOG],
        make_output_folder=_needs_folder(stdout, folder),
        make_error_folder=stderr != stdout and _needs_folder(stderr, folder),
    )


def _letters(job: Job, index: int | None) -> dict[str, str]:
    found = {
        "j": str(task_id(job, index)),
        "J": str(task_id(job, index)),
        "A": str(job_id(job)),
        "a": str(4294967294 if index is None else index),
        "x": job.name,
        "u": "root",
        "n": "0",
        "t": "0",
        "s": "batch",
    }
    if holds("index_digit", job):
        found["b"] = found["a"][-1]
    return found


def _needs_folder(parts: list[str | None], folder: str) -> bool:
    """Whether the file's folder may be missing: the working directory and the system's are there."""
    name = "".join("host" if part is HOST else part for part in parts)
    return name.rpartition("/")[0] not in (folder.rstrip("/"), "/dev", "/var/log/foundry")


def absolute(name: str, folder: str) -> str:
    return name if name.startswith("/") else f"{folder.rstrip('/')}/{name}"


def expand(pattern: str, folder: str, values: dict[str, str]) -> list[str | None]:
    """The parts of the absolute file name. `values` maps pattern letters to text; `N`, the host, is ours.

    `none` in any case is /dev/null. A backslash anywhere switches patterns off for the whole name and is
    dropped. A width above 9 counts as 10. An unknown letter stands for itself, with its `%` unless digits
    stood between.
    """
    if pattern.lower() == "none":
        return ["/dev/null"]
    if "\\" in pattern:
        return [absolute(pattern.replace("\\", ""), folder)]
    first, *pieces = absolute(pattern, "").split("%")
    name = [first if pattern.startswith("/") else folder.rstrip("/") + first]
    parts: list[str | None] = []
    escaped = False
    for place, piece in enumerate(pieces, 1):
        if escaped:  # `%%`: the piece before was the empty one between the two
            name.append(piece)
            escaped = False
            continue
        rest = piece.lstrip("0123456789")
        digits = piece[: len(piece) - len(rest)]
        letter = rest[:1]
        if letter == "N":
            parts += ["".join(name), HOST]
            name = [rest[1:]]
        elif letter and letter in values:
            width = min(int(digits[:9]), 10) if digits and letter in PADDED else 0
            name += [values[letter].rjust(width, "0"), rest[1:]]
        elif not letter and place < len(pieces):
            name.append("%")
            escaped = True
        else:
            name.append(piece if digits else "%" + piece)
    parts.append("".join(name))
    return [part for part in parts if part is None or part]
