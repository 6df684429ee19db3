"""Nodes and partitions of a cluster, with what `DEFAULT` lines and global keys of slurm.conf say before theirs."""

from __future__ import annotations

from flowc.profile.cluster.conf import ConfError, Line
from flowc.profile.cluster.ranges import hosts, minutes, number
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_DEFAULT = "default"
# What a slurm.conf has that says nothing of MaxArraySize.
INDICES = 1001
_STATES = {"up": "up", "down": "down", "drain": "drain", "inactive": "inactive"}
_YES = ("yes", "up", "true", "1")
# Keys of nodes and partitions under other names.
_SAME = {"procs": "cpus", "features": "feature", "shared": "oversubscribe"}


class Node(Record):
    """`memory_mb` of RAM; `gpus` are (type or None, count)."""

    name: str
    cpus: int = 1
    memory_mb: int = 1
    features: tuple[str, ...] = ()
    gpus: tuple[tuple[str | None, int], ...] = ()


class Partition(Record):
    """`nodes` by name. Times in minutes, memory in MB, None: not limited, or not set; `memory_per_node`, `_cpu` and
    `_gpu` are for jobs that ask for none. `exclusive`: jobs get whole nodes."""

    name: str
    nodes: tuple[str, ...] = ()
    default: bool = False
    max_minutes: int | None = None
    default_minutes: int | None = None
    min_nodes: int = 0
    max_nodes: int | None = None
    memory_per_node: int | None = None
    memory_per_cpu: int | None = None
    memory_per_gpu: int | None = None
    max_memory_per_node: int | None = None
    max_memory_per_cpu: int | None = None
    max_cpus_per_node: int | None = None
    exclusive: bool = False
    state: str = "up"
    root_only: bool = False
    reserved: bool = False

    @property
    def up(self) -> bool:
        return self.state == "up"

    @property
    def minutes(self) -> int | None:
        """The limit of a job that asks for none."""
        return self.max_minutes if self.default_minutes is None else self.default_minutes


class Cluster(Record):
    """`enforce`: whether a request beyond limits is refused by `any` partition, by `all`, or by `no` one. `indices`,
    `timed` and `licenses` as of `flowc.ir.profile.Site`."""

    nodes: dict[str, Node]
    partitions: tuple[Partition, ...]
    enforce: str = "no"
    indices: int = INDICES
    timed: bool = False
    licenses: tuple[tuple[str, int], ...] = ()


def cluster(lines: Iterable[Line], gres: Iterable[Line] = ()) -> Cluster:
    """The cluster of a slurm.conf, with the types of GPUs that lines of gres.conf know. Raises ConfError."""
    made, path = _Maker(), ""
    for line in lines:
        path = path or line.span.source.path
        made.take(line)
    if not made.partitions:
        raise ConfError(path, "it has no partition")
    return made.result([*gres])


