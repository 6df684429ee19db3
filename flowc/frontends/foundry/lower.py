"""Lowering: from a checked Foundry task to a job."""

from __future__ import annotations

from flowc._compiled.prices import USD_PER_GPU_HOUR
from flowc._compiled.promises import TASK
from flowc.diag.codes.yaml import document
from flowc.diag.codes.yaml import foundry as codes
from flowc.digest import sha256_hex
from flowc.frontends.foundry.read import NUM_INSTANCES, Tree
from flowc.ir.job import (
    Conventions,
    Identity,
    Isolation,
    Job,
    Mount,
    Placement,
    Port,
    Pricing,
    Resources,
    Run,
    SourceInfo,
    Volume,
)
from flowc.ir.unit import Unit
from flowc.patterns import at_first_use
from flowc.source import Span
from flowc.yamldoc import money
from flowc.yamldoc.ledger import Ledger, LedgerCodes
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs

CONVENTIONS = Conventions(variables=tuple(TASK.items()), fails_together=True)
CODES = LedgerCodes(
    approximated=codes.FOUNDRY_APPROXIMATED, ignored=codes.FOUNDRY_IGNORED, refused=codes.FOUNDRY_REFUSED
)
GB = 10**9
UNITS = {"gb": GB, "tb": 1000 * GB}
TIERS = {"critical": "high", "high": "high", "standard": "med", "low": "low"}
# The old tool ran everything in one bash with `set -ex`, and with `-u` and pipefail once it set up ports or storage.
PLAIN_SHELL = "/bin/bash -ex"
STRICT_SHELL = "/usr/bin/env -S bash -euxo pipefail"

_instance = at_first_use(r"([a-z0-9]+)\.([0-9]+)x(?:\..*)?", "fullmatch")


def lower(tree: Tree, inputs: Inputs, sink: Sink) -> list[Unit]:
    """One unit for each document."""
    digest = sha256_hex(tree.source.data)
    return [
        Lowering(tree, index, task, inputs, sink).unit(digest)
        for index, task in enumerate(tree.tasks)
        if isinstance(task, Mapping)
    ]


