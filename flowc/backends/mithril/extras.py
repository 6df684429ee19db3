"""What of containers, storage, ports and secrets the machine cannot have, or has only once somebody acts."""

from __future__ import annotations

from flowc.diag.codes import emit as codes
from flowc.scripts.needs import LOWEST_PORT, opens
from flowc.scripts.storage import BUCKETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.diag.sink import Sink
    from flowc.ir.job import Job, Mount, Volume
    from flowc.ir.unit import Unit
    from flowc.source import Span


def report(unit: Unit, sink: Sink) -> None:
    """Report each of them at its place."""
    job = unit.job
    for number, volume in enumerate(job.volumes):
        report_speed(unit, volume, number, sink)
    for mount, span in mounts(unit):
        report_mount(job, mount, span, sink)
    for number, port in enumerate(job.ports):
        span = unit.origin(f"ports.{number}", "ports")
        if port.protocol.lower() != "tcp":
            sink.report(codes.PORT_NOT_OPENED, span, port=port.external, reason=f"`{port.protocol}` is not forwarded")
        elif not opens(port):
            sink.report(codes.PORT_NOT_OPENED, span, port=port.external, reason=f"the lowest is {LOWEST_PORT}")
    awaited = awaited_secrets(job)
    if awaited:
        span = unit.origin("secrets.0", "secrets", "files", "containers", "isolation.pull_secrets")
        sink.report(codes.SECRETS_AWAITED, span, names=", ".join(f"`{name}`" for name in awaited))
    if job.terminate_on_exit:
        sink.report(codes.BID_STAYS, unit.origin("terminate_on_exit"))


def report_speed(unit: Unit, volume: Volume, number: int, sink: Sink) -> None:
    for field in ("iops", "throughput_bytes_s"):
        if getattr(volume, field) is not None:
            span = unit.origin(f"volumes.{number}.{field}", f"volumes.{number}", "volumes")
            what = span.text if span is not None and "\n" not in span.text else field
            sink.report(codes.NOT_IN_BID, span, what=what, consequence="a volume is as fast as the provider makes it")


def mounts(unit: Unit) -> Iterator[tuple[Mount, Span | None]]:
    """All mounts of the job and of its containers, each once."""
    seen = set()
    for number, mount in enumerate(unit.job.mounts):
        seen.add((mount.kind, mount.source))
        yield mount, unit.origin(f"mounts.{number}.source", f"mounts.{number}", "mounts")
    for number, container in enumerate(unit.job.containers):
        for mount in container.mounts:
            if (mount.kind, mount.source) not in seen:
                seen.add((mount.kind, mount.source))
                yield mount, unit.origin(f"containers.{number}.mounts", f"containers.{number}", "containers")


def report_mount(job: Job, mount: Mount, span: Span | None, sink: Sink) -> None:
    if mount.kind == "local":
        sink.report(codes.FILES_NOT_CARRIED, span, source=mount.source, target=mount.target)
    elif mount.kind == "bucket":
        scheme = mount.source.partition("://")[0].lower()
        if scheme not in BUCKETS:
            sink.report(
                codes.BUCKET_UNREACHABLE, span, source=scheme, reason="expected s3, gs or what speaks as s3 does"
            )
        elif scheme not in ("s3", "gs") and "AWS_ENDPOINT_URL" not in dict(job.env):
            sink.report(
                codes.BUCKET_UNREACHABLE, span, source=scheme, reason="expected its address in AWS_ENDPOINT_URL"
            )


def awaited_secrets(job: Job) -> list[str]:
    """The names of all secrets that the machine waits for."""
    found = [*job.secrets, *job.isolation.pull_secrets, *(file.secret for file in job.files if file.secret)]
    for each in job.containers:
        found += [*each.secrets, *each.isolation.pull_secrets]
    return list(dict.fromkeys(found))
