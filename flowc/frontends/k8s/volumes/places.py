"""Where a PersistentVolume of the file, or a volume of a driver, keeps its data: a bucket, a folder of a server or of
the machine; or out of reach."""

from __future__ import annotations

from flowc._compiled.k8s_fields import TYPES
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flowc.yamldoc.node import Mapping, Node

GCS, S3, NFS = "gcsfuse.csi.storage.gke.io", "s3.csi.aws.com", "nfs.csi.k8s.io"
# The option of a driver by which a folder of the bucket is mounted alone.
_FOLDERS = {"gs": "only-dir", "s3": "prefix"}
# What holds for each bucket that is mounted here.
_ALWAYS = ("implicit-dirs", "allow-other", "allow_other", "allow-delete", "allow-overwrite", "rw", "o=rw")
_READ_ONLY = ("ro", "read-only", "o=ro")


class Place(Record):
    """What is mounted: `kind`, `source` and `options` as a Mount has them. `left_out` are options that are not kept."""

    kind: str
    source: str
    read_only: bool = False
    options: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()


def of_persistent(persistent: Mapping) -> Place | None:
    """The place that a PersistentVolume names; None for one that is out of reach."""
    spec = persistent.at("spec")
    if spec is None:
        return None
    options = [str(each.value) for each in spec.each("mountOptions")]
    if spec.at("nfs") is not None:
        return _share(spec.read("nfs", "server"), spec.read("nfs", "path"), bool(spec.read("nfs", "readOnly")), options)
    if spec.at("hostPath") is not None:
        return Place(kind="host", source=str(spec.read("hostPath", "path", default="")))
    csi = spec.at("csi")
    return of_driver(csi, options) if csi is not None else None


def of_driver(csi: Node, options: Iterable[str] = ()) -> Place | None:
    """The place of a driver whose storage can be mounted here too; None for others."""
    driver, read_only = str(csi.read("driver", default="")), bool(csi.read("readOnly"))
    attributes = {key: str(csi.read("volumeAttributes", key)) for key in _keys(csi)}
    options = [*options, *_split(attributes.get("mountOptions", ""))]
    if driver == NFS:
        return _share(attributes.get("server"), attributes.get("share"), read_only, options)
    bucket = attributes.get("bucketName") or csi.read("volumeHandle")
    scheme = {GCS: "gs", S3: "s3"}.get(driver)
    if scheme is None or not bucket:
        return None
    source, left_out = f"{scheme}://{bucket}", []
    for option in options:
        key, _, value = option.replace(" ", "=", 1).replace(":", "=", 1).partition("=")
        if key == _FOLDERS[scheme]:
            source = f"{scheme}://{bucket}/{value.strip('/')}"
        elif option in _READ_ONLY:
            read_only = True
        elif option not in _ALWAYS:
            left_out.append(option)
    left_out += [key for key in attributes if key not in ("bucketName", "mountOptions")]
    return Place(kind="bucket", source=source, read_only=read_only, left_out=tuple(left_out))


def but_for(place: Place) -> str:
    """What is not kept of a bucket's options."""
    return f"but for {', '.join(f'`{each}`' for each in place.left_out[:6])}: what mounts the bucket here has its own"


def out_of_reach(persistent: Mapping) -> str:
    """Why the data of a PersistentVolume that is no place cannot be had."""
    driver = persistent.read("spec", "csi", "driver")
    if driver is not None:
        return f"its PersistentVolume is of the driver `{driver}`, which belongs to a cluster"
    for pair in persistent.pairs_at("spec"):
        row = TYPES["Volume"].get(pair.key.text)
        if pair.key.text == "local":
            return "its PersistentVolume is a disk of one of the cluster's nodes"
        if row is not None and row.get("action") == "refused":
            return f"its PersistentVolume is out of reach: {row['note']}"
    return "its PersistentVolume does not say where the data is"


def _share(server: object, path: object, read_only: bool, options: Iterable[str]) -> Place:
    given = [each for each in options if each not in ("ro", "rw")]
    read_only = read_only or "ro" in options
    pairs = tuple((key, value) for key, _, value in (each.partition("=") for each in given))
    return Place(kind="nfs", source=f"{server}:{path}", read_only=read_only, options=pairs)


def _keys(csi: Node) -> Iterator[str]:
    return (pair.key.text for pair in csi.pairs_at("volumeAttributes"))


def _split(options: str) -> list[str]:
    return [each.strip() for each in options.split(",") if each.strip()]
