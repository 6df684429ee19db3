"""Files that nothing carries to the machine, and buckets that it cannot reach."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.diag.sink import Sink
    from flowc.ir.job import Job, Mount
    from flowc.ir.unit import Unit
    from flowc.source import Span

# How the login of S3, of Google, is given.
_HELPS = (
    "`--secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY` ask for it",
    "`--env GOOGLE_APPLICATION_CREDENTIALS=/root/key.json` says where the job has a file with it",
)


def report(unit: Unit, sink: Sink) -> None:
    """Report each mount at its place."""
    for mount, span in mounts(unit):
        if mount.kind in ("local", "bucket"):
            report_mount(unit.job, mount, span, sink)


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
    from flowc.diag.codes import emit as codes

    if mount.kind == "local":
        sink.report(codes.FILES_NOT_CARRIED, span, source=mount.source, target=mount.target)
    elif mount.kind == "bucket":
        scheme = mount.source.partition("://")[0].lower()
        from flowc.scripts.storage import BUCKETS, known, login_of

        if scheme not in BUCKETS:
            sink.report(
                codes.BUCKET_UNREACHABLE, span, source=scheme, reason="expected s3, gs or what speaks as s3 does"
            )
        elif scheme not in ("s3", "gs") and "AWS_ENDPOINT_URL" not in dict(job.env):
            sink.report(
                codes.BUCKET_UNREACHABLE, span, source=scheme, reason="expected its address in AWS_ENDPOINT_URL"
            )
        elif not known(job, login_of(scheme)):
            help = _HELPS[scheme == "gs"]
            sink.report(codes.BUCKET_WITHOUT_LOGIN, span, help=help, source=mount.source, name=login_of(scheme))
