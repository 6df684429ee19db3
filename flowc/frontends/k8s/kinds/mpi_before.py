"""An MPIJob of the operator's first version, which says one template and how many GPUs, or workers, there are: launcher
and workers as later versions say them.

The document stays as it is: the MPIJob of today is made of its nodes.
"""

from __future__ import annotations

from flowc.frontends.k8s.findings import int_at, text_at
from flowc.frontends.k8s.kinds import mpi
from flowc.frontends.k8s.kinds.made import Made, listed, put, text, without
from flowc.frontends.k8s.machine import needs
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Pair

VERSION = "kubeflow.org/v1alpha1"
GPU, CPU = "nvidia.com/gpu", "cpu"
EACH = 8  # of a node, where nothing is said: with this the operator was installed
# How many processes there are in all, and of a node: the names of before, and those after them.
_TOTALS = (("gpus", "gpusPerNode"), ("processingUnits", "processingUnitsPerNode"))
_OWN = frozenset(("replicas", "template", "processingResourceType", *(key for keys in _TOTALS for key in keys)))


class _Workers:
    """How many there are, and of what each has so much as a limit; `said` is where."""

    __slots__ = ("count", "said", "units", "what")

    def __init__(self, count: int, units: int | None, what: str, said: Pair) -> None:
        self.count = count
        self.units = units
        self.what = what
        self.said = said


def check(findings: Findings, node: Mapping) -> None:
    """Check what says how many workers there are."""
    spec = node.at("spec")
    if not isinstance(spec, Mapping):
        return
    given = [key for key in ("gpus", "processingUnits", "replicas") if spec.at(key) is not None]
    if not given:
        findings.required(
            spec, "spec.replicas", "say how many workers there are: `replicas`, `gpus` or `processingUnits`"
        )
    for key in given[1:]:
        found = spec.at(key)
        assert found is not None
        findings.invalid(found, f"spec.{key}", f"must not be used with spec.{given[0]}")
    for key, per_node in _TOTALS:
        total, found = int_at(spec, key), spec.at(key)
        each = int_at(spec, per_node) or EACH
        if found is not None and total is not None and total > each and total % each:
            findings.invalid(found, f"spec.{key}", f"must be a multiple of {each}, those of a node")


def today(node: Mapping) -> Made | None:
    """The MPIJob as later versions say it; None where a part is missing, which was reported."""
    spec, template = node.at("spec"), node.at("spec", "template")
    pod = template.at("spec") if template is not None else None
    containers = pod.each("containers") if pod is not None else []
    first = containers[0] if containers else None
    if not (isinstance(spec, Mapping) and isinstance(template, Mapping) and isinstance(pod, Mapping)):
        return None
    workers = _workers(spec)
    if not isinstance(first, Mapping) or workers is None:
        return None

    def made(container: Mapping) -> Mapping:
        return put(template, "spec", put(pod, "containers", listed([container, *containers[1:]], pod)))

    roles = Mapping(spec.source, spec.start, spec.end, [])
    launcher, worker = (Mapping(spec.source, spec.start, spec.end, []) for _ in range(2))
    policy, own = pod.pair("restartPolicy"), text_at(pod, "restartPolicy")
    launcher = put(launcher, "restartPolicy", text("Never" if own == "Never" else "OnFailure", pod), policy)
    launcher = put(launcher, "template", made(without(first, "resources")), spec.pair("template"))
    number = text(str(workers.count), workers.said.value, workers.count)
    worker = put(worker, "replicas", number, workers.said)
    worker = put(worker, "template", made(_working(first, workers)), spec.pair("template"))
    roles = put(put(roles, "Launcher", launcher), "Worker", worker)
    found = put(without(spec, *_OWN), "mpiReplicaSpecs", roles)
    slots = workers.units if workers.units is not None else needs.gpus_of(first)
    if spec.at("slotsPerWorker") is None and slots:
        found = put(found, "slotsPerWorker", text(str(slots), workers.said.value, slots), workers.said)
    found = put(node, "spec", found)
    found = put(found, "apiVersion", text(mpi.ALPHA, node))
    return Made(kind="MPIJob", node=found, written=(node,))


def _workers(spec: Mapping) -> _Workers | None:
    what = CPU if text_at(spec, "processingResourceType") == CPU else GPU
    for key, per_node in _TOTALS:
        pair, total = spec.pair(key), int_at(spec, key)
        if pair is not None and total is not None:
            each = int_at(spec, per_node) or EACH
            units = min(total, each)
            return _Workers(total // units, units, GPU if key == "gpus" else what, pair)
    pair, count = spec.pair("replicas"), int_at(spec, "replicas")
    return _Workers(count, None, what, pair) if pair is not None and count is not None else None


def _working(container: Mapping, workers: _Workers) -> Mapping:
    """A worker's container: it starts what the launcher asks it for, with the GPUs of a node."""
    found = without(container, "command", "args")
    if workers.units is None:
        return found
    resources = container.at("resources")
    resources = resources if isinstance(resources, Mapping) else Mapping(found.source, found.start, found.start, [])
    limits = resources.at("limits")
    limits = limits if isinstance(limits, Mapping) else Mapping(found.source, found.start, found.start, [])
    amount = text(str(workers.units), workers.said.value, workers.units)
    limits = put(limits, workers.what, amount, workers.said)
    return put(found, "resources", put(resources, "limits", limits, resources.pair("limits") or workers.said))
