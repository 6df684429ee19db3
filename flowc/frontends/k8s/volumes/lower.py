"""The volumes of a pod as mounts, files, volumes of the provider and shared memory."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.context import pair_of
from flowc.frontends.k8s.machine.needs import scaled
from flowc.frontends.k8s.quantity import bytes_of
from flowc.frontends.k8s.volumes import claims, host_paths, places, sub_paths
from flowc.frontends.k8s.volumes import files as volume_files
from flowc.frontends.k8s.volumes.mounts import made, source_of, target_of, volume_named
from flowc.ir.job import Mount
from flowc.patterns import at_first_use
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.pod.containers import Pod
    from flowc.ir.job import File, Volume
    from flowc.yamldoc.node import Mapping, Node

SHM = "/dev/shm"
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
_is_name = at_first_use(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "fullmatch")
# Disks and shares of the old cluster, by what they are called there: the key of their name, where they have one.
DISKS = {
    "azureFile": "shareName",
    "azureDisk": "diskName",
    "gcePersistentDisk": "pdName",
    "awsElasticBlockStore": "volumeID",
    "cinder": "volumeID",
    "vsphereVolume": "volumePath",
    **dict.fromkeys(("cephfs", "fc", "flexVolume", "flocker", "glusterfs", "iscsi", "photonPersistentDisk"), ""),
    **dict.fromkeys(("portworxVolume", "quobyte", "rbd", "scaleIO", "storageos"), ""),
}
FILE_SOURCES = ("configMap", "secret", "projected", "downwardAPI")


class Storage(Record):
    """What the main container finds where. `volumes` are those of all containers."""

    volumes: tuple[Volume, ...] = ()
    mounts: tuple[Mount, ...] = ()
    files: tuple[File, ...] = ()
    shm_bytes: int | None = None


def storage_of(pod: Pod, context: Context) -> Storage:
    """The volumes of the pod, the mounts and files of its main container."""
    mounts: list[Mount] = []
    files: list[File] = []
    shm_bytes = None
    whole: dict[str, Node] = {}  # claim to the mount by which the main container has it as it is
    for each, volume in _mounted(pod.main, context):
        kind, source = source_of(volume)
        claim = claims.of_cluster(volume, context) if kind == "persistentVolumeClaim" else None
        if volume_files.to_bring(kind, source, context):
            context.put(f"mounts.{len(mounts)}", each.at("mountPath"))
            mounts.append(made("local", str(source.read("name", default="")), each, read_only=True))
            continue
        if kind in FILE_SOURCES:
            errors = context.sink.error_count
            found = volume_files.files_of(kind, source, each, pod.main, context)
            for file in found:
                context.put(f"files.{len(files)}", each.at("mountPath"))
                files.append(file)
            if not found and context.sink.error_count == errors:  # an empty folder is there nevertheless
                context.put(f"mounts.{len(mounts)}", each.at("mountPath"))
                mounts.append(made("scratch", str(volume.read("name", default="")), each))
            continue
        if claim is not None and each.at("subPath") is None and claim not in whole:
            whole[claim] = each
            continue
        limit = bytes_of(scaled(source.at("sizeLimit")))  # 0: none, to the kubelet
        if _is_shm(each, kind, source) and limit:
            shm_bytes = limit
            context.put("resources.shm_bytes", source.at("sizeLimit"))
            continue
        for mount in mounts_of(volume, each, context):
            context.put(f"mounts.{len(mounts)}", each.at("mountPath"))
            mounts.append(mount)
    claimed = any(each.at("persistentVolumeClaim") is not None for each in context.job.pod_spec.each("volumes"))
    volumes = claims.volumes_of(pod, whole, context) if claimed else ()
    return Storage(volumes=volumes, mounts=tuple(mounts), files=tuple(files), shm_bytes=shm_bytes)


def storage_beside(container: Mapping, context: Context) -> Storage:
    """The mounts and files of a container beside the main one."""
    found: list[Mount] = []
    files: list[File] = []
    for each, volume in _mounted(container, context):
        kind, source = source_of(volume)
        if volume_files.to_bring(kind, source, context):
            found.append(made("local", str(source.read("name", default="")), each, read_only=True))
            continue
        if kind in FILE_SOURCES:
            errors = context.sink.error_count
            own = volume_files.files_of(kind, source, each, container, context)
            files += own
            if not own and context.sink.error_count == errors:  # an empty folder is there nevertheless
                found.append(made("scratch", str(volume.read("name", default="")), each))
            continue
        found += mounts_of(volume, each, context)
    return Storage(mounts=tuple(found), files=tuple(files))


def _mounted(container: Mapping, context: Context) -> list[tuple[Node, Mapping]]:
    """The mounts of a container, each with its volume; without the cluster's own token, which dumped pods have."""
    found: list[tuple[Node, Mapping]] = []
    for written in container.each("volumeMounts"):
        volume = volume_named(str(written.read("name", default="")), context)
        if volume is not None and target_of(written).rstrip("/") == TOKEN:
            context.gather(codes.CLUSTER_FIELDS, f"the mount of `{TOKEN}`", written.span)
            for pair in written.pairs_at():
                note = "there is no cluster whose API it could open"
                context.decide(written, pair.key.text, "ignored", note, codes.CLUSTER_FIELDS)
            continue
        each = sub_paths.resolved(written, container, context)
        found += [(each, volume)] if volume is not None and each is not None else []
    return found


