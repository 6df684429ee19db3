"""How often a job runs and for how long: completions, restarts, limits, what decides that it is done."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.context import Shape, pair_of
from flowc.ir.job import Array, ExitRule, Retry, Time
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Node

DEFAULT_RESTARTS = 6
FIRST_DELAY_MS = 10_000
LONGEST_MS = {"Never": 360_000, "OnFailure": 300_000}  # the Job controller's, and the node's own
ACTIONS = {"FailJob": "fail", "FailIndex": "fail", "Ignore": "free", "Count": "count"}
_BOUNDED = f"a failing job starts again {DEFAULT_RESTARTS} times at most; `runPolicy.backoffLimit` says another number"
NO_PODS = "`parallelism: 0` starts no pod; the bid is placed paused"


def shape_of(context: Context) -> Shape:
    """How the pods become machines: ranked or equal workers are the machines of one bid, completions an array."""
    job = context.job
    if job.gang is not None:
        context.put("resources.nodes", job.gang.node)
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


def time_of(context: Context) -> Time:
    """`activeDeadlineSeconds` of the job bounds all its attempts, that of the pod each of them."""
    fields: dict[str, Any] = {}
    places = (("limit_s", context.job.job_spec), ("attempt_limit_s", context.job.pod_spec))
    for field, parent in places:
        node = parent.at("activeDeadlineSeconds")
        if node is None:
            continue
        if node.value < 1:
            context.refuse(parent, "activeDeadlineSeconds", "the job would be ended before it starts")
            continue
        fields[field] = node.value
        context.put(f"time.{field}", node)
    return Time(**fields)


def paused(context: Context) -> bool | None:
    """Whether the bid is placed but not to be filled yet. A queue of the cluster suspends a job until it takes it."""
    from flowc._compiled.k8s_gpus import QUEUE_LABELS

    spec = context.job.job_spec
    labels = [pair.key.text for pair in context.job.metadata.pairs_at("labels")]
    if spec.read("suspend"):
        if any(label in QUEUE_LABELS for label in labels):
            note = "a queue of the cluster holds it until its turn; here the bid is placed at once"
            context.gather(codes.CLUSTER_FIELDS, "`suspend` (for the queue)", _key_span(spec, "suspend"))
            context.decide(spec, "suspend", "ignored", note, codes.CLUSTER_FIELDS)
        else:
            context.put("placement.paused", spec.at("suspend"))
            context.decide(spec, "suspend", "lowered", "the bid is placed paused")
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


def retry_of(context: Context) -> Retry:
    spec = context.job.job_spec
    place = _policy_place(context)
    filled_in = "OnFailure" if context.job.kind in ("JobSet", "VolcanoJob") else "Never"  # by its controller
    policy = str(place.value) if place is not None else filled_in
    restarts = _restarts(context)
    fields: dict[str, Any] = {"max_restarts": restarts}
    if restarts:
        fields |= {
            "delay_ms": FIRST_DELAY_MS,
            "delay_factor": "2",
            "max_delay_ms": LONGEST_MS.get(policy, LONGEST_MS["Never"]),
            "keep_scratch": policy in ("OnFailure", "Always"),
        }
    rules = [ExitRule(action="fail", codes=tuple(range(1, 128)))] if policy == "ExitCode" else []
    requeue = None
    for rule in spec.each("podFailurePolicy", "rules"):
        action = str(rule.read("action", default=""))
        codes_node = rule.at("onExitCodes")
        if codes_node is not None:
            found = _exit_rule(action, codes_node, context)
            rules += [found] if found is not None else []
            if found is None:
                context.ledger.decide(pair_of(rule, "action"), "ignored", _BESIDE, quiet=True)
        for condition in rule.each("onPodConditions"):
            if condition.read("type") == "DisruptionTarget" and action in ("Ignore", "FailJob"):
                requeue = action == "Ignore" if requeue is None else requeue
            else:
                note = "no machine reports this condition"
                context.decide(rule, "onPodConditions", "approximated", note)
                if codes_node is None and len(rule.each("onPodConditions")) == 1:
                    context.ledger.decide(pair_of(rule, "action"), "ignored", note, quiet=True)
    if rules:
        fields["exit_rules"] = tuple(rules)
    if requeue is not None:
        fields["requeue"] = requeue
    for name in fields:
        from_policy = name in ("exit_rules", "requeue")
        context.put(f"retry.{name}", spec.at("podFailurePolicy") if from_policy else _restarts_place(context))
        context.put(f"retry.{name}", place)
    return Retry(**fields)


def _policy_place(context: Context) -> Node | None:
    """Where it stands what a failure does; a PyTorchJob says it beside its template."""
    if context.job.kind == "PyTorchJob":
        replicas = context.job.node.at("spec", "pytorchReplicaSpecs")
        for name in ("Master", "Worker"):
            found = replicas.at(name, "restartPolicy") if replicas is not None else None
            if found is not None:
                return found
    return context.job.pod_spec.at("restartPolicy")


def _restarts_place(context: Context) -> Node:
    spec = context.job.job_spec
    for key in ("backoffLimitPerIndex", "backoffLimit", "maxRetry"):
        node = spec.at(key)
        if node is not None:
            return node
    return context.job.pod_spec.at("restartPolicy") or context.job.pod_spec


def _restarts(context: Context) -> int:
    """How often a failed job starts again: a pod of its own never, a Job six times unless it says otherwise."""
    spec, job = context.job.job_spec, context.job
    if job.kind == "Pod":
        if job.pod_spec.read("restartPolicy", default="Always") != "Never":
            note = "a pod of its own is a job that runs once; as a Job it could start again (`backoffLimit`)"
            if pair_of(job.pod_spec, "restartPolicy") is not None:
                context.decide(job.pod_spec, "restartPolicy", "approximated", note)
        return 0
    per_index = spec.at("backoffLimitPerIndex")
    if per_index is not None:
        if context.shape.nodes > 1:
            reason = "the machines of one bid start again together, not one by one"
            context.refuse(spec, "backoffLimitPerIndex", reason, "write `backoffLimit`")
        return int(per_index.value)
    node = spec.at("backoffLimit") or spec.at("maxRetry")
    if node is not None:
        return int(node.value)
    if job.kind in ("Job", "CronJob", "JobSet"):
        context.gather(machine_codes.DEFAULT_RESTARTS, f"{DEFAULT_RESTARTS}", _name_span(context))
        return DEFAULT_RESTARTS
    return 0


def _name_span(context: Context) -> Span:
    job = context.job
    return (job.metadata.at("name") or job.metadata.at("generateName") or job.pod_spec).span


def _exit_rule(action: str, node: Node, context: Context) -> ExitRule | None:
    """A rule for exit codes. One that speaks of a container beside the main one has no say here."""
    name = node.at("containerName")
    mains = [each.read("name") for each in context.job.pod_spec.each("containers")]
    if name is not None and len(mains) > 1 and name.value != mains[0]:
        context.decide(node, "containerName", "approximated", _BESIDE)
        for key in ("operator", "values"):
            context.ledger.decide(pair_of(node, key), "ignored", _BESIDE, quiet=True)
        return None
    values = tuple(int(each.value) for each in node.each("values"))
    return ExitRule(action=ACTIONS.get(action, "count"), codes=values, negate=node.read("operator") == "NotIn")


def workers_end(context: Context) -> str | None:
    """Which machine's end is the job's. A policy that asks for more than the first or all cannot be kept."""
    spec = context.job.job_spec
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


def terminate(context: Context) -> bool | None:
    """A job that is deleted after its end gives its machine back."""
    node = context.job.job_spec.at("ttlSecondsAfterFinished")
    if node is None:
        return None
    context.put("terminate_on_exit", node)
    if node.value:
        note = "the machine shuts down a minute after the job's end, whatever the number, and its logs are gone then"
        context.decide(context.job.job_spec, "ttlSecondsAfterFinished", "approximated", note)
    return True
