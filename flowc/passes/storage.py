"""Bounds and conflicts of volumes and mounts; part of `validate`, loaded for jobs that have some."""

from __future__ import annotations

from flowc._compiled.limits import FILE_VOLUME_GIB, VOLUME_GIB, VOLUME_NAME_LENGTH, VOLUMES_PER_BID
from flowc.diag.codes import storage as codes
from flowc.ir.units import GIB, plural, size_text
from flowc.patterns import at_first_use
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.job import Mount
    from flowc.ir.unit import Unit
    from flowc.source import Span

_is_volume_name = at_first_use(r"[a-z]([-a-z0-9]*[a-z0-9])?", "fullmatch")
_other = at_first_use(r"[^a-z0-9]+", "sub")
# What a machine cannot do without, each folder as a whole; and where nothing below may be replaced either.
SYSTEM = frozenset(
    (
        *("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/proc", "/root", "/run"),
        *("/sbin", "/sys", "/usr", "/var", "/var/lib", "~"),
    )
)
BELOW = ("/boot", "/dev", "/proc", "/sys", "/run/flowc", "/var/lib/cloud", "/var/lib/foundry")
# The same for a container: its image has a home of its own, and no machine to start.
CONTAINER_SYSTEM = frozenset(("/", "/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr"))
CONTAINER_BELOW = ("/proc", "/sys")
SHARED_MEMORY = "/dev/shm"
LONGEST_PATH = 4095  # Linux takes no longer one
# Kinds of mounts that stay a file system of their own; the others are folders, or are filled once.
LIVE = ("bucket", "nfs", "volume")


class Place(Record):
    """Something that is to be found at `path`, which has no slash at its end and none doubled. `live`: it
    stays a file system of its own, in which no other can be mounted. `volume` is the name of the persistent volume that
    it shows, if any."""

    path: str
    span: Span | None
    live: bool
    volume: str | None


def check(unit: Unit, sink: Sink) -> None:
    """Everything about the storage of a job that needs no catalog."""
    job = unit.job
    _volumes(unit, sink)
    if job.resources.nodes is not None:
        check_sharing(unit, job.resources.nodes, sink)
    nesting, contained = job.conventions.mounts_nest, job.image is not None
    places = []
    for index, volume in enumerate(job.volumes):
        span = unit.origin(f"volumes.{index}.mount_path", f"volumes.{index}", "volumes")
        if _possible(volume.mount_path, "volume", contained, span, sink):
            name = volume.name or volume.volume_id
            places.append(Place(path=_plain(volume.mount_path), span=span, live=not nesting, volume=name))
    for index, mount in enumerate(job.mounts):
        span = unit.origin(f"mounts.{index}.target", f"mounts.{index}", "mounts")
        places += _of_mount(mount, span, contained, nesting, sink)
    _overlaps(places, sink)
    for number, container in enumerate(job.containers):
        inside = []
        for index, mount in enumerate(container.mounts):
            paths = (f"containers.{number}.mounts.{index}", f"containers.{number}.mounts", f"containers.{number}")
            span = unit.origin(f"{paths[0]}.target", *paths, "containers")
            inside += _of_mount(mount, span, True, nesting, sink)
        _overlaps(inside, sink)


def check_sharing(unit: Unit, nodes: int, sink: Sink) -> None:
    """Block volumes belong to one machine: not to several nodes, nor to the tasks of an array that run together."""
    array = unit.job.array
    together = 1 if array is None else min(len(array.indices), array.max_concurrent or len(array.indices))
    if nodes * together <= 1:
        return
    what = plural(nodes, "node") if together == 1 else f"{together} tasks of an array at a time"
    for index, volume in enumerate(unit.job.volumes):
        if volume.interface == "block":
            span = unit.origin(f"volumes.{index}.interface", f"volumes.{index}", "volumes")
            name = volume.name or volume.volume_id or volume.mount_path
            sink.report(codes.BLOCK_VOLUME_ON_SEVERAL, span, name=name, machines=what)


