"""Lowering: from a checked task to a job."""

from __future__ import annotations

from flowc._compiled.promises import TASK
from flowc.diag.codes.yaml import task as codes
from flowc.digest import sha256_hex
from flowc.frontends.task import amounts, rules, storage
from flowc.frontends.task.places import regions
from flowc.ir.job import Conventions, Identity, Job, Placement, Port, Pricing, Resources, Retry, Run, SourceInfo, Time
from flowc.ir.unit import Unit
from flowc.ir.units import GIB
from flowc.yamldoc import money
from flowc.yamldoc.ledger import Ledger, LedgerCodes
from flowc.yamldoc.node import Scalar, Sequence, text_of_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping, Node

LEDGER = LedgerCodes(approximated=codes.TASK_APPROXIMATED, ignored=codes.TASK_IGNORED, refused=codes.TASK_REFUSED)
CONVENTIONS = Conventions(variables=tuple(TASK.items()), fails_together=True)
# Defaults of the format.
NAME = "flow-task"
CODE_FOLDER = "/workspace"
RESTARTS, FACTOR, DELAY_MS = 3, "2", 1000


def lower(tasks: list[Mapping], inputs: Inputs, sink: Sink) -> list[Unit]:
    """One unit for each document of a file."""
    source = tasks[0].source
    info = SourceInfo(frontend="task-yaml", path=source.path, sha256=sha256_hex(source.data))
    names = [NAME if len(tasks) == 1 else f"{NAME}-{number}" for number in range(1, len(tasks) + 1)]
    return [Lowering(root, name, info, inputs, sink).unit() for root, name in zip(tasks, names, strict=True)]


def lower_command(tasks: list[Mapping], inputs: Inputs, sink: Sink) -> list[Unit]:
    """The unit of a command line. The command is its source: `check` and `compile` speak of the same job."""
    (root,) = tasks
    digest = sha256_hex((inputs.command.text if inputs.command else "").encode("utf-8", "surrogateescape"))
    info = SourceInfo(frontend="command-line", path=root.source.path, sha256=digest)
    return [Lowering(root, NAME, info, inputs, sink).unit()]


