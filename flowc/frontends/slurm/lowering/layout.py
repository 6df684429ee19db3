"""Nodes, tasks, CPUs, memory and GPUs as Slurm would allot them (measured on Slurm 22.05 and 26.05 controllers)."""

from __future__ import annotations

from flowc._compiled.slurm_lowering import DISK_GRES, GPU_SHARE_GRES
from flowc.diag.codes.slurm import lower as codes
from flowc.frontends.slurm.values import meaning
from flowc.frontends.slurm.values.state import NULL
from flowc.ir.job import Layout, Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.slurm.ast import Component
    from flowc.frontends.slurm.lowering.ledger import Ledger
    from flowc.source import Span

MIB = 1 << 20


class Allotment:
    """The facts gathered from the options of one component, each with the option that it came from."""

    __slots__ = ("fields", "ledger", "options", "origins")

    def __init__(self, component: Component, ledger: Ledger) -> None:
        self.options = component.options
        self.ledger = ledger
        self.fields: dict[str, object] = {}
        self.origins: dict[str, Span] = {}

    def put(self, path: str, value: object, option: str) -> None:
        """Set an IR field (`resources.nodes`) because of an option."""
        self.fields[path] = value
        span = self.ledger.span(option)
        if span is not None:
            self.origins[path] = span

    def number(self, option: str) -> int | None:
        text = self.options.get(option)
        return int(text) if text is not None else None

    def record(self, prefix: str) -> dict[str, Any]:
        """The fields below `prefix`, without it."""
        return {path[len(prefix) :]: value for path, value in self.fields.items() if path.startswith(prefix)}