def _volumes(unit: Unit, sink: Sink) -> None:
    volumes = unit.job.volumes
    if len(volumes) > VOLUMES_PER_BID:
        span = unit.origin(f"volumes.{VOLUMES_PER_BID}", "volumes")
        sink.report(codes.TOO_MANY_VOLUMES, span, count=len(volumes), limit=VOLUMES_PER_BID)
    for index, volume in enumerate(volumes):
        name, size = volume.name, volume.size_bytes
        if name is not None and (len(name) > VOLUME_NAME_LENGTH or not _is_volume_name(name)):
            span = unit.origin(f"volumes.{index}.name", f"volumes.{index}", "volumes")
            sink.report(codes.VOLUME_NAME, span, help=_corrected(name), name=name)
        most = VOLUME_GIB if volume.interface == "block" else FILE_VOLUME_GIB
        if size is not None and not 0 < size <= most * GIB:
            span = unit.origin(f"volumes.{index}.size_bytes", f"volumes.{index}.size_gb", f"volumes.{index}", "volumes")
            shown = size_text(size) if size > 0 else f"{size} bytes"
            sink.report(codes.VOLUME_SIZE, span, size=shown, interface=volume.interface, most=most)


def _corrected(name: str) -> str | None:
    """A help line with the nearest name that is allowed; none for a placeholder that was not filled in."""
    if "$" in name or "{" in name or "<" in name:
        return None
    near = _other("-", name[: 2 * VOLUME_NAME_LENGTH].lower()).lstrip("-0123456789")
    near = near[:VOLUME_NAME_LENGTH].rstrip("-")
    return f"write `{near}`" if near else None


def _of_mount(mount: Mount, span: Span | None, contained: bool, nesting: bool, sink: Sink) -> list[Place]:
    if not _possible(mount.target, mount.kind, contained, span, sink):
        return []
    live = mount.kind in LIVE and not mount.copy and not nesting
    volume = mount.source.partition("/")[0] if mount.kind == "volume" else None
    return [Place(path=_plain(mount.target), span=span, live=live, volume=volume)]


def _possible(path: str, kind: str, contained: bool, span: Span | None, sink: Sink) -> bool:
    """Whether something may be found at a path; if not, it is said why."""
    reason = _misformed(path)
    if reason is not None:
        sink.report(codes.MOUNT_TARGET_FORM, span, target=path, reason=reason)
    elif _reserved(_plain(path), kind, contained):
        whose = "the container" if contained else "the machine"
        sink.report(codes.MOUNT_TARGET_RESERVED, span, target=path, whose=whose)
    else:
        return True
    return False


def _plain(path: str) -> str:
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/") or "/"


def _misformed(path: str) -> str | None:
    if len(path) > LONGEST_PATH:
        return f"it is longer than {LONGEST_PATH} characters"
    if not (path.startswith(("/", "~/")) or path == "~"):
        return "it is neither absolute nor below `~/`"
    if {".", ".."} & set(path.split("/")):
        return "it has `.` or `..` in it"
    if ":" in path or any(not char.isprintable() for char in path):
        return "it has a colon or a control character in it"
    return None


def _reserved(path: str, kind: str, contained: bool) -> bool:
    if path == SHARED_MEMORY and kind in ("memory", "host", "scratch"):
        return False
    if contained:
        if kind == "host":
            return path == "/"
        return path in CONTAINER_SYSTEM or any(path.startswith(f"{folder}/") for folder in CONTAINER_BELOW)
    return path in SYSTEM or any(path == folder or path.startswith(f"{folder}/") for folder in BELOW)


def _overlaps(places: list[Place], sink: Sink) -> None:
    """Two things at one place, or one inside a file system of another. A volume may be mentioned twice at its place."""
    first: dict[str, Place] = {}
    for place in places:
        other = first.setdefault(place.path, place)
        if other is not place and (place.volume is None or place.volume != other.volume):
            notes = ((other.span, "the first one is here"),) if other.span is not None else ()
            sink.report(codes.MOUNT_TARGET_TWICE, place.span, notes=notes, target=place.path)
    for path, place in first.items():
        parent = path
        while (parent := parent.rpartition("/")[0]) not in ("", "~"):
            outer = first.get(parent)
            if outer is not None and outer.live:
                notes = ((outer.span, f"`{parent}` is here"),) if outer.span is not None else ()
                sink.report(codes.MOUNT_TARGETS_NESTED, place.span, notes=notes, inner=path, outer=parent)
                break
