"""Lowering: from checked SkyPilot tasks to jobs, one for each document."""

from __future__ import annotations

from flowc.diag.codes import skypilot as codes
from flowc.digest import sha256_hex
from flowc.frontends.skypilot import sizes
from flowc.frontends.skypilot.read import Tree
from flowc.frontends.skypilot.resources import Wishes, wishes
from flowc.frontends.skypilot.storage import WORKDIR, Storage
from flowc.inputs import looks_secret
from flowc.ir.job import (
    Dependency,
    ExitRule,
    Isolation,
    Job,
    Placement,
    Port,
    Pricing,
    Resources,
    Retry,
    Run,
    SourceInfo,
)
from flowc.ir.unit import Unit
from flowc.yamldoc.ledger import Ledger, LedgerCodes
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.source import Span

CODES = LedgerCodes(approximated=codes.APPROXIMATED, ignored=codes.IGNORED, refused=codes.REFUSED)
# The login for a private registry, given as three variables or three secrets.
DOCKER_LOGIN = ("SKYPILOT_DOCKER_USERNAME", "SKYPILOT_DOCKER_PASSWORD", "SKYPILOT_DOCKER_SERVER")
LOGIN_PREFIX = "SKYPILOT_DOCKER"
_EXACT = "at least so much is asked for, not exactly"


def lower(tree: Tree, inputs: Inputs, sink: Sink) -> list[Unit]:
    """One unit for each task; those of a pipeline depend on the one before."""
    digest = sha256_hex(tree.source.data)
    tasks = [task for task in tree.tasks if isinstance(task, Mapping)]
    head, parallel = tree.head, False
    if head is not None:
        parallel = head.read("execution") == "parallel"
    if len(tasks) > 1:
        how = "at once" if parallel else "one after the other"
        sink.report(codes.PIPELINE, tasks[1].pairs[0].key.span, count=len(tasks), how=how)
    found: list[Unit] = []
    for index, task in enumerate(tasks):
        unit = Lowering(tree, task, inputs, sink).unit(digest, index, len(tasks))
        if found and not parallel:
            before = Dependency(kind="afterok", on=found[-1].job.name)
            origins = {**unit.origins, "depends_on": task.pairs[0].key.span}
            unit = unit.replace(job=unit.job.replace(depends_on=(before,)), origins=origins)
        found.append(unit)
    return found