class Lowering:
    """The lowering of one document. `name` is for a task without one."""

    __slots__ = ("inputs", "ledger", "name", "origins", "root", "sink", "source")

    def __init__(self, root: Mapping, name: str, source: SourceInfo, inputs: Inputs, sink: Sink) -> None:
        self.root = root
        self.inputs = inputs
        self.name = name
        self.source = source
        self.sink = sink
        self.ledger = Ledger(LEDGER, sink)
        self.origins: dict[str, Span] = {}

    def unit(self) -> Unit:
        root = self.root
        self.name = self.take("name", "name", default=self.name)
        run, place = self._run()
        mounted = storage.lower(self)
        fields: dict[str, Any] = {
            "resources": self._resources(),
            "time": self._time(),
            "retry": self._retry(),
            "pricing": self._pricing(),
            "placement": self._placement(),
            "identity": Identity(ssh_keys=tuple(dict.fromkeys(self._texts("identity.ssh_keys", "ssh_keys")))),
            "image": self.take("image", "image"),
            "env": tuple((pair.key.text, pair.value.value) for pair in root.pairs_at("env")),
            "ports": self._ports(),
            "terminate_on_exit": self.take("terminate_on_exit", "terminate_on_exit"),
        }
        self.note("env", root.at("env"))
        for pair in root.pairs_at("env"):
            self.note(f"env.{pair.key.text}", pair.value)
        self._quiet_values()
        outcome = self.ledger.close(root)
        job = Job(
            name=self.name,
            source=self.source,
            conventions=CONVENTIONS,
            run=run,
            outcome=outcome,
            **fields,
            **mounted,
        )
        return Unit(
            source=root.source,
            job=job,
            origins=self.origins,
            text=place if run.kind != "argv" else None,
            shell_text=place if run.kind == "argv" else None,
            outcome_spans=self.ledger.spans,
        )

    def note(self, path: str, node: Node | None) -> None:
        """Note where an IR field was set."""
        if node is not None:
            self.origins[path] = node.span

    def take(self, path: str, *keys: str, default: Any = None) -> Any:
        """The value of a field, its place noted as the origin of an IR path."""
        self.note(path, self.root.at(*keys))
        return self.root.read(*keys, default=default)

    def _texts(self, path: str, *keys: str) -> tuple[str, ...]:
        """The texts of a list, or the one text that stands there, with their origins."""
        node = self.root.at(*keys)
        if node is None:
            return ()
        items = node.items if isinstance(node, Sequence) else [node]
        if items:
            self.note(path, node)
        for index, item in enumerate(items):
            self.note(f"{path}.{index}", item)
        return tuple(item.value for item in items)

    @property
    def has_code(self) -> bool:
        """Whether the submitter's code, or files that stand for it, are put on the machine."""
        return storage.uploads(self.root) or bool(self.root.pairs_at("runtime_files"))

    @property
    def folder(self) -> str:
        """Where code and files go."""
        folder: str = self.root.read("working_dir", default=CODE_FOLDER)
        return folder.rstrip("/") or "/"

    def _run(self) -> tuple[Run, Any]:
        """What is run, and where its text stands."""
        root = self.root
        workdir = self.folder if self.has_code or root.at("working_dir") is not None else None
        node = next((found for key in rules.COMMANDS if (found := root.at(key)) is not None), None)
        if isinstance(node, Sequence):
            argv = tuple(item.value for item in node.items)
            return Run(kind="argv", argv=argv, workdir=workdir), text_of_shell(
                [item for item in node.items if isinstance(item, Scalar)]
            )
        if not isinstance(node, Scalar):
            return Run(kind="argv", argv=("sleep", "infinity"), workdir=workdir), None
        text: str = node.value
        if text.startswith("#!"):
            interpreter = text.partition("\n")[0][2:].strip()
            return Run(kind="script", interpreter=interpreter, text=text, workdir=workdir), node.placed
        return Run(kind="shell", text=text, workdir=workdir), node.placed

    def _resources(self) -> Resources:
        memory = None
        if self.inputs.flags.instance_type is None:
            memory = self.take("resources.gpu_memory_bytes", "min_gpu_memory_gb")
        else:
            pair = self.root.pair("min_gpu_memory_gb")
            self.ledger.decide(pair, "ignored", "`--instance-type` names the machine")
        main = self.take("resources.memory_bytes_per_node", "min_memory_gb")
        return Resources(
            nodes=self.take("resources.nodes", "num_instances", default=1),
            alternatives=tuple(dict.fromkeys(self._texts("resources.alternatives", "instance_type"))),
            gpu_memory_bytes=memory * GIB if memory is not None else None,
            cpus_per_node=self.take("resources.cpus_per_node", "min_cpus"),
            memory_bytes_per_node=main * GIB if main is not None else None,
        )

    def _time(self) -> Time:
        limit, least = (
            self._seconds("time.limit_s", "max_run_time_hours"),
            self._seconds("time.min_s", "min_run_time_hours"),
        )
        deadline = self._seconds("time.deadline", "deadline_hours")
        begin = self.take("time.begin", "scheduled_start_time")
        return Time(
            limit_s=limit or None,
            min_s=least,
            begin=amounts.utc(begin) if begin is not None else None,
            deadline=f"now+{deadline}" if deadline is not None else None,
        )

    def _seconds(self, path: str, key: str) -> int | None:
        hours = self.take(path, key)
        return None if hours is None else amounts.scaled(hours, 3600)

    def _retry(self) -> Retry:
        pair = self.root.pair("retries")
        node = self.root.at("retries")
        if pair is None or node is None:
            return Retry()
        restarts = node.read("max_retries", default=RESTARTS)
        for field, key in (
            *(("max_restarts", "max_retries"), ("delay_ms", "initial_delay")),
            *(("delay_factor", "backoff_coefficient"), ("max_delay_ms", "max_delay")),
        ):
            found = node.at(key)
            self.origins[f"retry.{field}"] = found.span if found is not None else pair.key.span
        longest = node.read("max_delay")
        if restarts == 0:
            return Retry(max_restarts=0)
        return Retry(
            max_restarts=restarts,
            delay_ms=amounts.scaled(node.read("initial_delay"), 1000) if node.at("initial_delay") else DELAY_MS,
            delay_factor=str(node.read("backoff_coefficient", default=FACTOR)),
            max_delay_ms=amounts.scaled(longest, 1000) if longest is not None else None,
        )

    def _pricing(self) -> Pricing:
        path = "pricing.max_usd_per_instance_hour"
        price = self._price(path, "max_price_per_hour")
        if price is None:
            price = self._price(path, "constraints", "max_price_per_hour")
        elif self.root.at("constraints", "max_price_per_hour") is not None:
            constraints: Any = self.root.at("constraints")
            note = "`max_price_per_hour` of the task holds"
            self.ledger.decide(constraints.pair("max_price_per_hour"), "ignored", note)
        if price is not None:
            pair = self.root.pair("priority")
            self.ledger.decide(pair, "ignored", "`max_price_per_hour` says how high the bid is", quiet=True)
        return Pricing(max_usd_per_instance_hour=price, priority=self.take("pricing.priority", "priority"))

    def _price(self, path: str, *keys: str) -> str | None:
        text = self.take(path, *keys)
        return None if text is None else money.price(text, self.root.at(*keys), ".".join(keys), self.sink)

    def _placement(self) -> Placement:
        root, mode = self.root, self.root.read("allocation_mode")
        preemptible = self.take("placement.preemptible", "preemptible_ok")
        if mode in ("spot", "reserved") and preemptible is None:
            preemptible = mode == "spot"
            self.note("placement.preemptible", root.at("allocation_mode"))
        elif mode is not None:
            note = "the spot market is where machines are bid for" if mode == "auto" else "`preemptible_ok` says it"
            action = "approximated" if mode == "auto" else "ignored"
            self.ledger.decide(root.pair("allocation_mode"), action, note)
        allowed, excluded = (
            self._texts("placement.regions", "constraints", "regions"),
            self._texts("placement.exclude_regions", "constraints", "exclude_regions"),
        )
        region = self.take("placement.regions", "region")
        return Placement(
            regions=regions(root, region, allowed, excluded, self.sink),
            exclude_regions=excluded,
            interconnect=self.take("placement.interconnect", "internode_interconnect"),
            kubernetes_cluster=self.take("placement.kubernetes_cluster", "k8s"),
            reservation=self.take("placement.reservation", "reservation_id"),
            preemptible=preemptible,
        )

    def _ports(self) -> tuple[Port, ...]:
        self.note("ports", self.root.at("ports"))
        numbers: dict[int, None] = {}
        for item in self.root.each("ports"):
            if item.value not in numbers:
                self.note(f"ports.{len(numbers)}", item)
                numbers[item.value] = None
        return tuple(Port(external=number, internal=number, protocol="tcp") for number in numbers)

    def _quiet_values(self) -> None:
        """Values that say just what happens anyway."""
        root = self.root
        if root.read("unique_name") is False:
            self.ledger.decide(root.pair("unique_name"), "lowered", "the name stays as it is")
        constraints: Any = root.at("constraints")
        if constraints is not None and constraints.read("topology") == "any":
            self.ledger.decide(constraints.pair("topology"), "lowered", "any will do")
        if constraints is not None and not constraints.each("compliance"):
            self.ledger.decide(constraints.pair("compliance"), "lowered", "no standard is asked for")
        if root.read("max_run_time_hours") == "0":
            self.ledger.decide(root.pair("max_run_time_hours"), "lowered", "no limit")
