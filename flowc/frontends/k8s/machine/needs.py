"""How much a container, and the pod as a whole, asks of its machine."""

from __future__ import annotations

from flowc._compiled.k8s_gpus import COUNTED_PARTS, GPU_ALIASES, GPU_RESOURCE, SHARED_RESOURCES
from flowc.frontends.k8s import quantity
from flowc.record import Record
from flowc.yamldoc.node import is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.pod.containers import Pod
    from flowc.yamldoc.node import Mapping, Node

PARTS = ("requests", "limits")
_SLICES = ("nvidia.com/mig-", "nvidia.com/gpu.shared")


class Amount(Record):
    """CPUs in thousandths, memory and disk in bytes, whole GPUs; 0: nothing asked for."""

    milli_cpus: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0
    gpus: int = 0

    def plus(self, other: Amount) -> Amount:
        return Amount(**{name: value + other.__dict__[name] for name, value in self.__dict__.items()})

    def at_least(self, other: Amount) -> Amount:
        return Amount(**{name: max(value, other.__dict__[name]) for name, value in self.__dict__.items()})


def scaled(node: Node | None) -> int:
    """A checked quantity in 10⁻⁹, 0 where there is none."""
    return quantity.parse(str(getattr(node, "text", "0"))) if node is not None else 0


def asked(container: Node, name: str) -> Node | None:
    """Where a container asks for a resource: its request, else its limit, which sets the request."""
    return container.at("resources", "requests", name) or container.at("resources", "limits", name)


def gpus_of(container: Node) -> int:
    """Whole GPUs; a resource may be called after their model (`nvidia.com/a100`). For each slice of one it is a whole
    one, and one for their memory or hundredths, where nothing else says a number; `--move` allows both."""
    asked_for = resource_names(container)
    names = [name for name, _ in asked_for if name in GPU_ALIASES or slice_resource(name) or model_resource(name)]
    names.append(GPU_RESOURCE)
    found = sum(quantity.bytes_of(scaled(asked(container, name))) for name in names)
    if found or not any(part_resource(name) for name, _ in asked_for):
        return found
    counted = [-(-quantity.bytes_of(scaled(asked(container, name))) // int(one)) for name, one in COUNTED_PARTS.items()]
    return max(1, *counted)


def part_resource(name: str) -> bool:
    """Whether a resource is parts of GPUs."""
    return name.startswith(tuple(SHARED_RESOURCES)) or name.endswith(".shared")


def slice_resource(name: str) -> bool:
    """Whether a resource is counted in slices of GPUs, not in their memory or hundredths."""
    return name.startswith(_SLICES)


def model_resource(name: str) -> bool:
    """Whether a resource is GPUs of one model."""
    if not name.startswith("nvidia.com/") or name == GPU_RESOURCE:
        return False
    from flowc.frontends.k8s.machine.models import families

    return not part_resource(name) and bool(families(name.removeprefix("nvidia.com/")))


def amount_of(container: Node) -> Amount:
    return Amount(
        milli_cpus=quantity.milli_cpus(scaled(asked(container, "cpu"))),
        memory_bytes=quantity.bytes_of(scaled(asked(container, "memory"))),
        disk_bytes=quantity.bytes_of(scaled(asked(container, "ephemeral-storage"))),
        gpus=gpus_of(container),
    )


def pod_amount(pod: Pod, spec: Mapping) -> Amount:
    """What the pod needs at its fullest: its containers and sidecars together, or an init container with the sidecars
    that were started before it, whichever is more; then the pod's own `resources`, where it has them."""
    together = Amount()
    for each in (pod.main, *pod.sidecars):
        together = together.plus(amount_of(each))
    started = Amount()
    peak = Amount()
    for node in spec.each("initContainers"):
        if node in pod.inits:
            peak = peak.at_least(started.plus(amount_of(node)))
        elif node in pod.sidecars:
            started = started.plus(amount_of(node))
    whole = together.at_least(peak)
    own = amount_of(spec)
    return Amount(
        milli_cpus=own.milli_cpus or whole.milli_cpus,
        memory_bytes=own.memory_bytes or whole.memory_bytes,
        disk_bytes=whole.disk_bytes,
        gpus=whole.gpus,
    )


def limits_of(container: Node) -> tuple[str | None, int | None]:
    """(CPUs as decimal text, bytes of memory) that the container may use at most.

    A limit of CPUs above the request is left out: the machine may have fewer, which a container runtime refuses.
    """
    limit, request = container.at("resources", "limits", "cpu"), container.at("resources", "requests", "cpu")
    milli = quantity.milli_cpus(scaled(limit))
    cpus = None
    if milli and (request is None or milli <= 1000 * -(-quantity.milli_cpus(scaled(request)) // 1000)):
        whole, part = divmod(milli, 1000)
        cpus = f"{whole}.{part:03d}".rstrip("0").rstrip(".")
    memory = quantity.bytes_of(scaled(container.at("resources", "limits", "memory")))
    return cpus, memory or None


def resource_names(container: Node) -> list[tuple[str, Node]]:
    """The names of all resources that a container asks for, each with the place of its name."""
    found: dict[str, Node] = {}
    for part in PARTS:
        for pair in container.pairs_at("resources", part):
            if not is_null(pair.value) and scaled(pair.value):
                found.setdefault(pair.key.text, pair.key)
    return list(found.items())


def gpu_names(pod: Pod) -> tuple[str, ...]:
    """The names by which the pod asks for GPUs."""
    every = (pod.main, *pod.beside)
    asked_for = [name for container in every for name, _ in resource_names(container)]
    named = [name for name in asked_for if name in GPU_ALIASES or part_resource(name) or model_resource(name)]
    return (GPU_RESOURCE, *dict.fromkeys(named))