def allot(component: Component, ledger: Ledger) -> tuple[Resources, Layout, dict[str, Span]]:
    """The resources and the layout that these options ask for, and the span that each field came from."""
    a = Allotment(component, ledger)
    gpus = Gpus(a)
    nodes, nodes_option = _with_counted(a, *_nodes(a, gpus))
    tasks, tasks_option = _tasks(a, gpus, nodes)
    per_node = a.number("ntasks-per-node")
    if nodes is not None and tasks is not None and per_node and "ntasks" not in a.options:
        nodes = max(nodes, -(-tasks // per_node))
    if nodes is not None:
        a.put("resources.nodes", nodes, nodes_option)
    elif tasks is not None:
        a.put("resources.nodes_max", tasks, tasks_option)
    if tasks is not None:
        a.put("layout.tasks", tasks, tasks_option)
    if (number := a.number("ntasks-per-node")) is not None:
        a.put("layout.tasks_per_node", number, "ntasks-per-node")
    cpus, cpus_option = _cpus_per_task(a)
    if cpus is not None:
        a.put("layout.cpus_per_task", cpus, cpus_option)
    gpus.put_total(tasks, nodes)
    _put_cpus(a)
    _put_memory(a)
    if "exclusive" in a.options and a.options["exclusive"] in ("exclusive", "set"):
        a.put("resources.exclusive", True, "exclusive")
    return Resources(**a.record("resources.")), Layout(**a.record("layout.")), a.origins


class Gpus:
    """What all the GPU options say together."""

    __slots__ = (
        "allotment",
        "model",
        "model_option",
        "per_node",
        "per_node_option",
        "per_task",
        "total",
    )

    def __init__(self, a: Allotment) -> None:
        self.allotment = a
        self.model: str | None = None
        self.model_option = ""
        self.per_node, self.per_node_option = self._per_node()
        self.total = self._count("gpus")
        self.per_task = self._count("gpus-per-task")
        if self.per_task is None and "tres-per-task" in a.options:
            self.per_task = self._tres_per_task(a.options["tres-per-task"])
        self._forget_zeros()
        if self.per_node is not None:
            a.put("resources.gpus_per_node", self.per_node, self.per_node_option)
        if self.per_task is not None:
            a.put("layout.gpus_per_task", self.per_task, self.per_task_option)
        if self.model is not None:
            a.put("resources.gpu_model", self.model, self.model_option)

    def _forget_zeros(self) -> None:
        """A count of 0 asks for nothing: beside other counts it is as if not given; alone it stays in the job."""
        if self.per_node or self.total or self.per_task:
            self.per_node, self.total, self.per_task = self.per_node or None, self.total or None, self.per_task or None

    @property
    def per_task_option(self) -> str:
        return "gpus-per-task" if "gpus-per-task" in self.allotment.options else "tres-per-task"

    def _per_node(self) -> tuple[int | None, str]:
        """The largest of what the per-node options ask for: Slurm grants both when two agree."""
        found = [(self._gres(), "gres"), (self._count("gpus-per-node"), "gpus-per-node")]
        per_socket = self._count("gpus-per-socket")
        if per_socket is not None:
            sockets = _shape(self.allotment)[0] or 1
            found.append((per_socket * sockets, "gpus-per-socket"))
        counts = [(count, option) for count, option in found if count is not None]
        return max(counts, key=lambda pair: pair[0]) if counts else (None, "gres")

    def _count(self, option: str) -> int | None:
        text = self.allotment.options.get(option)
        if text is None or text == NULL:
            return None
        return self._sum(meaning.gpu_items(text), option)

    def _gres(self) -> int | None:
        text = self.allotment.options.get("gres")
        if text is None or text.lower().endswith("none"):
            return None
        gpus = []
        for item in meaning.gres_items(text):
            if item.name == "gpu":
                gpus.append(item)
            else:
                self._other_gres(item, gpus, "gres")
        return self._sum(tuple(gpus), "gres") if gpus else None

    def _other_gres(self, item: meaning.GresItem, gpus: list[meaning.GresItem], option: str) -> None:
        ledger = self.allotment.ledger
        shown = ":".join(str(part) for part in (item.name, item.type, item.count) if part is not None)
        span = ledger.value_span(option)
        written = span.text.strip("\"'").split(",") if span is not None else []
        shown = next((each for each in written if each.partition(":")[0] == item.name), shown)
        if item.name in GPU_SHARE_GRES:
            gpus.append(item.replace(name="gpu", type=item.type, count=1))
            ledger.sink.report(codes.GPU_SHARE, span, item=shown)
            ledger.decide(option, "approximated", "a part of a GPU becomes a whole one", codes.GPU_SHARE.id)
            return
        local = item.name.lower() in DISK_GRES
        reason = "each machine has local disk of its own" if local else "only GPUs are known here"
        meant = item.name.lower() in ("gpu", "gpus")
        help = f"GPUs are called `gpu`: `gpu{shown[len(item.name) :]}`" if meant else None
        ledger.sink.report(codes.GRES_IGNORED, span, help=help, item=shown, reason=reason)
        ledger.decide(option, "approximated", f"`{shown}` is ignored: {reason}", codes.GRES_IGNORED.id)

    def _sum(self, items: tuple[meaning.GresItem, ...], option: str) -> int:
        ledger = self.allotment.ledger
        for item in items:
            if item.type is None or item.count == 0:
                continue
            if self.model is not None and item.type.lower() != self.model.lower():
                models = f"`{self.model}` and `{item.type}`"
                ledger.sink.report(codes.TWO_GPU_MODELS, ledger.value_span(option), models=models)
                ledger.decide(option, "refused", "two GPU models on one node", codes.TWO_GPU_MODELS.id)
                continue
            self.model, self.model_option = item.type, option
        return sum(item.count for item in items)

    def _tres_per_task(self, text: str) -> int | None:
        """GPUs in `gres/gpu:h100=2,cpu=4`. Other resources are told as those of `--gres` are."""
        from flowc.frontends.slurm.values.tres import GRES, items

        gpus: list[meaning.GresItem] = []
        for name, kind, count in items(text, GRES):
            item = meaning.GresItem(name=name or "", type=kind, count=count)
            if name == "gpu":
                gpus.append(item)
            elif name:
                self._other_gres(item, gpus, "tres-per-task")
        lost = [word for word in text.split(",") if word and not word.startswith(("gres/", "cpu"))]
        if lost:
            note = f"`{lost[0]}` is the old cluster's to count"
            self.allotment.ledger.decide("tres-per-task", "approximated", note)
        return self._sum(tuple(gpus), "tres-per-task") if gpus else None

    def put_total(self, tasks: int | None, nodes: int | None) -> None:
        """`layout.gpus_total`, where the options speak of the whole job."""
        a = self.allotment
        if self.total:
            a.put("layout.gpus_total", self.total, "gpus")
        elif self.per_task is not None:
            a.put("layout.gpus_total", self.per_task * (tasks or nodes or 1), self.per_task_option)
        elif self.per_node is None and (per_gpu := _tasks_per_gpu(a)[0]) is not None and tasks is not None:
            a.put("layout.gpus_total", -(-tasks // per_gpu), _tasks_per_gpu(a)[1])
        elif self.total is not None:
            a.put("layout.gpus_total", self.total, "gpus")


def _with_counted(a: Allotment, nodes: int | None, option: str) -> tuple[int | None, str]:
    """The nodes, raised to what the counts of `--constraint` need."""
    constraint = a.options.get("constraint")
    wanted = 0
    if constraint and "*" in constraint:
        from flowc.frontends.slurm.lowering.features import nodes_wanted

        wanted = nodes_wanted(constraint)
    if wanted <= (nodes or 0):
        return nodes, option
    most = meaning.node_range(a.options["nodes"])[1] if "nodes" in a.options else None
    if most is not None and most < wanted:
        a.ledger.decide("constraint", "refused", f"its counts need {wanted} nodes, `--nodes` allows {most}")
        return nodes, option
    return wanted, "constraint"


def _nodes(a: Allotment, gpus: Gpus) -> tuple[int | None, str]:
    """How many nodes, and the option that says so; None: as few as the tasks or GPUs need."""
    options = a.options
    tasks, per_node = a.number("ntasks"), a.number("ntasks-per-node")
    by_gpus = gpus.total // gpus.per_node if gpus.total and gpus.per_node else None
    if "nodes" in options:
        low, high = meaning.node_range(options["nodes"])
        if high != low:
            a.ledger.decide("nodes", "lowered", f"number of machines: the fewest, {low}")
        if by_gpus and high != low:
            return by_gpus, "gpus-per-node"
        if high is not None and high != low:
            a.put("resources.nodes_max", high, "nodes")
        if low == 0:
            a.ledger.decide("nodes", "refused", "a job on no node runs nothing here")
        return low, "nodes"
    if "nodelist" in options:
        from flowc.frontends.slurm.values.lists import host_count

        if named := host_count(options["nodelist"]):
            return named, "nodelist"
    if per_node is not None:
        return (1 if tasks is None else -(-tasks // per_node)), "ntasks-per-node"
    if by_gpus:
        return by_gpus, "gpus-per-node"
    open_ended = (tasks is not None and tasks > 1) or (gpus.total is not None and gpus.total > 1)
    return (None, "ntasks") if open_ended else (1, "nodes")


def _tasks(a: Allotment, gpus: Gpus, nodes: int | None) -> tuple[int | None, str]:
    """How many tasks, where Slurm would set SLURM_NTASKS; None elsewhere (then there is one for each node).

    Tasks by GPUs win over `--ntasks` when GPUs are asked for by number, and over `--ntasks-per-node`.
    """
    (per_gpu, per_gpu_option), total = _tasks_per_gpu(a), gpus.total
    if total is None and gpus.per_node is not None:
        total = gpus.per_node * (nodes or 1)
    if per_gpu is not None and total:
        return per_gpu * total, per_gpu_option
    if (tasks := a.number("ntasks")) is not None:
        return tasks, "ntasks"
    if gpus.per_task and gpus.total:
        return gpus.total // gpus.per_task, gpus.per_task_option
    if (per_node := a.number("ntasks-per-node")) is not None:
        return per_node * (nodes or 1), "ntasks-per-node"
    if per_gpu is not None:
        return per_gpu * (nodes or 1), per_gpu_option
    sockets, cores, threads, option = _shape_with_option(a)
    fixed = "-" not in a.options.get("nodes", "")
    if option and fixed and ("nodes" in a.options or "extra-node-info" in a.options):
        return (nodes or 1) * (sockets or 1) * (cores or 1) * (threads or 1), option
    return None, "ntasks"


def _tasks_per_gpu(a: Allotment) -> tuple[int | None, str]:
    """Tasks for each GPU and the spelling of the option: the older one prints under its own name."""
    option = "ntasks-per-gpu" if "ntasks-per-gpu" in a.options else "ntasks-per-tres"
    return a.number(option), option


def _shape(a: Allotment) -> tuple[int | None, int | None, int | None]:
    return _shape_with_option(a)[:3]


def _shape_with_option(a: Allotment) -> tuple[int | None, int | None, int | None, str]:
    """Sockets, cores and threads that a node must have, and the option that says so ("" when none does)."""
    names = ("sockets-per-node", "cores-per-socket", "threads-per-core")
    shape: list[int | None] = [a.number(name) for name in names]
    option = next((name for name in names if name in a.options), "")
    if "extra-node-info" in a.options:
        option = "extra-node-info"
        for place, part in enumerate(a.options[option].split(":")[:3]):
            if part.isdecimal():
                shape[place] = int(part)
    return shape[0], shape[1], shape[2], option


def _cpus_per_task(a: Allotment) -> tuple[int | None, str]:
    """CPUs for each task and the option that says so."""
    if (number := a.number("cpus-per-task")) is not None:
        return number, "cpus-per-task"
    if "tres-per-task" not in a.options:
        return None, "tres-per-task"
    from flowc.frontends.slurm.values.tres import items

    found = next(items(a.options["tres-per-task"], "cpu"), None)
    return (found[2] if found else None), "tres-per-task"


def _put_cpus(a: Allotment) -> None:
    sockets, cores, threads, option = _shape_with_option(a)
    product = (sockets or 1) * (cores or 1) * (threads or 1)
    least = a.number("mincpus") or 0
    if max(product, least) > 1:
        a.put("resources.cpus_per_node", max(product, least), "mincpus" if least >= product else option)
    if (per_gpu := a.number("cpus-per-gpu")) is not None:
        a.put("resources.cpus_per_gpu", per_gpu, "cpus-per-gpu")


def _put_memory(a: Allotment) -> None:
    fields = (
        ("mem", "memory_bytes_per_node"),
        ("mem-per-cpu", "memory_bytes_per_cpu"),
        ("mem-per-gpu", "memory_bytes_per_gpu"),
        ("tmp", "disk_bytes"),
    )
    for option, field in fields:
        if option in a.options:
            size = meaning.size_mib(a.options[option]) * MIB
            if size:
                a.put(f"resources.{field}", size, option)
            else:
                meant = "0 asks for no more than there is" if option == "tmp" else "0 means all there is"
                a.ledger.decide(option, "lowered", f"{meant}, and the job has whole machines")
