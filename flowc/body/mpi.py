"""What a text asks of MPI that the machines of a job do not have: ways to start it, and libraries on all of them."""

from __future__ import annotations

from flowc.body.commands import MOST_TEXT, is_shell, launches
from flowc.patterns import at_first_use
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from flowc.ir.job import Job

# What `srun --mpi` takes on the machine.
SERVED = ("none", "openmpi", "pmi2", "list")
_asked = at_first_use(r"(?:--mpi(?:=|[ \t]+)|\bSLURM_MPI_TYPE=)[\"']?([A-Za-z]\w*)", "finditer")
_installed = at_first_use(
    r"(?m)^[^\n]{0,200}\b(?:apt-get|apt|pip3?|conda|mamba)\b[^\n]{0,200}\binstall\b[^\n]{0,200}"
    r"[ \t](openmpi|libopenmpi|mpich|libmpich|impi)(?![a-z])",
    "finditer",
)
_MOST = 50


def unserved_type(job: Job) -> tuple[int, int] | None:
    """Where the text names the first type that is not served, as offsets in `job.run.text`."""
    if job.conventions.commands and job.image is None:
        for start, end in _found(job, ("--mpi", "SLURM_MPI_TYPE"), _asked):
            if (job.run.text or "")[start:end] not in SERVED:
                return start, end
    return None


def installed_on_first(job: Job) -> tuple[int, int] | None:
    """Where the text installs an MPI on the machine that it runs on, and calls a launcher that needs it on others."""
    if not job.conventions.commands or not launches(job):
        return None
    for start, end in _found(job, ("install",), _installed):
        text = job.run.text or ""
        if "srun" not in text[text.rfind("\n", 0, start) + 1 : start]:
            return start, end
    return None


def _found(job: Job, signs: tuple[str, ...], pattern: Callable[..., Any]) -> Iterator[tuple[int, int]]:
    """The places of the pattern's group outside of comments."""
    text = (job.run.text or "")[:MOST_TEXT]
    if not any(sign in text for sign in signs):
        return
    shell = is_shell(job)
    for match, _ in zip(pattern(text), range(_MOST), strict=False):
        if not in_comment(text, match.start(1), shell=shell):
            yield match.span(1)
