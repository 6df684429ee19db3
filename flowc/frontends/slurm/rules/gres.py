"""The request for GPUs and other generic resources: whether its parts agree, as sbatch checks before it submits.

Slurm 22.05: the counts per job, node, socket and task of each resource and type are gathered from all options and
compared with the numbers of nodes, tasks and CPUs.
"""

from __future__ import annotations

from flowc.frontends.slurm.rules.demands import Demand, Demands, Fault, demand_of, gather, per_task
from flowc.frontends.slurm.values.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Refuse = Callable[[tuple[str, ...], str], None]

SHARING, SHARED = "gpu", ("mps", "shard")


class Numbers:
    """The job's own numbers, None when not given; the checks work some of them out."""

    __slots__ = ("cpus", "max_nodes", "min_nodes", "per_gpu", "per_node", "per_socket", "sockets", "tasks")

    def __init__(self, state: State) -> None:
        slots = state.slots
        nodes = slots.get("nodes_set")
        self.min_nodes = state.number("min_nodes", 1) if nodes else None
        self.max_nodes = (state.number("max_nodes", 0) or None) if nodes else None
        self.tasks = slots.get("ntasks", slots.get("ntasks_implied")) if slots.get("tasks_known") else None
        self.per_node = _short(slots.get("ntasks-per-node"))
        if not nodes and state.version >= (23, 11) and self.per_node and "ntasks" in slots:
            self.min_nodes = -(-slots["ntasks"] // self.per_node)
        self.per_socket = _short(slots.get("ntasks-per-socket"))
        self.sockets = _short(slots.get("sockets"))
        self.cpus = _short(slots.get("cpus-per-task"))
        self.per_gpu = _short(slots.get("ntasks-per-tres", slots.get("ntasks-per-gpu")))


def _short(number: int | None) -> int | None:
    """As a 16-bit number; "no value" is None."""
    return None if number is None or number % 0x10000 == 0xFFFE else number % 0x10000


def check(state: State, refuse: Refuse) -> None:
    """Report the first fault, if any."""
    demands: Demands = {}
    numbers = Numbers(state)
    implied = numbers.tasks is None and numbers.min_nodes is not None and numbers.min_nodes == numbers.max_nodes
    if implied and (per_task(state) or numbers.per_gpu is not None):
        if numbers.per_gpu is not None:
            numbers.tasks = numbers.min_nodes * numbers.per_gpu  # type: ignore[operator]
        elif numbers.per_node is not None:
            numbers.tasks = numbers.min_nodes * numbers.per_node  # type: ignore[operator]
        elif numbers.cpus is None:
            numbers.tasks = numbers.min_nodes
    fault = gather(state, demands) or _derive(state, demands, numbers)
    if fault is None and demands:
        fault = _compare(state, list(demands.values()), numbers)
    if fault is not None:
        refuse(*fault)


# The same of one resource, by slots of its Demand.
SlotFault = tuple[tuple[str, ...], str]


def _derive(state: State, demands: Demands, numbers: Numbers) -> Fault | None:
    """Tasks from GPUs or GPUs from tasks, where --ntasks-per-gpu ties them."""
    per_gpu = numbers.per_gpu
    if not per_gpu:
        return None
    option = "ntasks-per-gpu" if "ntasks-per-gpu" in state.given else "ntasks-per-tres"
    gpus_of = [demand for demand in demands.values() if demand.name == "gpu"]
    if any(_asks(demand) for demand in gpus_of):
        total = sum(_total(demand, numbers) for demand in gpus_of)
        numbers.tasks = total * per_gpu % 0x100000000
        return None
    if numbers.tasks:
        gpus = numbers.tasks // per_gpu
        if gpus:
            demand_of(demands, "gpu", None, "job", option).job = gpus
        return None
    return (option, "gpus"), f"`--{option}` needs a number of GPUs, or of tasks or nodes"


def _asks(demand: Demand) -> bool:
    return bool(demand.job or demand.node or demand.socket or demand.task)


def _total(demand: Demand, numbers: Numbers) -> int:
    counts = [demand.job, demand.node * (1 if numbers.min_nodes is None else numbers.min_nodes)]
    socket = demand.socket
    if numbers.min_nodes is not None and numbers.sockets is not None:
        socket *= numbers.min_nodes * numbers.sockets
    elif numbers.tasks is not None and numbers.per_socket:
        socket *= -(-numbers.tasks // numbers.per_socket)
    counts += [socket, demand.task * (1 if numbers.tasks is None else numbers.tasks)]
    return max(counts)


def _compare(state: State, demands: list[Demand], numbers: Numbers) -> Fault | None:
    gpus_asked = any(demand.name == SHARING and _asks(demand) for demand in demands)
    if "mem-per-gpu" in state.slots and not gpus_asked:
        return ("mem-per-gpu", "gpus"), "`--mem-per-gpu` needs a request for GPUs"
    if state.version >= (23, 2) and state.slots.get("cpus-per-gpu") and not gpus_asked:
        return ("cpus-per-gpu", "gpus"), "`--cpus-per-gpu` needs a request for GPUs"
    fault: Fault | None = None
    seen: list[Demand] = []
    names: set[str] = set()
    for demand in demands:
        names.add(demand.name)
        unequal = _compare_one(demand, numbers)
        fault = _with_options(demand, *unequal) if unequal else _shares(demand, names, numbers, state.version)
        if fault:
            break
        seen.append(demand)
    if fault is None and "gpu-freq" in state.given and not names.isdisjoint(SHARED):
        fault = ("gres", "gpu-freq"), "parts of GPUs (mps, shard) have no clock of their own"
    pair = _typed_and_untyped(seen)
    if pair is not None:  # sbatch forgets an earlier fault when it looks at these
        untyped, typed = pair
        if not _asks(untyped):
            return None
        both = tuple(dict.fromkeys([*untyped.options.values(), *typed.options.values()]))
        return _at_least_two(both), f"`{untyped.name}` is asked for with a type (`{typed.type}`) and without one"
    return fault


def _with_options(demand: Demand, slots: tuple[str, ...], reason: str) -> Fault:
    """A fault of one resource: what is said, and by which options."""
    options = [demand.options.get(slot, slot) for slot in slots]
    return _at_least_two(tuple(dict.fromkeys(options))), reason


def _at_least_two(options: tuple[str, ...]) -> tuple[str, ...]:
    """One option alone would be told for a bad value."""
    return options if len(options) > 1 else (*options, "")


def _shares(demand: Demand, names: set[str], numbers: Numbers, version: tuple[int, ...]) -> Fault | None:
    """What parts of GPUs are asked for in a way that they cannot be."""
    shared = demand.name in SHARED and version < (23, 2)
    if shared and (
        (demand.job and numbers.max_nodes != 1)
        or (demand.socket and numbers.sockets != 1)
        or (demand.task and numbers.tasks != 1)
    ):
        return ("gres",), f"`{demand.name}` can be asked for per node only"
    if SHARING in names and not names.isdisjoint(SHARED):
        return ("gres",), "parts of GPUs (mps, shard) and whole GPUs exclude each other"
    return None


def _typed_and_untyped(demands: list[Demand]) -> tuple[Demand, Demand] | None:
    """The first resource asked for both without and with a type."""
    typed: dict[str, Demand] = {}
    for demand in demands:
        if demand.type is not None:
            typed.setdefault(demand.name, demand)
    for demand in demands:
        if demand.type is None and demand.name in typed:
            return demand, typed[demand.name]
    return None


def _compare_one(demand: Demand, numbers: Numbers) -> SlotFault | None:
    """When the counts of one resource do not agree: which, and why; works out numbers that follow from them."""
    job, node, socket, task = demand.job, demand.node, demand.socket, demand.task
    if job and max(node, task, socket) > job:
        return (
            "job",
            "node",
            "socket",
            "task",
        ), f"{job} in all is less than {max(node, task, socket)} per node, socket or task"
    if node and max(task, socket) > node:
        return ("node", "socket", "task"), f"{node} per node is less than {max(task, socket)} per socket or task"
    if socket and numbers.sockets is None:
        return ("socket", "sockets-per-node"), "a count per socket needs `--sockets-per-node`"
    if demand.cpus and numbers.cpus is not None:
        return ("cpus", "cpus-per-task"), "`--cpus-per-gpu` and `--cpus-per-task` exclude each other"
    return (
        _job_against_node(job, node, numbers)
        or _node_against_socket(node, socket, numbers)
        or _tasks_against_gpus(numbers)
        or _job_against_task(demand, numbers)
        or _node_against_task(node, task, numbers)
        or _socket_against_task(socket, task, numbers)
        or _against_cpus_and_nodes(demand, numbers)
    )


def _job_against_node(job: int, node: int, numbers: Numbers) -> SlotFault | None:
    if not (job and node):
        return None
    if job % node:
        return ("job", "node"), f"{job} in all is not a multiple of {node} per node"
    nodes = job // node
    low, high = numbers.min_nodes, numbers.max_nodes
    if (low is not None and nodes < low) or (high is not None and nodes > high):
        asked = low if low == high else f"{low}-{high}" if high is not None else f"at least {low}"
        return (
            "job",
            "node",
            "nodes",
        ), f"{job} in all at {node} per node make {nodes} nodes, but `--nodes` asks for {asked}"
    numbers.min_nodes = numbers.max_nodes = nodes
    return None


def _node_against_socket(node: int, socket: int, numbers: Numbers) -> SlotFault | None:
    if not (node and socket):
        return None
    if node % socket:
        return ("node", "socket"), f"{node} per node is not a multiple of {socket} per socket"
    if numbers.sockets is None:
        numbers.sockets = node // socket
    elif numbers.sockets != node // socket:
        return (
            "node",
            "socket",
            "sockets-per-node",
        ), f"{node} per node at {socket} per socket make {node // socket} sockets, not {numbers.sockets}"
    return None


def _tasks_against_gpus(numbers: Numbers) -> SlotFault | None:
    if numbers.per_gpu and numbers.tasks is not None and numbers.tasks % numbers.per_gpu:
        return (
            "ntasks-per-gpu",
            "ntasks-per-tres",
            "ntasks",
        ), f"{numbers.tasks} tasks are not a multiple of {numbers.per_gpu} per GPU"
    return None


def _job_against_task(demand: Demand, numbers: Numbers) -> SlotFault | None:
    job, task = demand.job, demand.task
    if not task:
        return None
    if not job:
        if numbers.tasks is None:
            return ("task", "ntasks"), "a count per task needs a number of tasks: give `--ntasks`, or `--gpus`"
        demand.job = numbers.tasks * task
        return None
    if job % task:
        return ("job", "task"), f"{job} in all is not a multiple of {task} per task"
    if numbers.tasks is None:
        numbers.tasks = job // task
    elif numbers.tasks != job // task:
        return (
            "job",
            "task",
            "ntasks",
        ), f"{job} in all at {task} per task make {job // task} tasks, not {numbers.tasks}"
    return None


def _node_against_task(node: int, task: int, numbers: Numbers) -> SlotFault | None:
    if not (node and task):
        return None
    if node % task:
        return ("node", "task"), f"{node} per node is not a multiple of {task} per task"
    if not numbers.per_node:
        numbers.per_node = node // task
    elif numbers.per_node != node // task:
        return (
            "node",
            "task",
            "ntasks-per-node",
        ), f"{node} per node at {task} per task make {node // task} tasks per node, not {numbers.per_node}"
    return None


def _socket_against_task(socket: int, task: int, numbers: Numbers) -> SlotFault | None:
    if not (socket and task):
        return None
    if socket % task:
        return ("socket", "task"), f"{socket} per socket is not a multiple of {task} per task"
    if not numbers.per_socket:
        numbers.per_socket = socket // task
    elif numbers.per_socket != socket // task:
        return (
            ("socket", "task", "ntasks-per-socket"),
            f"{socket} per socket at {task} per task make {socket // task} tasks per socket, not {numbers.per_socket}",
        )
    return None


def _against_cpus_and_nodes(demand: Demand, numbers: Numbers) -> SlotFault | None:
    if demand.cpus and demand.task:
        cpus = demand.cpus * demand.task
        if not numbers.cpus:
            numbers.cpus = cpus
        elif numbers.cpus != cpus:
            return (
                "cpus",
                "task",
                "cpus-per-task",
            ), f"{demand.cpus} CPUs per GPU at {demand.task} per task make {cpus} CPUs per task, not {numbers.cpus}"
    if demand.job:
        if numbers.min_nodes is not None and demand.job < numbers.min_nodes:
            return ("job", "nodes"), f"{demand.job} in all are fewer than {numbers.min_nodes} nodes"
        if numbers.max_nodes is not None and demand.job < numbers.max_nodes:
            numbers.max_nodes = demand.job
    return None
