"""How the pods of a job become machines, and what decides that the job is done."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.context import Shape, pair_of
from flowc.frontends.k8s.kinds import mpi, ray, sets, tensorflow, volcano
from flowc.frontends.k8s.kinds.known import ROLES
from flowc.ir.job import Array
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.objects import Part
    from flowc.yamldoc.node import Node

NO_PODS = "`parallelism: 0` starts no pod; the bid is placed paused"


def shape_of(context: Context) -> Shape:
    """How the pods become machines: ranked or equal workers are the machines of one bid, completions an array."""
    job = context.job
    if job.gang is not None:
        context.put("resources.nodes", job.gang.node)
        if not job.gang.nodes:
            _nothing(job.gang.holder, "replicas", context)
        return Shape(max(job.gang.nodes, 1))
    spec = job.job_spec
    completions, parallelism = spec.at("completions"), spec.at("parallelism")
    indexed = spec.read("completionMode", default="Indexed" if job.kind == "JobSet" else None) == "Indexed"
    wanted = completions.value if completions is not None else None
    at_once = parallelism.value if parallelism is not None else 1
    if wanted is None:
        context.put("resources.nodes", parallelism)
        if at_once > 1:
            note = "the machines of one bid, which start together; the job is done when all of them have ended well"
            context.gather(machine_codes.PODS_AS_MACHINES, f"{at_once} pods are {note}", _key_span(spec, "parallelism"))
            context.decide(spec, "parallelism", "approximated", note, machine_codes.PODS_AS_MACHINES)
        return Shape(max(at_once, 1))
    if wanted == 0:
        _nothing(spec, "completions", context)
    if wanted <= 1:
        return Shape(indexed=indexed)
    if indexed and at_once >= wanted:
        context.put("resources.nodes", completions)
        return Shape(wanted, indexed=True)
    context.put("array", completions)
    what = "tasks" if indexed else "equal tasks"
    note = f"{wanted} {what}, each a bid of its own" + (f", {at_once} at once" if 0 < at_once < wanted else "")
    context.gather(machine_codes.PODS_AS_MACHINES, note, _key_span(spec, "completions"))
    context.decide(spec, "completions", "approximated", note, machine_codes.PODS_AS_MACHINES)
    return Shape(tasks=wanted, indexed=indexed)


def _nothing(parent: Node, key: str, context: Context) -> None:
    """A number of pods that is 0: a bid would pay for machines on which nothing runs."""
    key, what = (
        (key, "it starts no pod")
        if pair_of(parent, key) is not None
        else ("template", f"without `{key}` it has no pod")
    )
    context.refuse(parent, key, f"{what}, so nothing would run", f"write `{key}`, 1 or more")


def _key_span(parent: Node, key: str) -> Span:
    pair = pair_of(parent, key)
    assert pair is not None
    return pair.key.span


def array_of(context: Context) -> Array | None:
    shape, at_once = context.shape, context.job.job_spec.at("parallelism")
    if shape.tasks is None:
        return None
    pair = pair_of(context.job.job_spec, "parallelism")
    if pair is not None and at_once is not None:
        context.origins["array.max_concurrent"] = Span(at_once.source, pair.key.start, at_once.end)
    most = at_once.value if at_once is not None else 1
    index = "JOB_COMPLETION_INDEX" if shape.indexed else None
    return Array(
        indices=tuple(range(shape.tasks)), max_concurrent=most if 0 < most < shape.tasks else None, index_env=index
    )


def paused(context: Context) -> bool | None:
    """Whether the bid is placed but not to be filled yet. A queue of the cluster suspends a job until it takes it."""
    from flowc._compiled.k8s_gpus import QUEUE_LABELS

    job = context.job
    spec = owner = job.job_spec
    if job.kind == "JobSet":
        owner = job.node.at("spec")  # type: ignore[assignment]  # checked: it is a mapping
        context.decide(spec, "suspend", "ignored", "the JobSet's own `suspend` holds")
    labels = [pair.key.text for pair in job.metadata.pairs_at("labels")]
    if owner.read("suspend"):
        if any(label in QUEUE_LABELS for label in labels):
            note = "a queue of the cluster holds it until its turn; here the bid is placed at once"
            context.gather(codes.CLUSTER_FIELDS, "`suspend` (for the queue)", _key_span(owner, "suspend"))
            context.decide(owner, "suspend", "ignored", note, codes.CLUSTER_FIELDS)
        else:
            context.put("placement.paused", owner.at("suspend"))
            context.decide(owner, "suspend", "lowered", "the bid is placed paused")
            return True
    if spec.read("parallelism") == 0:
        context.put("placement.paused", spec.at("parallelism"))
        context.decide(spec, "parallelism", "approximated", NO_PODS)
        return True
    if context.job.pod_spec.each("schedulingGates"):
        context.put("placement.paused", context.job.pod_spec.at("schedulingGates"))
        return True
    return None


_BESIDE = "only the main container's exit code counts"


def workers_end(context: Context) -> str | None:
    """Which machine's end is the job's. A policy that asks for more than the first or all cannot be kept."""
    spec = context.job.job_spec
    if context.job.kind in ("PyTorchJob", "XGBoostJob"):
        return _master_ends(context)
    if context.job.gang is not None and context.job.gang.parts:
        return _part_ends(context.job.gang.parts, context)
    rules = spec.at("successPolicy")
    if rules is None:
        return None
    if context.shape.nodes == 1 and context.shape.tasks is None:
        return None
    first = [each.read("succeededIndexes") for each in rules.each("rules")]
    if context.shape.tasks is None and first == ["0"]:
        context.put("workers_end", rules)
        return "first"
    reason = 'only that all machines, or index 0 alone (`succeededIndexes: "0"`), decide can be kept'
    context.refuse(spec, "successPolicy", reason)
    return None


def _master_ends(context: Context) -> str | None:
    """A PyTorchJob or XGBoostJob is done when its master is; workers are stopped then if `cleanPodPolicy` says so."""
    clean = context.job.job_spec.at("cleanPodPolicy")
    master = context.job.node.at("spec", ROLES[context.job.kind][0], "Master")
    stops = clean is not None and clean.value in ("Running", "All")
    if not stops or context.shape.nodes == 1 or master is None:
        return None
    context.put("workers_end", clean)
    context.decide(context.job.job_spec, "cleanPodPolicy", "lowered", "the master's end is the job's")
    return "first"


# Of kinds whose pods may differ: the key that lets the end of the first of them be the job's.
_ENDS = {
    "MPIJob": mpi.ending,
    "RayJob": ray.ending,
    "VolcanoJob": volcano.ending,
    "TFJob": tensorflow.ending,
    "JobSet": sets.ending,
}


def _part_ends(gang: tuple[Part, ...], context: Context) -> str | None:
    """Of a job with several parts: whether it is done when its first machine is."""
    found = _ENDS[context.job.kind](gang, context) if context.job.kind in _ENDS else None
    if found is None:
        return None
    (holder, key), first = found, gang[0]
    context.put("workers_end", holder.at(key) or holder)
    if first.count > 1:
        note = f"the end of the first of the {first.count} machines of `{first.name}` is the job's"
        context.decide(holder, key, "approximated", note)
    return "first"


def terminate(context: Context) -> bool | None:
    """A job that is deleted after its end gives its machine back."""
    spec = context.job.job_spec
    holders = [spec, context.job.node.at("spec")] if context.job.kind == "JobSet" else [spec]
    places = [(holder, node) for holder in holders if (node := holder and holder.at("ttlSecondsAfterFinished"))]
    ends = spec.at("shutdownAfterJobFinishes") if context.job.kind == "RayJob" else None
    if ends is not None and ends.value and not places:
        context.put("terminate_on_exit", ends)
        return True
    note = "the machine shuts down a minute after the job's end, whatever the number, and its logs are gone then"
    for holder, node in places:
        context.put("terminate_on_exit", node)
        if node.value:
            context.decide(holder, "ttlSecondsAfterFinished", "approximated", note)
    return True if places else None
