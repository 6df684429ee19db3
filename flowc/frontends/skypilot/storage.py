"""What the task finds on its machine: the working directory, file mounts, volumes."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.frontends.skypilot.sizes import size_bytes
from flowc.frontends.skypilot.variables import unset
from flowc.ir import mounts
from flowc.ir.job import Mount, Volume
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.source import Span
    from flowc.yamldoc.ledger import Ledger

WORKDIR = "~/sky_workdir"
# Where a folder has this file, SkyPilot reads it, and no `.gitignore`.
IGNORES = (("ignores", ".skyignore"),)
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
# The types of Mithril's volumes, and how each is attached.
INTERFACES = {"mithril-file-share": "file", "mithril-block": "block"}
_MUST_EXIST = "SkyPilot makes the bucket if there is none; here it must exist"
_NO_UPLOAD = "the files are copied to the machine: nothing goes into a bucket, nor comes back"
_READ_ONLY = "of these settings only `read_only` is kept"


class Storage:
    """Reads the mounts of one task; `found` and `volumes` gather them, each with its place."""

    __slots__ = ("found", "ledger", "moving", "nodes", "secrets", "sink", "volumes")

    def __init__(
        self, nodes: int, secrets: tuple[str, ...], ledger: Ledger, sink: Sink, *, moving: bool = False
    ) -> None:
        self.nodes = nodes
        self.secrets = secrets
        self.ledger = ledger
        self.sink = sink
        self.moving = moving
        self.found: list[tuple[Mount, Span]] = []
        self.volumes: list[tuple[Volume, Span]] = []

    def workdir(self, node: Node | None) -> None:
        """A folder of the submitter's, or a repository, with a commit or not."""
        if isinstance(node, Mapping):
            url, ref = node.at("url"), node.read("ref")
            if url is not None and self._is_set("workdir.url", url, url.value):
                self._repository("workdir.url", url, url.value, ref)
        elif node is not None and self._is_set("workdir", node, node.value):
            text = node.value
            if "://" in text or text.startswith("git@"):
                self._repository("workdir", node, text, None)
            else:
                self.found.append(
                    (Mount(kind="local", source=text, target=WORKDIR, copy=True, options=IGNORES), node.span)
                )

    def _repository(self, path: str, node: Node, url: str, ref: str | None) -> None:
        """Any URL is one of a repository here."""
        try:
            mount = mounts.from_uri(f"git+{url}" if url.startswith("https://") else url, WORKDIR)
        except ValueError as error:
            self._refuse(path, node, str(error), None)
            return
        if mount.kind != "git":
            self._refuse(path, node, "it is no git repository", "write `url: https://HOST/OWNER/NAME.git`")
            return
        self.found.append((mount.replace(source=f"{mount.source}#{ref}") if ref else mount, node.span))

    def file_mount(self, pair: Pair) -> None:
        """One entry of `file_mounts`: a text is copied, a storage is mounted unless it says otherwise."""
        node, target = pair.value, pair.key.text
        if self._is_empty(pair) or not self._is_set(pair.path, pair.key, target):
            return
        if target.startswith(("/", "~/")):
            target = target.rstrip("/") or "/"
        else:
            target = f"{WORKDIR}/{target.removeprefix('./')}".rstrip("/")  # as SkyPilot reads it
        if isinstance(node, Mapping):
            self._storage(pair.path, target, node)
        elif isinstance(node, Scalar):
            self._add(pair.path, node, node.value, target, copy=True)

    def _storage(self, path: str, target: str, node: Mapping) -> None:
        name, store, source = node.read("name"), node.read("store", default=""), node.at("source")
        copy = node.read("mode") == "COPY"
        if name is not None and not self._is_set(f"{path}.name", node.at("name") or node, name):
            return
        if store == "VOLUME" or node.read("type", default="").lower() == "volume":
            self._of_volume(path, target, node, name or (source.value if isinstance(source, Scalar) else None))
        elif isinstance(source, Sequence):
            self._listed(path, target, node, source)
        elif isinstance(source, Scalar):
            mount = self._add(path, source, source.value, target, copy=copy, read_only=self._read_only(node))
            if mount is not None and mount.kind == "local" and (name or not copy):
                self._not_uploaded(node)
        elif name and (store in SCHEMES or (self.moving and not store)):
            uri = f"{SCHEMES[store or 'S3']}://{name}"
            if self._add(path, node, uri, target, copy=copy, read_only=self._read_only(node)) is not None:
                self.ledger.decide(node.pair("name"), "approximated", _MUST_EXIST)
        elif name and store:
            self._refuse(path, node, f"which bucket of {store} is meant is not clear", "write its URI as `source`")
        elif name:
            reason = "SkyPilot would make a bucket of this name in a cloud of its choice"
            self._refuse(path, node, reason, f"make the bucket, and write its URI: `source: s3://{name}`")
        elif all(pair.field is not None for pair in node.pairs):  # an unknown key may be what is missing
            reason = "its `name` is empty" if "name" in node else "it has no `source`"
            self._refuse(path, node, reason, "write a bucket's URI: `source: s3://bucket/path`")

    def _listed(self, path: str, target: str, node: Mapping, source: Sequence) -> None:
        """Local paths, each of which is found below the target by its own name."""
        names: list[str] = []
        for number, item in enumerate(source.items):
            text = str(item.value) if isinstance(item, Scalar) else ""
            name = text.rpartition("/")[2]
            where = f"{path}.source[{number}]"
            if "://" in text or name in ("", ".", "..", "~"):
                self._refuse(
                    where, item, "a list has local paths, each with a name of its own", "write an entry of each"
                )
            elif name in names:
                self._refuse(where, item, f"two paths are called `{name}`", "write an entry of `file_mounts` for each")
            else:
                self._add(where, item, text, f"{target}/{name}", copy=True)
                names.append(name)
        if len(names) == len(source.items):
            self._not_uploaded(node)

    def _not_uploaded(self, node: Mapping) -> None:
        self.ledger.decide(node.pair("source"), "approximated", _NO_UPLOAD)
        self.ledger.decide(node.pair("name"), "ignored", _NO_UPLOAD, quiet=True)

    def _read_only(self, node: Mapping) -> bool:
        """Whether a storage is only read; what else `config` says is noted."""
        config = node.at("config")
        if config is None:
            return False
        settings = [pair for part in ("mount", "mount_cached") for pair in config.pairs_at(part)]
        others = [pair.key.text for pair in config.pairs_at() if pair.key.text not in ("mount", "mount_cached")]
        if others or any(pair.key.text != "read_only" for pair in settings):
            self.ledger.decide(node.pair("config"), "approximated", _READ_ONLY)
        return any(pair.key.text == "read_only" and pair.value.value is True for pair in settings)

    def _add(
        self, path: str, node: Node, source: str, target: str, *, copy: bool, read_only: bool = False
    ) -> Mount | None:
        if not self._is_set(path, node, source):
            return None
        try:
            mount = mounts.from_uri(source if "/" in source or source in (".", "~") else f"./{source}", target)
        except ValueError as error:
            self._refuse(path, node, str(error), None)
            return None
        options = IGNORES if mount.kind == "local" else mount.options
        mount = mount.replace(copy=copy or mount.kind == "local", read_only=read_only, options=options)
        self.found.append((mount, node.span))
        return mount

    def volume(self, pair: Pair) -> None:
        """One entry of `volumes`: a name, a name with a path in it, or a size of scratch space."""
        path, target, node = pair.path, pair.key.text, pair.value
        if self._is_empty(pair) or not self._is_set(path, pair.key, target):
            return
        if not target.startswith("/"):
            self._refuse(path, pair.key, "the path is not absolute", "begin it with `/`")
        elif isinstance(node, Scalar):
            self._volume_named(path, node, node.value, target)
        elif isinstance(node, Mapping):
            self._of_volume(path, target, node, node.read("name"))

    def _of_volume(self, path: str, target: str, node: Mapping, name: str | None) -> None:
        size = node.read("size")
        if name is None and size is None:
            if node.at("host_path") is None:  # that is refused by itself
                self._refuse(path, node, "it has neither `name` nor `size`", "write the volume's name")
        elif name is None:
            scratch = target.strip("/").replace("/", "-") or "scratch"
            mount = Mount(kind="scratch", source=scratch, target=target, size_bytes=size_bytes(size))
            self.ledger.decide(node.pair("size"), "lowered", "so much more disk is asked for")
            self.found.append((mount, node.span))
        elif node.read("sub_path"):
            if self._is_set(path, node, f"{name}/{node.read('sub_path')}"):
                source = f"{name}/{node.read('sub_path').strip('/')}"
                self.found.append((Mount(kind="volume", source=source, target=target), node.span))
        else:
            kind = node.read("type", default="").lower()
            if kind not in ("", "volume", *INTERFACES):
                self.ledger.decide(node.pair("type"), "ignored", f"expected {' or '.join(INTERFACES)}")
            self._volume_named(path, node.at("name") or node, name, target, INTERFACES.get(kind))

    def _volume_named(self, path: str, node: Node, name: str, target: str, interface: str | None = None) -> None:
        """A volume that exists. Where nobody says of which kind it is, only a file share can be meant on several
        machines."""
        if self._is_set(path, node, name):
            interface = interface or ("file" if self.nodes > 1 else "block")
            self.volumes.append((Volume(name=name, mount_path=target, interface=interface), node.span))

    def _is_empty(self, pair: Pair) -> bool:
        """Whether a path stands without what is to be found there; reports it."""
        if is_null(pair.value):
            self._refuse(
                pair.path, pair.key, "nothing is named that it leads to", f"write it behind `{pair.key.text}:`"
            )
            return True
        return False

    def _is_set(self, path: str, node: Node, text: str) -> bool:
        """Whether all variables in a text had values; reports one that had none."""
        name = unset(text)
        if name is None:
            return True
        if name in self.secrets:
            self._refuse(path, node, f"`{name}` is a secret, and would be readable there", "take it from `envs`")
        else:
            help = f"add it to `envs`, or give `--env {name}=VALUE`"
            self._refuse(path, node, f"the variable `{name}` has no value", help)
        return False

    def _refuse(self, path: str, node: Node, reason: str, help: str | None) -> None:
        span = node.pairs[0].key.span if isinstance(node, Mapping) and node.pairs and not node.flow else node.span
        if help is None and isinstance(node, Scalar):
            from flowc.diag.suggest import to_fill

            help = to_fill(node.text)
        self.sink.report(codes.SKYPILOT_MOUNT, span, help=help, path=path, reason=reason)
