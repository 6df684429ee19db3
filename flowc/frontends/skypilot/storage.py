"""What the task finds on its machine: the working directory, file mounts, volumes."""

from __future__ import annotations

from flowc.diag.codes import skypilot as codes
from flowc.ir import mounts
from flowc.ir.job import Mount, Volume
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.source import Span

WORKDIR = "~/sky_workdir"
SCHEMES = {
    "S3": "s3",
    "GCS": "gs",
    "R2": "r2",
    "IBM": "cos",
    "OCI": "oci",
    "NEBIUS": "nebius",
    "COREWEAVE": "cw",
    "HF": "hf",
}
_variable = at_first_use(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", "sub")


class Storage:
    """Reads the mounts of one task; `found` and `volumes` gather them, each with its place."""

    __slots__ = ("env", "found", "nodes", "sink", "volumes")

    def __init__(self, env: dict[str, str], nodes: int, sink: Sink) -> None:
        self.env = env
        self.nodes = nodes
        self.sink = sink
        self.found: list[tuple[Mount, Span]] = []
        self.volumes: list[tuple[Volume, Span]] = []

    def expand(self, text: str) -> str:
        """`$NAME` and `${NAME}` by the task's own variables; unknown names stay."""
        expanded: str = _variable(lambda match: self.env.get(match[1] or match[2], match[0]), text)
        return expanded

    def workdir(self, node: Node | None) -> None:
        if node is None:
            return
        if isinstance(node, Mapping):
            url, ref = self.expand(node.read("url", default="")), node.read("ref")
            mount = Mount(kind="git", source=f"{url}#{ref}" if ref else url, target=WORKDIR)
        else:
            text = self.expand(str(node.value))
            is_git = "://" in text or text.startswith("git@")
            mount = Mount(kind="git" if is_git else "local", source=text, target=WORKDIR, copy=not is_git)
        self.found.append((mount, node.span))

    def file_mount(self, path: str, target: str, node: Node) -> None:
        """One entry of `file_mounts`: a text is copied, a storage is mounted unless it says otherwise."""
        target = self._target(path, target, node)
        if isinstance(node, Mapping):
            self._storage(path, target, node)
        elif isinstance(node, Scalar):
            self._add(path, node, self.expand(str(node.value)), target, copy=True)

    def _target(self, path: str, target: str, node: Node) -> str:
        target = self.expand(target)
        if target.startswith(("/", "~/")):
            return target.rstrip("/") or "/"
        return f"{WORKDIR}/{target.removeprefix('./')}".rstrip("/")  # as SkyPilot reads it

    def _storage(self, path: str, target: str, node: Mapping) -> None:
        name, store = node.read("name"), (node.read("store") or "").upper()
        source = node.at("source")
        copy = node.read("mode", default="MOUNT") == "COPY"
        read_only = any(
            node.at("config", part, "read_only") is not None and str(node.read("config", part, "read_only")) == "True"
            for part in ("mount", "mount_cached")
        )
        if store == "VOLUME" or (node.read("type") or "").lower() == "volume":
            self._volume_named(str(name or ""), target, node.span)
        elif isinstance(source, Sequence):
            reason = "a list of local paths would have to be uploaded to a bucket first"
            self._refuse(path, source, reason, "upload them yourself, and name the bucket as `source`")
        elif isinstance(source, Scalar):
            self._add(path, source, self.expand(source.text), target, copy=copy, read_only=read_only)
        elif name and store in SCHEMES:
            mount = Mount(
                kind="bucket",
                source=f"{SCHEMES[store]}://{self.expand(name)}",
                target=target,
                copy=copy,
                read_only=read_only,
            )
            self.found.append((mount, node.span))
        elif name:
            reason = "it says neither the `source` nor the `store` of the bucket"
            self._refuse(path, node, reason, f"write the bucket's URI: `source: s3://{name}`")
        else:
            self._refuse(path, node, "it has no `source`", "write a bucket's URI: `source: s3://bucket/path`")

    def _add(self, path: str, node: Node, source: str, target: str, *, copy: bool, read_only: bool = False) -> None:
        try:
            mount = mounts.from_uri(source if "/" in source or source in (".", "~") else f"./{source}", target)
        except ValueError as error:
            self._refuse(path, node, str(error), None)
            return
        self.found.append((mount.replace(copy=copy or mount.kind == "local", read_only=read_only), node.span))

    def volume(self, path: str, target: str, node: Node) -> None:
        """One entry of `volumes`: a name, a name with a path in it, or a size of scratch space."""
        target = self.expand(target)
        if isinstance(node, Scalar):
            self._volume_named(self.expand(node.text), target, node.span)
            return
        name = node.read("name")
        if name is None:
            size = node.read("size")
            scratch = target.strip("/").replace("/", "-") or "scratch"
            self.found.append(
                (
                    Mount(kind="scratch", source=scratch, target=target, size_bytes=self._size(path, node, size)),
                    node.span,
                )
            )
        elif node.read("sub_path"):
            source = f"{self.expand(name)}/{node.read('sub_path').strip('/')}"
            self.found.append((Mount(kind="volume", source=source, target=target), node.span))
        else:
            is_file = "file" in (node.read("type") or "")
            self._volume_named(self.expand(name), target, node.span, is_file=is_file)

    def _volume_named(self, name: str, target: str, span: Span, *, is_file: bool = False) -> None:
        """A volume that exists. On several machines only a file share can be meant."""
        interface = "file" if is_file or self.nodes > 1 else "block"
        self.volumes.append((Volume(name=name, mount_path=target, interface=interface), span))

    def _size(self, path: str, node: Node, size: str | None) -> int | None:
        from flowc.frontends.skypilot.sizes import amount

        if size is None:
            return None
        found = amount(size)
        if found is None:
            self._refuse(path, node, f"`{size}` is no size", "write it as `100GB`")
            return None
        return found[0]

    def _refuse(self, path: str, node: Node, reason: str, help: str | None) -> None:
        self.sink.report(codes.MOUNT, node.span, help=help, path=path, reason=reason)
