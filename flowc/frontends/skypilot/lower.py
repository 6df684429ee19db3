"""Lowering: from checked SkyPilot tasks to jobs, one for each document."""

from __future__ import annotations

from flowc._compiled.promises import SKYPILOT
from flowc.diag.codes.yaml import skypilot as codes
from flowc.diag.codes.yaml.document import WRONG_FORM
from flowc.digest import sha256_hex
from flowc.frontends.skypilot import moving, sizes
from flowc.frontends.skypilot.environment import LOGIN_SECRET, Environment
from flowc.frontends.skypilot.image import SHARED, as_of_skypilot, has_shared_memory, image, isolation
from flowc.frontends.skypilot.programs import with_profile, with_programs
from flowc.frontends.skypilot.read import Tree
from flowc.frontends.skypilot.resources import NAMED, Wishes, wishes
from flowc.frontends.skypilot.rules import check_task, close_values
from flowc.frontends.skypilot.storage import WORKDIR, Storage
from flowc.frontends.skypilot.variables import tell_unset
from flowc.inputs import Inputs
from flowc.ir.job import (
    Conventions,
    Dependency,
    ExitRule,
    Isolation,
    Job,
    Mount,
    Outcome,
    Placement,
    Port,
    Pricing,
    Resources,
    Retry,
    Run,
    SourceInfo,
)
from flowc.ir.unit import Unit
from flowc.ir.units import GIB
from flowc.source import Span
from flowc.yamldoc import money
from flowc.yamldoc.check import first_key
from flowc.yamldoc.ledger import Ledger, LedgerCodes
from flowc.yamldoc.node import Mapping, Pair, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink

CONVENTIONS = Conventions(variables=tuple(SKYPILOT.items()), reads_profile=True, fails_together=True)
CODES = LedgerCodes(
    approximated=codes.SKYPILOT_APPROXIMATED, ignored=codes.SKYPILOT_IGNORED, refused=codes.SKYPILOT_REFUSED
)
_GIVEN_BACK = "the machine is given back when the task ends, not stopped after a while"
_SAME_REGION = "the bid stays open and may win again in its own region"
_FILTER = "SkyPilot compares it with the listed price; here it is the limit of the bid"


def lower(tree: Tree, inputs: Inputs, sink: Sink) -> list[Unit]:
    """One unit for each task; those of a pipeline depend on the one before."""
    digest = sha256_hex(tree.source.data)
    count = len(tree.tasks)
    head: tuple[tuple[Outcome, Span], ...] = ()
    parallel = False
    if tree.head is not None:
        parallel = tree.head.read("execution") == "parallel"
        ledger = Ledger(CODES, sink)
        if all(task.read("name") for task in tree.tasks):
            ledger.decide(tree.head.pair("name"), "ignored", "each task has a name of its own", quiet=True)
        outcome = ledger.close(tree.head)
        head = tuple(zip(outcome, ledger.spans, strict=True))
    if count > 1 and parallel and tree.head is not None:
        sink.report(codes.SKYPILOT_JOB_GROUP, tree.head.at("execution").span, count=count)  # type: ignore[union-attr]
    found: list[Unit] = []
    for index, task in enumerate(tree.tasks):
        unit = Lowering(tree, task, inputs, sink).unit(digest, index, head)
        if found and not parallel:
            before = Dependency(kind="afterok", on=found[-1].job.name)
            border = _border(tree, task)
            origins = {**unit.origins, "depends_on": border, "kill_on_invalid_dep": border}
            # SkyPilot cancels what comes after a task that has failed.
            job = unit.job.replace(depends_on=(before,), kill_on_invalid_dep=True)
            unit = unit.replace(job=job, origins=origins)
        found.append(unit)
        head = ()
    return found


def _border(tree: Tree, task: Mapping) -> Span:
    """Where a document begins, the line before it included."""
    start = tree.source.text.rfind("\n---", 0, task.start) + 1
    return Span(tree.source, start, first_key(task).end)


