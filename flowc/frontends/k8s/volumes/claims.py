"""Persistent volume claims: volumes of the provider by the claim's name, or what the file says of them."""

from __future__ import annotations

from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.context import pair_of
from flowc.frontends.k8s.machine.needs import scaled
from flowc.frontends.k8s.quantity import bytes_of
from flowc.frontends.k8s.volumes import host_paths, places
from flowc.frontends.k8s.volumes.mounts import made, target_of, volume_named
from flowc.ir.job import Mount, Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.pod.containers import Pod
    from flowc.yamldoc.node import Mapping, Node

SHARED = "several machines have it at a time: it becomes file storage"
SHARED_MODES = ("ReadWriteMany", "ReadOnlyMany")


def claim_of(volume: Mapping, context: Context) -> tuple[str, Mapping | None]:
    """The name of the claim and the claim itself, where it is in the file."""
    name = str(volume.read("persistentVolumeClaim", "claimName", default=""))
    return name, context.companions.claims.get((context.job.namespace, name))


def bound_to(volume: Mapping, context: Context) -> Mapping | None:
    """The PersistentVolume of the file that the claim names."""
    name, claim = claim_of(volume, context)
    bound = claim.read("spec", "volumeName") if claim is not None else None
    for (_, volume_name), each in context.companions.volumes.items():
        ref = each.at("spec", "claimRef", "name")
        if volume_name == bound or (ref is not None and ref.value == name):
            return each
    return None


def of_cluster(volume: Mapping, context: Context) -> str | None:
    """The claim's name, unless a PersistentVolume of the file says that it is something else (a bucket, NFS)."""
    found = bound_to(volume, context)
    return claim_of(volume, context)[0] if found is None or not elsewhere(found) else None


def elsewhere(persistent: Mapping) -> bool:
    """Whether a PersistentVolume is a bucket, a folder of a server or of the machine."""
    return places.of_persistent(persistent) is not None


def mount_of(volume: Mapping, mount: Node, context: Context) -> Mount | None:
    """A mount of a claim that is not the main container's whole volume."""
    source = volume.at("persistentVolumeClaim")
    read_only = source is not None and bool(source.read("readOnly"))
    persistent = bound_to(volume, context)
    if persistent is None:
        return made("volume", claim_of(volume, context)[0], mount, read_only=read_only)
    place = places.of_persistent(persistent)
    if place is None:
        _refuse(volume, persistent, context)
        return None
    read_only = read_only or place.read_only
    host = persistent.at("spec", "hostPath")
    if host is not None and place.kind == "host":
        found = host_paths.mount_of(host, mount, context)
        return found and found.replace(read_only=found.read_only or read_only)
    if place.kind == "nfs":
        context.gather(machine_codes.STORAGE_EXPECTED, f"`{place.source}`", mount.span)
    return made(place.kind, place.source, mount, read_only=read_only).replace(options=place.options)


def _refuse(volume: Mapping, persistent: Mapping, context: Context) -> None:
    """A claim whose data is out of reach: an empty volume in its place would be paid for, and be no use."""
    source = volume.at("persistentVolumeClaim")
    assert source is not None
    help = "copy the data into a bucket or a volume of the provider"
    context.refuse(source, "claimName", places.out_of_reach(persistent), help)


def volumes_of(pod: Pod, whole: dict[str, Node], context: Context) -> tuple[Volume, ...]:
    """The volumes of the provider that the containers use; `whole` says where the main one has some of them."""
    found: dict[str, Volume] = {}
    for container in (pod.main, *pod.beside):
        for mount in container.each("volumeMounts"):
            volume = volume_named(str(mount.read("name", default="")), context)
            if volume is None or volume.at("persistentVolumeClaim") is None:
                continue
            name = of_cluster(volume, context)
            if name is None or name in found or not name:
                continue
            persistent = bound_to(volume, context)
            if persistent is not None:
                _refuse(volume, persistent, context)
                continue
            context.put(f"volumes.{len(found)}", volume.at("persistentVolumeClaim", "claimName"))
            if name in whole:
                context.put(f"volumes.{len(found)}.mount_path", whole[name].at("mountPath"))
            found[name] = _volume(name, volume, whole.get(name), context)
    return tuple(found.values())


def _volume(name: str, volume: Mapping, mount: Node | None, context: Context) -> Volume:
    source, (_, claim) = volume.at("persistentVolumeClaim"), claim_of(volume, context)
    assert source is not None
    place = source.at("claimName") or source
    several = context.shape.nodes > 1 or context.shape.tasks is not None
    modes = [str(each.value) for each in claim.each("spec", "accessModes")] if claim is not None else []
    shared = any(mode in SHARED_MODES for mode in modes) or (claim is None and several)
    if claim is None:
        context.gather(machine_codes.STORAGE_EXPECTED, f"`{name}`", place.span)
    elif several and not shared and context.moves(claim.at("spec") or claim, "accessModes", SHARED):
        shared = True
    elif several and not shared:
        help = "write `accessModes: [ReadWriteMany]` in the claim, which becomes file storage"
        pair = pair_of(claim.at("spec"), "accessModes")
        notes = ((pair.value.span, "one machine at a time"),) if pair is not None else ()
        context.sink.report(machine_codes.BLOCK_VOLUME_SHARED, place.span, help=help, notes=notes, name=name)
    spec = claim.at("spec") if claim is not None else None
    if spec is not None and spec.read("volumeMode") == "Block":
        context.refuse(spec, "volumeMode", "a container cannot have a raw block device", "write `Filesystem`")
    size = claim.at("spec", "resources", "requests", "storage") if claim is not None else None
    path = target_of(mount) if mount is not None else f"/volumes/{name}"
    read_only = bool(source.read("readOnly")) or (mount is not None and bool(mount.read("readOnly")))
    return Volume(
        name=name,
        size_bytes=bytes_of(scaled(size)) if size is not None else None,
        interface="file" if shared else "block",
        mount_path=path.rstrip("/") or path,
        create=claim is not None,
        read_only=read_only,
    )