def _is_shm(mount: Node, kind: str, source: Node) -> bool:
    in_memory = kind == "emptyDir" and source.read("medium") == "Memory"
    return in_memory and target_of(mount).rstrip("/") == SHM and mount.at("subPath") is None


def mounts_of(volume: Mapping, mount: Node, context: Context) -> list[Mount]:
    """What a mount of a container is; empty where it is refused, by the table of fields or here."""
    kind, source = source_of(volume)
    found: Mount | None = None
    if kind == "emptyDir":
        found = _empty(volume, source, mount, context)
    elif kind == "hostPath":
        found = host_paths.mount_of(source, mount, context)
    elif kind == "persistentVolumeClaim":
        found = claims.mount_of(volume, mount, context)
    elif kind == "ephemeral":
        found = _empty(volume, source, mount, context)
        size = source.at("volumeClaimTemplate", "spec", "resources", "requests", "storage")
        found = found and found.replace(size_bytes=bytes_of(scaled(size)) or None)
        note = "it lies on the machine's own disk"
        context.decide(source, "volumeClaimTemplate", "approximated", note)
    elif kind == "nfs":
        server, path = str(source.read("server", default="")), str(source.read("path", default=""))
        context.gather(machine_codes.STORAGE_EXPECTED, f"`{server}:{path}`", source.span)
        found = made("nfs", f"{server}:{path}", mount, read_only=bool(source.read("readOnly")))
    elif kind == "csi":
        found = _csi(source, mount, context)
    elif kind in DISKS and context.moves(volume, kind, "a volume of the provider takes its place"):
        name = str(source.read(DISKS[kind], default="")) if DISKS[kind] else ""
        name = name if _is_name(name) else str(volume.read("name", default=""))
        context.gather(machine_codes.STORAGE_EXPECTED, f"`{name}`", source.span)
        found = made("volume", name, mount, read_only=bool(source.read("readOnly")))
    return [found] if found is not None else []


def _empty(volume: Mapping, source: Node, mount: Node, context: Context) -> Mount | None:
    name, medium = str(volume.read("name", default="")), source.read("medium", default="")
    if medium.startswith("HugePages"):
        help = "leave `medium` out, or write `Memory`"
        context.refuse(source, "medium", "huge pages are not set aside on a machine", help)
        return None
    if mount.at("subPath") is not None and _mounted_whole(name, context):
        note = "the folder is apart from the volume that is mounted as a whole elsewhere"
        context.decide(mount, "subPath", "approximated", note)
    elif mount.at("subPath") is not None and len(mounts_named(name, context)) == 1:
        pair = pair_of(mount, "subPath")
        context.ledger.decide(pair, "ignored", "the folder is empty, and nobody else has the volume", quiet=True)
    size = bytes_of(scaled(source.at("sizeLimit"))) if source.at("sizeLimit") is not None else None
    if size is not None and medium != "Memory":
        context.decide(source, "sizeLimit", "approximated", "the folder ends where the machine's disk does")
    return made("memory" if medium == "Memory" else "scratch", name, mount, size_bytes=size)


def _mounted_whole(name: str, context: Context) -> bool:
    return any(each.at("subPath") is None and not each.read(sub_paths.KEY) for each in mounts_named(name, context))


def mounts_named(name: str, context: Context) -> list[Node]:
    """The mounts of a volume in all containers."""
    spec = context.job.pod_spec
    containers = [*spec.each("containers"), *spec.each("initContainers")]
    mounts = [each for container in containers for each in container.each("volumeMounts")]
    return [each for each in mounts if each.read("name") == name]


def _csi(source: Node, mount: Node, context: Context) -> Mount | None:
    place = places.of_driver(source)
    if place is None:
        reason = f"the driver `{source.read('driver', default='')}` belongs to a cluster"
        context.refuse(source, "driver", reason, "use a bucket, a persistentVolumeClaim or `nfs`")
        return None
    if place.kind == "nfs":
        context.gather(machine_codes.STORAGE_EXPECTED, f"`{place.source}`", source.span)
    if place.left_out:
        context.decide(source, "volumeAttributes", "approximated", places.but_for(place))
    return made(place.kind, place.source, mount, read_only=place.read_only).replace(options=place.options)
