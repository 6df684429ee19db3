"""A volume of the pod by its name, and a mount of it as the job has it."""

from __future__ import annotations

from flowc.ir.job import Mount
from flowc.yamldoc.node import is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Mapping, Node


def volume_named(name: str, context: Context) -> Mapping | None:
    for each in context.job.pod_spec.each("volumes"):
        if each.read("name") == name:
            return each  # type: ignore[return-value]
    return None


def source_of(volume: Mapping) -> tuple[str, Node]:
    """The kind of a volume and what its source says; a volume without any is an empty folder."""
    for pair in volume.pairs:
        if pair.key.text != "name" and not is_null(pair.value):
            return pair.key.text, pair.value
    return "emptyDir", volume


def target_of(mount: Node) -> str:
    """Where a mount is; the kubelet takes a relative path from the root of the container."""
    return "/" + str(mount.read("mountPath", default="")).lstrip("/")


def made(kind: str, source: str, mount: Node, *, read_only: bool = False, size_bytes: int | None = None) -> Mount:
    """A mount at the place that the container says, of the folder of it that `subPath` names."""
    sub = str(mount.read("subPath", default="")).strip("/")
    target = target_of(mount)
    return Mount(
        kind=kind,
        source=f"{source.rstrip('/')}/{sub}" if sub else source,
        target=target.rstrip("/") or target,
        read_only=read_only or bool(mount.read("readOnly")),
        size_bytes=size_bytes,
    )