class Lowering:
    """The lowering of one task."""

    __slots__ = ("inputs", "keys", "ledger", "origins", "sink", "task", "tree")

    def __init__(self, tree: Tree, task: Mapping, inputs: Inputs, sink: Sink) -> None:
        self.tree = tree
        self.task = task
        self.inputs = inputs
        self.sink = sink
        self.ledger = Ledger(CODES, sink)
        self.origins: dict[str, Span] = {}
        self.keys: dict[str, Pair] = {}  # what `resources` says of the job, see `Wishes`

    def unit(self, digest: str, index: int, head: tuple[tuple[Outcome, Span], ...]) -> Unit:
        """The unit of the task; `head` is what became of the document that names all tasks."""
        check_task(self.task, self.ledger, self.sink, moving=self.inputs.flags.move)
        run, setup, resources = self.task.at("run"), self.task.at("setup"), self.task.at("resources")
        environment = Environment(self.task, self.inputs, self.sink)
        flags = self.inputs.flags
        flag = NAMED if flags.instance_type else "--region" if flags.region else "--move" if flags.move else None
        wished = wishes(resources if isinstance(resources, Mapping) else None, self.ledger, self.sink, flag=flag)
        self.keys = wished.keys
        disks = resources.pair("volumes") if isinstance(resources, Mapping) else None
        if disks is not None and flags.move:
            self.ledger.leave_out(disks, "disks of another cloud; the machine's own disk is there instead")
        pods = moving.of_pods(self.task)
        if pods:
            note = f"the task does not run on Kubernetes, and has not what its pods would: {', '.join(pods)}"
            self.ledger.decide(self.task.at("config").pair("kubernetes"), "ignored", note)  # type: ignore[union-attr]
        storage = self._storage(environment)
        text = self._text("run.text", "run") or ""
        fields: dict[str, Any] = {
            "name": self._name(index),
            "labels": self._labels(),
            "run": Run(kind="shell", interpreter="/bin/bash", text=text, workdir=WORKDIR),
            "setup": self._text("setup", "setup"),
            "image": self._image(environment),
            "isolation": self._isolation(environment, storage),
            "resources": self._resources(wished, storage),
            "env": tuple(environment.env),
            "secrets": tuple(environment.secrets),
            "files": tuple(file for file, _ in environment.files),
            "volumes": tuple(volume for volume, _ in storage.volumes),
            "mounts": tuple(mount for mount, _ in storage.found),
            "ports": self._ports(),
            "retry": self._retry(),
            "pricing": self._pricing(),
            "placement": self._placement(wished),
            "terminate_on_exit": self._autostop(),
        }
        close_values(self.task, self.ledger)
        source = SourceInfo(frontend="skypilot", path=self.tree.source.path, sha256=digest)
        outcome = (*(told for told, _ in head), *self.ledger.close(self.task))
        job = Job(source=source, conventions=CONVENTIONS, outcome=outcome, **fields)
        unit = Unit(
            source=self.tree.source,
            job=job,
            origins=self.origins,
            text=run.placed if isinstance(run, Scalar) else None,
            setup_text=setup.placed if isinstance(setup, Scalar) else None,
            outcome_spans=(*(span for _, span in head), *self.ledger.spans),
        )
        given = (*(name for name, _ in (*job.env, *self.inputs.flags.env)), *job.secrets, *self.inputs.flags.secrets)
        tell_unset(unit, (*SKYPILOT, *given), self.sink)
        contained = job.image is not None or bool(self.inputs.flags.image)
        return with_profile(with_programs(unit, self.sink, contained=contained))

    def _image(self, environment: Environment) -> str | None:
        pair = self.keys.get("image_id")
        bare = False
        if pair is not None and self.inputs.flags.move:
            bare = moving.of_containers(pair, self.task.at("resources"))
            if not bare:
                moving.leave_out_image(pair, self.ledger)
                return None
        return image(pair, environment.server, self.origins, self.sink, bare=bare)

    def _text(self, ir_path: str, key: str) -> str | None:
        node = self.task.at(key)
        if node is None:
            return None
        self.origins[ir_path] = node.span
        return str(node.value)

    def _name(self, index: int) -> str:
        """As the task says, else by the head or the file, with a number where there are several."""
        node = self.task.at("name")
        if node is not None and node.value:
            self.origins["name"] = node.span
            return str(node.value)
        stem = self.tree.source.path.rpartition("/")[2].partition(".")[0].strip("<>") or "task"
        base = (self.tree.head.read("name") if self.tree.head is not None else None) or stem
        return base if len(self.tree.tasks) == 1 else f"{base}-{index}"

    def _labels(self) -> tuple[tuple[str, str], ...]:
        pair = self.keys.get("labels")
        if pair is None:
            return ()
        self.origins["labels"] = pair.value.span
        return tuple((each.key.text, str(each.value.value)) for each in pair.value.pairs_at())

    def _storage(self, environment: Environment) -> Storage:
        secrets = (*environment.secrets, *self.inputs.flags.secrets)
        storage = Storage(
            self.task.read("num_nodes", default=1), secrets, self.ledger, self.sink, moving=self.inputs.flags.move
        )
        storage.workdir(self.task.at("workdir"))
        for pair in self.task.pairs_at("file_mounts"):
            storage.file_mount(pair)
        for pair in self.task.pairs_at("volumes"):
            storage.volume(pair)
        for index, (_, span) in enumerate(storage.found):
            self.origins[f"mounts.{index}"] = span
        for index, (_, span) in enumerate(storage.volumes):
            self.origins[f"volumes.{index}"] = span
        for index, (_, span) in enumerate(environment.files):
            self.origins[f"files.{index}"] = span
        if environment.env_span is not None:
            self.origins["env"] = environment.env_span
        if environment.secrets_span is not None:
            self.origins["secrets"] = environment.secrets_span
        return storage

    def _isolation(self, environment: Environment, storage: Storage) -> Isolation:
        contained = "image" in self.origins or bool(self.inputs.flags.image)
        found = isolation(self.task, contained, self.ledger, self.origins, self.sink)
        if contained:
            place = self.origins.get("image", first_key(self.task))
            texts = [str(self.task.read(key, default="")) for key in ("setup", "run")]
            found = as_of_skypilot(found, place, self.origins, texts)
            if not has_shared_memory(found) and all(mount.target != SHARED for mount, _ in storage.found):
                self.origins[f"mounts.{len(storage.found)}"] = place
                storage.found.append((Mount(kind="memory", source="shm", target=SHARED), place))
        if environment.login is not None:
            self.origins["isolation.pull_secrets"] = self.origins["isolation.pull_parts"] = environment.login
            found = found.replace(pull_secrets=(LOGIN_SECRET,), pull_parts=tuple(environment.parts))
        return found

    def _resources(self, wished: Wishes, storage: Storage) -> Resources:
        fields: dict[str, Any] = {"nodes": self.task.read("num_nodes", default=1)}
        nodes, disk = self.task.at("num_nodes"), self.keys.get("disk_size")
        if nodes is not None:
            self.origins["resources.nodes"] = nodes.span
        if disk is not None:
            fields["disk_bytes"] = size = sizes.size_bytes(disk.value.value)
            self.origins["resources.disk_bytes"] = disk.value.span
            if size % GIB:
                expected, value = "a whole number of GiB", str(disk.value.value)
                self.sink.report(WRONG_FORM, disk.value.span, path=disk.path, value=value, expected=expected)
        for mount, span in storage.found:
            if mount.kind == "scratch" and mount.size_bytes:
                fields["disk_bytes"] = fields.get("disk_bytes", 0) + mount.size_bytes
                self.origins.setdefault("resources.disk_bytes", span)
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
                place = next(
                    (span for name, span in wish.spans if name in ("gpu_model", "gpus_per_node", "name")), None
                )
                origin = place or (wish.spans[0][1] if wish.spans else first_key(self.task))
                self.origins[f"resources.choices.{index}"] = origin
            for path in ("resources.choices", "resources.choices_ordered"):
                self.origins[path] = self.origins["resources.choices.0"]
        return Resources(**fields)

    def _ports(self) -> tuple[Port, ...]:
        pair = self.keys.get("ports")
        if pair is None:
            return ()
        self.origins["ports"] = pair.value.span
        return sizes.ports(pair.value, self.sink)

    def _retry(self) -> Retry:
        pair = self.keys.get("job_recovery")
        if pair is None:
            return Retry()
        if not isinstance(pair.value, Mapping):
            self.ledger.decide(pair, "lowered", _SAME_REGION)
            return Retry()
        fields: dict[str, Any] = {}
        restarts, exits = pair.value.at("max_restarts_on_errors"), pair.value.at("recover_on_exit_codes")
        if restarts is not None:
            fields["max_restarts"] = restarts.value
            self.origins["retry.max_restarts"] = restarts.span
        if exits is not None:
            found = [item.value for item in exits.each()] if isinstance(exits, Sequence) else [exits.value]
            for number, code in enumerate(found):
                if code in found[:number]:
                    what = f"the exit code {code} stands twice in `recover_on_exit_codes`"
                    place = exits.each()[number].span
                    self.sink.report(codes.SKYPILOT_CONFLICT, place, help="write each code once", what=what)
            fields["exit_rules"] = (ExitRule(action="free", codes=tuple(found)),)
            self.origins["retry.exit_rules"] = exits.span
        return Retry(**fields)

    def _pricing(self) -> Pricing:
        limit, cost = self.task.at("config", "mithril", "limit_price"), self.keys.get("max_hourly_cost")
        if cost is not None and limit is not None:
            self.ledger.decide(cost, "ignored", "`limit_price` is the limit of the bid")
        elif cost is not None:
            self.ledger.decide(cost, "approximated", _FILTER)
        node = limit or (cost.value if cost is not None else None)
        if node is None:
            return Pricing()
        self.origins["pricing.max_usd_per_instance_hour"] = node.span
        path = "config.mithril.limit_price" if limit is not None else "resources.max_hourly_cost"
        return Pricing(max_usd_per_instance_hour=money.price(node.value, node, path, self.sink))

    def _placement(self, wished: Wishes) -> Placement:
        fields: dict[str, Any] = {}
        network, disk = self.keys.get("network_tier"), self.keys.get("disk_tier")
        if network is not None and network.value.value == "best":
            fields["interconnect"] = "InfiniBand"
            self.origins["placement.interconnect"] = network.value.span
        if disk is not None and disk.value.value == "best":
            self.ledger.decide(disk, "lowered", "the machine's own disk")
        if wished.cloud_span is not None:
            fields["clouds"] = wished.clouds
            self.origins["placement.clouds"] = wished.cloud_span
        if wished.spot is not None:
            fields["preemptible"] = wished.spot.value.value
            self.origins["placement.preemptible"] = wished.spot.value.span
        if len(wished.wishes) == 1 and wished.wishes[0].choice.regions:
            fields["regions"] = wished.wishes[0].choice.regions
            self.origins["placement.regions"] = dict(wished.wishes[0].spans)["regions"]
        return Placement(**fields)

    def _autostop(self) -> bool | None:
        """SkyPilot stops or ends an idle cluster; a bid knows only the machine's end."""
        pair = self.keys.get("autostop")
        if pair is None or pair.value.value is False:
            return None
        if isinstance(pair.value.value, int) and pair.value.value < 0:
            self.ledger.decide(pair, "lowered", "never, as a negative number says")
            return None
        inner = pair.value if isinstance(pair.value, Mapping) else None
        said = (inner.pair("down") or inner.pair("idle_minutes")) if inner is not None else pair
        if inner is None or not inner.read("down", default=False):
            self.sink.report(codes.SKYPILOT_APPROXIMATED, pair.key.span, path=pair.path, reason=_GIVEN_BACK)
            self.ledger.decide(said, "approximated", _GIVEN_BACK, codes.SKYPILOT_APPROXIMATED)
        self.origins["terminate_on_exit"] = (said or pair).key.span
        return True
