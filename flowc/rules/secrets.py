"""Secrets that the machine waits for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.job import Job
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    awaited = awaited_secrets(unit.job)
    if awaited:
        from flowc.diag.codes.emit import SECRETS_AWAITED

        span = unit.origin("secrets.0", "secrets", "files", "containers", "isolation.pull_secrets")
        sink.report(SECRETS_AWAITED, span, names=", ".join(f"`{name}`" for name in awaited))


def awaited_secrets(job: Job) -> list[str]:
    """The names of all secrets that the machine waits for."""
    found = [*job.secrets, *job.isolation.pull_secrets, *(file.secret for file in job.all_files() if file.secret)]
    for each in job.containers:
        found += [*each.secrets, *each.isolation.pull_secrets]
    return list(dict.fromkeys(found))