class Lowering:
    """The lowering of one task."""

    __slots__ = ("index", "inputs", "ledger", "origins", "sink", "task", "tree")

    def __init__(self, tree: Tree, index: int, task: Mapping, inputs: Inputs, sink: Sink) -> None:
        self.tree = tree
        self.index = index
        self.task = task
        self.inputs = inputs
        self.sink = sink
        self.ledger = Ledger(CODES, sink)
        self.origins: dict[str, Span] = {}

    def unit(self, digest: str) -> Unit:
        image = self.take("image", "container_image", "image_name")
        script = self.task.at("startup_script")
        volumes = self._volumes()
        ports = self._ports()
        run, setup = self._run(image, script, strict=bool(volumes or ports))
        fields: dict[str, Any] = {
            "name": self._name(),
            "run": run,
            "setup": setup,
            "image": image,
            "isolation": self._isolation(),
            "resources": self._resources(),
            "volumes": volumes,
            "mounts": self._scratch(),
            "ports": ports,
            "pricing": self._pricing(),
            "placement": self._placement(),
            "identity": self._identity(),
        }
        source = SourceInfo(frontend="foundry-yaml", path=self.tree.source.path, sha256=digest)
        job = Job(source=source, conventions=CONVENTIONS, outcome=self.ledger.close(self.task), **fields)
        placed = script.placed if isinstance(script, Scalar) else None
        return Unit(
            source=self.tree.source,
            job=job,
            origins=self.origins,
            text=placed if placed is not None and run.text == placed.text else None,
            setup_text=placed if placed is not None and setup == placed.text else None,
            outcome_spans=self.ledger.spans,
        )

    def take(self, ir_path: str, *path: str) -> Any:
        """The value at a path, which from now on is the origin of an IR field."""
        node = self.task.at(*path)
        if node is None:
            return None
        self.origins[ir_path] = node.span
        return node.value

    def _name(self) -> str:
        name: str | None = self.take("name", "name")
        if name is not None:
            return name
        stem = self.tree.source.path.rpartition("/")[2].partition(".")[0].strip("<>") or "task"
        made = stem if len(self.tree.tasks) == 1 else f"{stem}-{self.index}"
        if self.inputs.flags.name is None:
            self.sink.report(codes.FOUNDRY_NO_NAME, None, name=made)
        return made

    def _run(self, image: str | None, script: Node | None, *, strict: bool) -> tuple[Run, str | None]:
        """What runs, and what prepares the machine: beside a container the script is its preparation."""
        text = script.value if script is not None else None
        if image is not None:
            if script is not None:
                self.origins["setup"] = script.span
                self.sink.report(codes.FOUNDRY_SCRIPT_AND_IMAGE, _first_line(script))
                pair = self.task.pair("startup_script")
                note = "runs inside the container, before its own command"
                self.ledger.decide(pair, "approximated", note, codes.FOUNDRY_SCRIPT_AND_IMAGE)
            return Run(kind="argv"), text
        if script is not None:
            self.origins["run.text"] = script.span
        return Run(kind="shell", interpreter=STRICT_SHELL if strict else PLAIN_SHELL, text=text), None

    def _resources(self) -> Resources:
        fields: dict[str, Any] = {}
        name = self.take("resources.alternatives", "resources_specification", "fcp_instance")
        if name is not None:
            fields["alternatives"] = (name,)
        for path in NUM_INSTANCES:
            if "nodes" not in fields and self.task.at(*path) is not None:
                fields["nodes"] = self.take("resources.nodes", *path)
        fields.setdefault("nodes", 1)
        self._gpus(fields, name)
        for place in ((), ("resources_specification",)):
            cpus = self.take("resources.cpus_per_node", *place, "resources", "vCPU")
            memory = self.take("resources.memory_bytes_per_node", *place, "resources", "RAM")
            if cpus is not None:
                fields["cpus_per_node"] = cpus
            if memory is not None:
                fields["memory_bytes_per_node"] = int(float(memory) * GB)
        return Resources(**fields)

    def _gpus(self, fields: dict[str, Any], name: str | None) -> None:
        """GPUs by type and number where no instance is named; beside one they must agree with it."""
        count = self.task.at("resources_specification", "num_gpus")
        model = self.task.at("resources_specification", "gpu_type")
        if name is None:
            if count is not None or model is not None:
                place = count if count is not None else model
                assert place is not None
                fields["gpus_per_node"] = count.value if count is not None else 1
                self.origins["resources.gpus_per_node"] = place.span
            if model is not None:
                fields["gpu_model"] = self.take("resources.gpu_model", "resources_specification", "gpu_type")
            return
        match = _instance(name.lower())
        if match is None:
            return
        if count is not None and int(match[2]) != count.value:
            self._conflict(f"`{name}` has {match[2]} GPUs, `num_gpus` says {count.value}", count)
        if model is not None and match[1] not in model.value.lower():
            self._conflict(f"`{name}` has {match[1].upper()} GPUs, `gpu_type` says {model.value}", model)

    def _conflict(self, what: str, node: Node) -> None:
        self.sink.report(codes.FOUNDRY_CONFLICT, node.span, help="make them agree, or take one of them out", what=what)

    def _ports(self) -> tuple[Port, ...]:
        found = self.tree.ports[self.index]
        for index, (_, span) in enumerate(found):
            self.origins[f"ports.{index}"] = span
        return tuple(port for port, _ in found)

    def _volumes(self) -> tuple[Volume, ...]:
        storage = "persistent_storage"
        part = "create" if self.task.at(storage, "create") is not None else "attach"
        node = self.task.at(storage, part)
        if node is None:
            return ()
        name = self.take("volumes.0.name", storage, part, "volume_name")
        place = node.at("mount_point") or self.task.at(storage, "mount_dir")
        if place is not None:
            self.origins["volumes.0.mount_path"] = place.span
        size = self.take("volumes.0.size_bytes", storage, part, "size")
        is_file = node.read("storage_type") == "nfs" or node.read("disk_interface") == "File"
        volume = Volume(
            name=name,
            size_bytes=size * UNITS[node.read("size_unit", default="gb")] if size is not None else None,
            interface="file" if is_file else "block",
            mount_path=place.value if place is not None else f"/volumes/{name}",
            create=part == "create",
        )
        return (volume,)

    def _scratch(self) -> tuple[Mount, ...]:
        found = []
        for index, pair in enumerate(self.task.pairs_at("ephemeral_storage_config", "mounts")):
            self.origins[f"mounts.{index}"] = pair.value.span
            found.append(
                Mount(kind="scratch", source=pair.key.text.strip("/").replace("/", "-"), target=pair.value.value)
            )
        return tuple(found)

    def _isolation(self) -> Isolation:
        node = self.task.at("container_image", "run_options")
        if node is None:
            return Isolation()
        from flowc.yamldoc import run_options

        if isinstance(node, Scalar):
            words = run_options.words_of(node.text, node.span, self.sink)  # its quotes were checked
        else:
            words = [(item.value, item.span) for item in node.each()]
        isolation, left_out = run_options.read(words, self.sink, own_command=False)
        self.origins.update(run_options.origins(isolation, node.span))
        if left_out:
            image = self.task.at("container_image")
            pair = image.pair("run_options") if isinstance(image, Mapping) else None
            self.ledger.decide(pair, "approximated", run_options.LEFT_OUT, document.NEEDLESS_RUN_OPTION)
        return isolation

    def _pricing(self) -> Pricing:
        keys = ("task_management", "utility_threshold_price")
        price = self.take("pricing.max_usd_per_instance_hour", *keys)
        if price is not None:
            price = money.price(price, self.task.at(*keys), ".".join(keys), self.sink)
        if price is not None:
            self._check_price(price)
            pair = self._management("priority")
            self.ledger.decide(pair, "ignored", "`utility_threshold_price` says how high the bid is", quiet=True)
        priority = self.take("pricing.priority", "task_management", "priority")
        if priority == "critical" and price is None:
            self.sink.report(codes.FOUNDRY_PRIORITY_TIER, self.origins["pricing.priority"])
        return Pricing(max_usd_per_instance_hour=price, priority=TIERS[priority] if priority else None)

    def _management(self, key: str) -> Pair | None:
        node = self.task.at("task_management")
        return node.pair(key) if isinstance(node, Mapping) else None

    def _check_price(self, price: str) -> None:
        """The price of a machine that is far below the low tier of its GPUs was probably meant for one of them."""
        match = _instance(self.task.read("resources_specification", "fcp_instance", default="").lower())
        if match is None or match[1] not in USD_PER_GPU_HOUR or int(match[2]) < 2:
            return
        gpus = int(match[2])
        low = float(USD_PER_GPU_HOUR[match[1]]["low"]) * gpus
        if float(price) * 3 < low:
            span = self.origins["pricing.max_usd_per_instance_hour"]
            total = f"{float(price) * gpus:.2f}"
            help = f"for the whole machine that would be `utility_threshold_price: {total}`"
            self.sink.report(codes.PRICE_PER_GPU, span, help=help, price=price, gpus=gpus, low=f"{low:.2f}")

    def _placement(self) -> Placement:
        region = self.take("placement.regions", "resources_specification", "cluster_id")
        for part in ("create", "attach"):
            if region is None:
                region = self.take("placement.regions", "persistent_storage", part, "region_id")
        network = self.take("placement.interconnect", "resources_specification", "internode_interconnect")
        return Placement(regions=(region,) if region else (), interconnect=network)

    def _identity(self) -> Identity:
        project = self.take("identity.project", "project_name")
        key = self.take("identity.ssh_keys", "ssh_key_name")
        return Identity(project=project, ssh_keys=(key,) if key else ())


def _first_line(node: Node) -> Span:
    """Where a text of several lines begins."""
    end = node.source.text.find("\n", node.start, node.end)
    return Span(node.source, node.start, end if end > 0 else node.end)