class Lowering:
    """The lowering of one task."""

    __slots__ = ("inputs", "ledger", "origins", "resources", "sink", "task", "tree")

    def __init__(self, tree: Tree, task: Mapping, inputs: Inputs, sink: Sink) -> None:
        self.tree = tree
        self.task = task
        self.inputs = inputs
        self.sink = sink
        self.ledger = Ledger(CODES, sink)
        self.origins: dict[str, Span] = {}
        node = task.at("resources")
        self.resources = node if isinstance(node, Mapping) else None

    def unit(self, digest: str, index: int, count: int) -> Unit:
        run = self.task.at("run")
        env, secrets = self._env()
        wished = wishes(self.resources, self.ledger, self.sink)
        storage = self._storage(dict(env))
        image = self._image()
        fields: dict[str, Any] = {
            "name": self._name(index, count),
            "labels": self._labels(),
            "run": Run(
                kind="shell", interpreter="/bin/bash", text=self._text("run.text", "run") or "", workdir=WORKDIR
            ),
            "setup": self._text("setup", "setup"),
            "image": image,
            "isolation": self._isolation(env, secrets),
            "resources": self._resources(wished),
            "env": env,
            "secrets": tuple(secrets),
            "volumes": tuple(volume for volume, _ in storage.volumes),
            "mounts": tuple(mount for mount, _ in storage.found),
            "ports": self._ports(),
            "retry": self._retry(),
            "pricing": self._pricing(),
            "placement": self._placement(wished),
            "terminate_on_exit": self._autostop(),
        }
        source = SourceInfo(frontend="skypilot", path=self.tree.source.path, sha256=digest)
        self._exact_amounts(self.resources)
        job = Job(source=source, outcome=self.ledger.close(self.task), **fields)
        places = run.span_at if isinstance(run, Scalar) else None
        return Unit(source=self.tree.source, job=job, origins=self.origins, text_places=places)

    def _text(self, ir_path: str, key: str) -> str | None:
        node = self.task.at(key)
        if node is None:
            return None
        self.origins[ir_path] = node.span
        return str(node.value)

    def _name(self, index: int, count: int) -> str:
        node = self.task.at("name")
        if node is not None and node.value:
            self.origins["name"] = node.span
            return str(node.value)
        stem = self.tree.source.path.rpartition("/")[2].partition(".")[0].strip("<>") or "task"
        head = self.tree.head.read("name") if self.tree.head is not None else None
        base = head or stem
        return base if count == 1 else f"{base}-{index}"

    def _labels(self) -> tuple[tuple[str, str], ...]:
        node = self.resources.at("labels") if self.resources is not None else None
        if node is None:
            return ()
        self.origins["labels"] = node.span
        return tuple((pair.key.text, str(pair.value.value)) for pair in node.pairs_at())

    def _env(self) -> tuple[tuple[tuple[str, str], ...], list[str]]:
        """Variables with their values, and the names of secrets."""
        env, secrets = [], []
        for pair in self.task.pairs_at("envs"):
            name = pair.key.text
            if is_null(pair.value):
                continue  # given on the command line, or reported
            self.origins.setdefault("env", pair.value.span)
            env.append((name, str(pair.value.value)))
            if looks_secret(name) and pair.value.value and name not in DOCKER_LOGIN:
                self.sink.report(codes.ENV_SECRET, pair.key.span, help="move it to `secrets`", name=name)
        given = []
        for key in ("secrets", "managed_secrets"):
            node = self.task.at(key)
            if isinstance(node, Sequence):
                found = [(str(item.value).removeprefix("secrets:"), item) for item in node.each()]
            else:
                found = [(pair.key.text.rpartition(".")[2], pair.value) for pair in self.task.pairs_at(key)]
            for name, value in found:
                secrets.append(name)
                self.origins.setdefault("secrets", value.span if value.end > value.start else self._key(key).span)
                if isinstance(value, Scalar) and not is_null(value) and not isinstance(node, Sequence):
                    given.append(name)
        if given:
            names = ", ".join(f"`{name}`" for name in given)
            self.sink.report(codes.SECRET_VALUE, self._key("secrets").span, names=names)
        return tuple(env), list(dict.fromkeys(secrets))

    def _key(self, key: str) -> Scalar:
        pair = self.task.pair(key)
        assert pair is not None
        return pair.key

    def _storage(self, env: dict[str, str]) -> Storage:
        storage = Storage(env, self.task.read("num_nodes", default=1), self.sink)
        storage.workdir(self.task.at("workdir"))
        for pair in self.task.pairs_at("file_mounts"):
            if not is_null(pair.value):
                storage.file_mount(pair.path, pair.key.text, pair.value)
        for pair in self.task.pairs_at("volumes"):
            if not is_null(pair.value):
                storage.volume(pair.path, pair.key.text, pair.value)
        for index, (_, span) in enumerate(storage.found):
            self.origins[f"mounts.{index}"] = span
        for index, (_, span) in enumerate(storage.volumes):
            self.origins[f"volumes.{index}"] = span
        return storage

    def _image(self) -> str | None:
        """The container's image; SkyPilot writes it `docker:IMAGE`."""
        node = self.resources.at("image_id") if self.resources is not None else None
        if isinstance(node, Mapping):  # {region: image}, {docker: image}
            pairs = node.pairs
            texts = [
                f"docker:{each.value.value}" if each.key.text == "docker" else str(each.value.value) for each in pairs
            ]
            place: Node = pairs[0].value if pairs else node
            text = next((each for each in texts if each.startswith("docker:")), texts[0] if texts else "")
        elif isinstance(node, Scalar):
            text, place = str(node.value), node
        else:
            return None
        if not text.startswith("docker:"):
            help = "name a container image: `image_id: docker:IMAGE`"
            self.sink.report(codes.VM_IMAGE, place.span, help=help, image=text)
            return None
        self.origins["image"] = place.span
        return text.removeprefix("docker:")

    def _isolation(self, env: tuple[tuple[str, str], ...], secrets: list[str]) -> Isolation:
        fields: dict[str, Any] = {}
        names = {name for name, _ in env} | set(secrets)
        if set(DOCKER_LOGIN) <= names:
            fields["pull_secrets"] = (LOGIN_PREFIX,)
            key = "secrets" if DOCKER_LOGIN[1] in secrets else "envs"
            self.origins["isolation.pull_secrets"] = self._key(key).span
        node = self.task.at("config", "docker", "run_options")
        if isinstance(node, Scalar):
            import shlex

            fields["options"] = tuple(shlex.split(node.text))
        elif node is not None:
            import shlex

            fields["options"] = tuple(word for item in node.each() for word in shlex.split(str(item.value)))
        if node is not None:
            self.origins["isolation.options"] = node.span
        return Isolation(**fields)

    def _resources(self, wished: Wishes) -> Resources:
        fields: dict[str, Any] = {"nodes": self.task.read("num_nodes", default=1)}
        nodes = self.task.at("num_nodes")
        if nodes is not None:
            self.origins["resources.nodes"] = nodes.span
        disk = self.resources.at("disk_size") if self.resources is not None else None
        if disk is not None and disk.value is not None:
            fields["disk_bytes"] = sizes.size_bytes(disk.value)[0]
            self.origins["resources.disk_bytes"] = disk.span
        if len(wished.wishes) == 1:
            wish = wished.wishes[0]
            spans = dict(wish.spans)
            for name in ("gpu_model", "gpu_memory_bytes", "gpus_per_node", "cpus_per_node", "memory_bytes_per_node"):
                value = getattr(wish.choice, name)
                if value is not None:
                    fields[name] = value
                    self.origins[f"resources.{name}"] = spans[name]
            if wish.choice.name is not None:
                fields["alternatives"] = (wish.choice.name,)
                self.origins["resources.alternatives"] = spans["name"]
        elif wished.wishes:
            fields["choices"] = tuple(wish.choice for wish in wished.wishes)
            fields["choices_ordered"] = wished.ordered
            for index, wish in enumerate(wished.wishes):
                for name, span in wish.spans:
                    self.origins.setdefault("resources.choices", span)
                    self.origins[f"resources.choices.{index}.{name}"] = span
            if "resources.choices" not in self.origins and self.resources is not None:
                self.origins["resources.choices"] = self._key("resources").span
            self.origins["resources.choices_ordered"] = self.origins["resources.choices"]
        return Resources(**fields)

    def _exact_amounts(self, node: Mapping | None) -> None:
        """A bare number asks for exactly so many CPUs or so much memory: here it is a lower bound."""
        if node is None:
            return
        for key in ("cpus", "memory"):
            pair = node.pair(key)
            if pair is not None and pair.value.value is not None and not str(pair.value.value).rstrip().endswith("+"):
                self.ledger.decide(pair, "approximated", _EXACT)
        for name in ("any_of", "ordered"):
            for item in node.each(name):
                self._exact_amounts(item if isinstance(item, Mapping) else None)

    def _ports(self) -> tuple[Port, ...]:
        node = self.resources.at("ports") if self.resources is not None else None
        if node is None:
            return ()
        self.origins["ports"] = node.span
        return sizes.ports(node, self.sink)

    def _retry(self) -> Retry:
        node = self.resources.at("job_recovery") if self.resources is not None else None
        if not isinstance(node, Mapping):
            if node is not None and self.resources is not None:
                note = "the bid stays open and may win again in its own region"
                self.ledger.decide(self.resources.pair("job_recovery"), "approximated", note)
            return Retry()
        fields: dict[str, Any] = {}
        restarts, exits = node.at("max_restarts_on_errors"), node.at("recover_on_exit_codes")
        if restarts is not None:
            fields["max_restarts"] = restarts.value
            self.origins["retry.max_restarts"] = restarts.span
        if exits is not None:
            found = [item.value for item in exits.each()] if isinstance(exits, Sequence) else [exits.value]
            fields["exit_rules"] = (ExitRule(action="free", codes=tuple(found)),)
            self.origins["retry.exit_rules"] = exits.span
        return Retry(**fields)

    def _pricing(self) -> Pricing:
        limit = self.task.at("config", "mithril", "limit_price")
        cost = self.resources.at("max_hourly_cost") if self.resources is not None else None
        if limit is None and cost is not None and self.resources is not None:
            note = "SkyPilot compares it with the listed price; here it is the limit of the bid"
            self.ledger.decide(self.resources.pair("max_hourly_cost"), "approximated", note)
        elif cost is not None and self.resources is not None:
            self.ledger.decide(
                self.resources.pair("max_hourly_cost"), "ignored", "`limit_price` is the limit of the bid"
            )
        node = limit or cost
        if node is None:
            return Pricing()
        self.origins["pricing.max_usd_per_instance_hour"] = node.span
        return Pricing(max_usd_per_instance_hour=node.value)

    def _placement(self, wished: Wishes) -> Placement:
        fields: dict[str, Any] = {}
        network = self.resources.at("network_tier") if self.resources is not None else None
        if network is not None and network.value == "best":
            fields["interconnect"] = "InfiniBand"
            self.origins["placement.interconnect"] = network.span
        if len(wished.wishes) == 1 and wished.wishes[0].choice.regions:
            fields["regions"] = wished.wishes[0].choice.regions
            self.origins["placement.regions"] = dict(wished.wishes[0].spans)["regions"]
        return Placement(**fields)

    def _autostop(self) -> bool | None:
        """SkyPilot stops or ends an idle cluster; a bid knows only the machine's end."""
        node = self.resources.at("autostop") if self.resources is not None else None
        if node is None or self.resources is None or node.value is False:
            return None
        if isinstance(node, Mapping):
            self.origins["terminate_on_exit"] = node.span
            return True
        self.origins["terminate_on_exit"] = node.span
        note = "the machine is given back when the task ends, not stopped after a while"
        self.ledger.decide(self.resources.pair("autostop"), "approximated", note)
        return True
