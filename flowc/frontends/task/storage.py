"""What a task finds on its disks: volumes, mounts, code and small files."""

from __future__ import annotations

from flowc.diag.codes.yaml import task as codes
from flowc.ir.job import File, Mount, Volume
from flowc.ir.mounts import from_uri
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.task.lower import Lowering
    from flowc.yamldoc.node import Node

# Sizes and throughput are told in the provider's units, which are decimal.
MB, GB = 10**6, 10**9
VOLUMES = "/volumes"
_between = at_first_use(r"[^a-z0-9]+", "sub")


def lower(task: Lowering) -> dict[str, Any]:
    """The fields `volumes`, `mounts` and `files` of the job."""
    root = task.root
    return {
        "volumes": tuple(_volume(task, node, index) for index, node in enumerate(root.each("volumes"))),
        "mounts": tuple(_mounts(task)),
        "files": tuple(_files(task)),
    }


def uploads(root: Mapping) -> bool:
    """Whether the task says that code is copied: by itself, or by saying how or from where."""
    strategy = root.read("upload_strategy")
    if root.read("upload_code") is False or strategy == "none":
        return False
    return root.read("upload_code") is True or strategy is not None or root.at("code_root") is not None


def _volume(task: Lowering, node: Node, index: int) -> Volume:
    path = f"volumes.{index}"
    task.note(path, node)
    for field, key in (
        *(("name", "name"), ("volume_id", "volume_id"), ("size_bytes", "size_gb"), ("interface", "interface")),
        *(("mount_path", "mount_path"), ("create", "create_if_missing"), ("iops", "iops")),
        ("throughput_bytes_s", "throughput_mb_s"),
    ):
        task.note(f"{path}.{field}", node.at(key))
    size, throughput = node.read("size_gb"), node.read("throughput_mb_s")
    volume_id: str | None = node.read("volume_id")
    name: str | None = node.read("name")
    if name is None and volume_id is None:
        name = _made_up(task.name, node.read("mount_path", default=str(index + 1)))
        task.sink.report(codes.VOLUME_WITHOUT_NAME, node.span, name=name)
    mount_path = node.read("mount_path")
    if mount_path is None:
        mount_path = f"{VOLUMES}/{name or 'volume-' + (volume_id or '')[-6:]}"
        task.sink.report(codes.VOLUME_PATH_OPEN, node.span, name=name or volume_id, path=mount_path)
    create = volume_id is None and node.read("create_if_missing", default=size is not None or node.at("name") is None)
    if size is not None and not create and isinstance(node, Mapping):
        task.ledger.decide(node.pair("size_gb"), "ignored", "the volume is there, in the size that it has")
    return Volume(
        name=name,
        volume_id=volume_id,
        size_bytes=(size if size is not None else 1) * GB if create or size is not None else None,
        interface=node.read("interface", default="block"),
        mount_path=mount_path,
        create=create,
        iops=node.read("iops"),
        throughput_bytes_s=throughput * MB if throughput is not None else None,
    )


def _made_up(task: str, mount_path: str) -> str:
    """A name for a volume without one: that of its task and the last part of its path, the same at each run."""
    words = _between("-", f"{task}-{mount_path.rstrip('/').rpartition('/')[2]}".lower())
    return words.lstrip("-0123456789")[:60].strip("-") or "volume"


def _mounts(task: Lowering) -> list[Mount]:
    found: list[Mount] = []

    def add(source: Node | None, target: str, where: Node) -> None:
        """Mount what a value says."""
        if source is None:
            return
        try:
            mount = from_uri(source.value, target)
        except ValueError as error:
            task.sink.report(codes.SOURCE_UNUSABLE, source.span, target=target, reason=str(error))
            return
        task.note(f"mounts.{len(found)}", source)
        task.note(f"mounts.{len(found)}.target", where)
        found.append(mount)

    for node in task.root.each("data_mounts"):
        target = node.at("target")
        if target is not None:
            add(node.at("source"), node.read("target"), target)
    for pair in task.root.pairs_at("data"):
        add(pair.value, pair.key.text, pair.key)
    _code(task, found)
    return found


def _code(task: Lowering, found: list[Mount]) -> None:
    """The submitter's code; what is said of it while none is copied has no effect."""
    root = task.root
    if uploads(root):
        said = next(node for key in ("upload_code", "code_root", "upload_strategy") if (node := root.at(key)))
        task.note(f"mounts.{len(found)}", said)
        source: str = root.read("code_root", default=".")
        found.append(Mount(kind="local", source=source.rstrip("/") or "/", target=task.folder))
        return
    why = "`upload_code: false` says that none is copied"
    if root.read("upload_code") is not False:
        why = "`upload_strategy: none` says that none is copied"
    for key in ("upload_strategy", "code_root"):
        if root.at(key) is not None and root.read(key) != "none":
            task.ledger.decide(root.pair(key), "ignored", why)
    if root.read("upload_code") is True:
        task.ledger.decide(root.pair("upload_code"), "ignored", why)


def _files(task: Lowering) -> list[File]:
    found = []
    for index, pair in enumerate(task.root.pairs_at("runtime_files")):
        task.note(f"files.{index}", pair.value)
        found.append(File(path=f"{task.folder.rstrip('/')}/{pair.key.text}", text=pair.value.value))
    return found