class _Maker:
    def __init__(self) -> None:
        self.common: dict[str, str] = {}
        self.node_defaults: dict[str, str] = {}
        self.partition_defaults: dict[str, str] = {}
        self.nodes: dict[str, Node] = {}
        self.sets: dict[str, Line] = {}
        self.partitions: list[tuple[str, dict[str, str], Line]] = []

    def take(self, line: Line) -> None:
        values = {_SAME.get(key, key): value for key, value in line.values.items()}
        name = values.get(line.key, "")
        if line.key == "nodename":
            if name.lower() == _DEFAULT:
                if "nodeaddr" in values or "nodehostname" in values:
                    raise _error(line, "NodeName=DEFAULT takes no NodeAddr and no NodeHostname")
                self.node_defaults |= values
            else:
                self.node(name, {**self.node_defaults, **values}, line)
        elif line.key == "partitionname":
            if name.lower() == _DEFAULT:
                self.partition_defaults |= values
                return
            for each in name.split(","):
                if any(known == each for known, _, _ in self.partitions):
                    raise _error(line, f"the partition `{each}` is there twice")
                self.partitions.append((each, {**self.partition_defaults, **values}, line))
        elif line.key == "nodeset":
            self.sets[name] = line
        else:
            self.common |= values

    def node(self, name: str, values: dict[str, str], line: Line) -> None:
        def count(key: str, default: int = 1) -> int:
            found = _checked(line, values, key, number)
            return default if found is None else int(found)

        boards, cores, threads = count("boards"), count("corespersocket"), count("threadspercore")
        sockets = count("sockets", count("socketsperboard") * boards)
        cpus = count("cpus", sockets * cores * threads)
        features = tuple(each for each in values.get("feature", "").split(",") if each)
        gpus = tuple(_gpus(line, values.get("gres", "")))
        for host in _hosts(line, name):
            if host in self.nodes:
                raise _error(line, f"the node `{host}` is there twice")
            memory = count("realmemory")
            self.nodes[host] = Node(name=host, cpus=cpus, memory_mb=memory, features=features, gpus=gpus)

    def result(self, gres: list[Line]) -> Cluster:
        types = _types(gres)
        nodes = {
            name: node.replace(gpus=_typed(node.gpus, types.get(name, types.get("", ()))))
            for name, node in self.nodes.items()
        }
        found = [self.partition(*each) for each in self.partitions]
        last = max((index for index, each in enumerate(found) if each.default), default=-1)
        partitions = tuple(each.replace(default=index == last) for index, each in enumerate(found))
        enforced = self.common.get("enforcepartlimits", "no").lower()
        enforce = "all" if enforced == "yes" else enforced if enforced in ("any", "all") else "no"
        return Cluster(
            nodes=nodes,
            partitions=partitions,
            enforce=enforce,
            indices=self.whole("maxarraysize", INDICES),
            timed="require_timelimit" in self.common.get("jobsubmitplugins", "").lower(),
            licenses=tuple(_licenses(self.common.get("licenses", ""))),
        )

    def whole(self, key: str, default: int) -> int:
        """A number of the cluster's; the default for what is none, of which there is no line to tell."""
        text = self.common.get(key, "")
        return int(text) if text.isascii() and text.isdigit() else default

    def partition(self, name: str, values: dict[str, str], line: Line) -> Partition:
        longest, usual = (_checked(line, values, key, minutes) for key in ("maxtime", "defaulttime"))
        if usual is not None and longest is not None and usual > longest:
            usual = None
        per_gpu = [
            (key, value)
            for text in (self.common.get("jobdefaults", ""), values.get("jobdefaults", ""))
            for key, _, value in (each.partition("=") for each in text.lower().split(","))
            if key == "defmempergpu"
        ]
        node, cpu = self.memory(line, values, "defmem")
        most_node, most_cpu = self.memory(line, values, "maxmem")
        return Partition(
            name=name,
            nodes=self.members(line, values.get("nodes", "")),
            default=values.get("default", "").lower() in _YES,
            max_minutes=longest,
            default_minutes=usual,
            min_nodes=_checked(line, values, "minnodes", number) or 0,
            max_nodes=_checked(line, values, "maxnodes", number),
            memory_per_node=node,
            memory_per_cpu=cpu,
            memory_per_gpu=_checked(line, dict(per_gpu), "defmempergpu", number) or None,
            max_memory_per_node=most_node,
            max_memory_per_cpu=most_cpu,
            exclusive=values.get("oversubscribe", "").lower() == "exclusive",
            root_only=values.get("rootonly", "").lower() in _YES,
            reserved=values.get("reqresv", "").lower() in _YES,
            max_cpus_per_node=_checked(line, values, "maxcpuspernode", number),
            state=_STATES.get(values.get("state", "up").lower(), "up"),
        )

    def memory(self, line: Line, values: dict[str, str], key: str) -> tuple[int | None, int | None]:
        """Memory of a node and of a CPU: the partition's own before the cluster's; of both at one level a node's."""
        for level in (values, self.common):
            if f"{key}pernode" in level:  # also where it is 0, which sets nothing
                node, cpu = _checked(line, level, f"{key}pernode", number) or None, None
            else:
                node, cpu = None, _checked(line, level, f"{key}percpu", number) or None
            if node or cpu:
                return node, cpu
        return None, None

    def members(self, line: Line, text: str) -> tuple[str, ...]:
        """The nodes of a partition, through sets, in the order of their names."""
        if text.lower() == "all":
            return tuple(self.nodes)
        found: dict[str, None] = {}
        for name in _hosts(line, text):
            found.update(dict.fromkeys(self.in_set(self.sets[name]) if name in self.sets else (name,)))
        missing = next((name for name in found if name not in self.nodes), None)
        if missing is not None:
            raise _error(line, f"there is no node `{missing}`")
        return tuple(found)

    def in_set(self, line: Line) -> list[str]:
        named = _hosts(line, line.values.get("nodes", ""))
        feature = line.values.get("feature")
        return [*named, *(node.name for node in self.nodes.values() if feature in node.features)]


def _licenses(text: str) -> Iterator[tuple[str, int]]:
    """`name`, `name:count` and `name*count`, one after the other."""
    for each in text.replace("*", ":").split(","):
        name, _, count = each.strip().partition(":")
        if name:
            yield name, int(count) if count.isascii() and count.isdigit() else 1


def _gpus(line: Line, text: str) -> list[tuple[str | None, int]]:
    """`gpu:a100:8(S:0-1),nvme:1`."""
    found: list[tuple[str | None, int]] = []
    for each in text.split(","):
        name, *rest = [part for part in each.partition("(")[0].split(":") if part != "no_consume"]
        if name.lower() == "gpu":
            count = rest.pop() if rest and rest[-1][:1].isdecimal() and rest[-1].rstrip("KMGTkmgt").isdecimal() else "1"
            found.append((rest[0] if rest else None, _checked(line, {"gres": count}, "gres", number) or 0))
    return found


def _types(gres: list[Line]) -> dict[str, tuple[tuple[str, int], ...]]:
    """The types of GPUs, with their numbers, by node; "" for nodes that no line names."""
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for line in gres:
        kind = line.values.get("type")
        if line.values.get("name", "").lower() != "gpu" or kind is None:
            continue
        files = line.values.get("file", "")
        count = _checked(line, line.values, "count", number) or (len(_hosts(line, files)) if files else 1)
        for name in _hosts(line, line.values["nodename"]) if "nodename" in line.values else ("",):
            found[name] = (*found.get(name, ()), (kind, count))
    return found


def _typed(
    gpus: tuple[tuple[str | None, int], ...], types: tuple[tuple[str, int], ...]
) -> tuple[tuple[str | None, int], ...]:
    """The GPUs of a node with the types that gres.conf has for them, where slurm.conf gives none."""
    if not gpus or any(kind is not None for kind, _ in gpus):
        return gpus
    return types or gpus


def _hosts(line: Line, text: str) -> list[str]:
    try:
        return hosts(text)
    except ValueError as error:
        raise _error(line, str(error)) from None


def _checked(line: Line, values: dict[str, str], key: str, read: Callable[[str], int | None]) -> Any:
    """A value, None where there is none or no limit."""
    if key not in values:
        return None
    try:
        return read(values[key])
    except ValueError as error:
        raise _error(line, f"{key}: {error}") from None


def _error(line: Line, reason: str) -> ConfError:
    return ConfError(line.span.source.path, reason, line.span)
