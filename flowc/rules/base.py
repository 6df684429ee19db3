"""What a rule is, and the texts of a job that rules look at."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flowc.diag.sink import Sink
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit
    from flowc.source import Span


class Rule(Record):
    """The module below flowc/rules/ of this name holds `report(unit, sink)`; it is imported for the first job that it
    `concerns`."""

    name: str
    concerns: Callable[[Job], bool]

    def load(self) -> Callable[[Unit, Sink], None]:
        report: Callable[[Unit, Sink], None] = __import__(f"flowc.rules.{self.name}", fromlist=["report"]).report
        return report


def has_text(job: Job) -> bool:
    return bool(job.run.text or job.setup)


def has_mounts(job: Job) -> bool:
    return bool(job.mounts or job.containers)


def has_secrets(job: Job) -> bool:
    return bool(job.secrets or job.files or job.containers or job.isolation.pull_secrets)


def is_delivered(job: Job) -> bool:
    return job.run.delivery == "ssh"


def texts(unit: Unit) -> Iterator[Unit]:
    """A unit for each text that a shell of the job runs: what prepares it, looked at as a job of its own, and the job
    itself."""
    job = unit.job
    if job.setup:
        run = job.run.replace(kind="shell", interpreter="/bin/bash", text=job.setup, commands=())
        yield unit.replace(job=job.replace(run=run, setup=None), text_places=unit.setup_places or _nowhere)
    if job.run.text:
        yield unit


def _nowhere(start: int, end: int) -> Span | None:
    return None
