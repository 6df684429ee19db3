"""When a failed job starts again, and how often: each kind as its own controller has it."""

from __future__ import annotations

from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.context import pair_of
from flowc.frontends.k8s.kinds import mpi
from flowc.frontends.k8s.kinds.known import ROLES
from flowc.ir.job import WITHOUT_LIMIT, ExitRule, Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping, Node

DEFAULT_LIMIT = 6  # backoffLimit of a Job
DEFAULT_RETRIES = 3  # maxRetry of Volcano, which takes 0 for nothing said
FIRST_DELAY_MS = 10_000
LONGEST_MS = {"Never": 360_000, "OnFailure": 300_000}  # the Job controller's, and the node's own
ACTIONS = {"FailJob": "fail", "FailIndex": "fail", "Ignore": "free", "Count": "count"}
IN_PLACE = ("OnFailure", "Always")  # the node starts the container again, in the same pod
# What a kind's controller, or the API server after it, fills in where nothing is said.
FILLED_IN = {"JobSet": "OnFailure", "PyTorchJob": "OnFailure", "VolcanoJob": "Always", "Pod": "Always"}
# Volcano's actions by which something of a job starts again, and the events that a failure of a pod is.
_RESTARTS = ("RestartJob", "RestartTask", "RestartPod", "RestartPartition")
_ENDS = ("AbortJob", "TerminateJob", "CompleteJob")
_FAILURES = ("PodFailed", "*")
_TAKEN_AWAY = ("PodEvicted", "*")
_BESIDE = "only the main container's exit code counts"


def retry_of(main: Mapping, context: Context) -> Retry:
    """How often and after which exit codes the job starts again. What its main container says wins over its pod."""
    place = _policy_place(context)
    policy = str(place.value) if place is not None else FILLED_IN.get(context.job.kind, "Never")
    if place is None and context.job.kind == "MPIJob" and mpi.is_v2(context.job.node):
        policy = "OnFailure"
    of_pod = policy
    own = main.at("restartPolicy")
    if own is not None:
        place, policy = own, str(own.value)
    rules = [ExitRule(action="fail", codes=tuple(range(1, 128)))] if policy == "ExitCode" else []
    requeue = None
    again = [_container_rule(each, of_pod) for each in main.each("restartPolicyRules")]
    if own is not None and policy in IN_PLACE and of_pod not in IN_PLACE and context.job.kind != "Pod":
        restarts = WITHOUT_LIMIT  # the pod never fails, so nobody counts
        note = "the container starts again by itself, so no pod fails"
        for key in ("backoffLimit", "maxRetry"):
            context.decide(context.job.job_spec, key, "ignored", note)
    elif context.job.kind == "VolcanoJob":
        volcano = _Volcano(policy, context)
        rules, requeue, restarts = volcano.rules, volcano.requeue, volcano.restarts
    else:
        restarts = _restarts(policy, context)
    _decide_set(context)
    if restarts >= WITHOUT_LIMIT:
        _tell_no_limit(place, context)
    if policy == "Always" and place is not None and context.job.kind != "Pod":
        _decide(place, "a failed run starts again; one that ends well ends the job", context)
    fields: dict[str, Any] = {"max_restarts": restarts}
    if restarts:
        fields |= {
            "delay_ms": FIRST_DELAY_MS,
            "delay_factor": "2",
            "max_delay_ms": LONGEST_MS.get(policy, LONGEST_MS["Never"]),
            "keep_scratch": policy in IN_PLACE,
        }
    for rule in context.job.job_spec.each("podFailurePolicy", "rules"):
        action = str(rule.read("action", default=""))
        codes_node = rule.at("onExitCodes")
        if codes_node is not None:
            found = _exit_rule(_in_set(action, rule, restarts, context), codes_node, context)
            rules += [found] if found is not None else []
            if found is None:
                context.ledger.decide(pair_of(rule, "action"), "ignored", _BESIDE, quiet=True)
        requeue = _conditions(rule, action, requeue, context)
    rules = [*again, *rules]
    if rules:
        fields["exit_rules"] = tuple(rules)
    if requeue is not None:
        fields["requeue"] = requeue
    for name in fields:
        from_policy = name in ("exit_rules", "requeue")
        failures = context.job.job_spec.at("podFailurePolicy") or context.job.job_spec.at("policies")
        context.put(f"retry.{name}", failures if from_policy else _restarts_place(context))
        context.put(f"retry.{name}", place)
    return Retry(**fields)


def _conditions(rule: Node, action: str, requeue: bool | None, context: Context) -> bool | None:
    """Whether a machine that is taken away counts, as a rule says it; `requeue` is what one before it says."""
    for condition in rule.each("onPodConditions"):
        if condition.read("type") == "DisruptionTarget" and action in ("Ignore", "FailJob"):
            requeue = action == "Ignore" if requeue is None else requeue
        else:
            note = "no machine reports this condition"
            context.decide(rule, "onPodConditions", "approximated", note)
            if rule.at("onExitCodes") is None and len(rule.each("onPodConditions")) == 1:
                context.ledger.decide(pair_of(rule, "action"), "ignored", note, quiet=True)
    return requeue


def _in_set(action: str, rule: Node, restarts: int, context: Context) -> str:
    """What a rule's action is in a JobSet, which makes a Job anew that a policy has failed."""
    again = set_restarts("PodFailurePolicy", context)
    if action != "FailJob" or not again:
        return action
    if restarts == again:  # each Job of the set has one run
        return "Count"
    context.decide(rule, "action", "approximated", "it ends the JobSet too, which would make its Job anew")
    return action


def _policy_place(context: Context) -> Node | None:
    """Where it stands what a failure does; jobs of the training operator say it beside their templates, and nowhere
    else."""
    if context.job.kind == "RayJob":
        note = "the RayJob's `backoffLimit` says how often its cluster starts again"
        context.ledger.decide(pair_of(context.job.pod_spec, "restartPolicy"), "ignored", note, quiet=True)
        return None
    if context.job.kind in ROLES:
        key, names = ROLES[context.job.kind]
        names = names[:1] if context.job.kind == "MPIJob" else names  # the launcher's end is the job's
        replicas = context.job.node.at("spec", key)
        for name in names:
            found = replicas.at(name, "restartPolicy") if replicas is not None else None
            if found is not None:
                return found
        note = "the operator puts the replica's own `restartPolicy` in its place"
        context.decide(context.job.pod_spec, "restartPolicy", "ignored", note)
        return None
    return context.job.pod_spec.at("restartPolicy")


def _decide(place: Node, note: str, context: Context) -> None:
    """What became of the policy at `place`."""
    key = ROLES[context.job.kind][0] if context.job.kind in ROLES else ""
    replicas = context.job.node.at("spec", key)
    parts = [each.value for each in replicas.pairs_at()] if replicas is not None else []
    holders = [context.job.pod_spec, *context.job.pod_spec.each("containers"), *parts]
    for holder in holders:
        if holder.at("restartPolicy") is place:
            context.decide(holder, "restartPolicy", "approximated", note)


def _restarts_place(context: Context) -> Node:
    spec = context.job.job_spec
    for key in ("backoffLimitPerIndex", "backoffLimit", "maxRetry"):
        node = spec.at(key)
        if node is not None:
            return node
    return context.job.pod_spec.at("restartPolicy") or context.job.pod_spec


def _restarts(policy: str, context: Context) -> int:
    """How often a failed job starts again."""
    spec, job = context.job.job_spec, context.job
    if job.kind == "Pod":
        if policy != "Never":
            note = "a pod of its own is a job that runs once; as a Job it could start again (`backoffLimit`)"
            if pair_of(job.pod_spec, "restartPolicy") is not None:
                context.decide(job.pod_spec, "restartPolicy", "approximated", note)
        return 0
    per_index, limit = spec.at("backoffLimitPerIndex"), spec.at("backoffLimit")
    if job.kind in ROLES and not mpi.is_v2(job.node):
        if policy == "Never":
            note = "a replica that may not start again ends the job when it fails"
            context.decide(spec, "backoffLimit", "ignored", note)
            return 0
        return WITHOUT_LIMIT if limit is None else _runs(policy, int(limit.value)) - 1
    if per_index is not None:
        if context.shape.nodes > 1:
            reason = "the machines of one bid start again together, not one by one"
            context.refuse(spec, "backoffLimitPerIndex", reason, "write `backoffLimit`")
        return int(per_index.value)
    if limit is None and job.kind == "RayJob":
        return 0
    if limit is None:
        runs = _runs(policy, DEFAULT_LIMIT)
        context.gather(machine_codes.DEFAULT_RESTARTS, f"{runs - 1}", _name_span(context))
    else:
        runs = _runs(policy, int(limit.value))
        if context.shape.tasks is not None and limit.value:
            note = "each task counts its own failures, not those of all together"
            context.decide(spec, "backoffLimit", "approximated", note)
    return min(runs * (set_restarts("BackoffLimitExceeded", context) + 1) - 1, WITHOUT_LIMIT)


def one_run(context: Context) -> bool:
    """Whether the first failure of a Job is its end."""
    limit = context.job.job_spec.at("backoffLimit")
    policy = context.job.pod_spec.read("restartPolicy", default=FILLED_IN.get(context.job.kind, "Never"))
    return limit is not None and _runs(str(policy), int(limit.value)) == 1


def _runs(policy: str, limit: int) -> int:
    """How many runs get to their end under a `backoffLimit`. The Job controller counts failed pods, of which there may
    be one more than the limit. Where the node starts the container again it counts restarts, and ends the job as the
    last of them begins; 0 it takes for "none"."""
    return max(limit, 1) if policy in IN_PLACE else limit + 1


def set_restarts(reason: str, context: Context) -> int:
    """How often a JobSet makes a Job anew that has failed for `reason`: its first rule that fits decides, without one
    `maxRestarts`."""
    if context.job.kind != "JobSet":
        return 0
    policy = context.job.node.at("spec", "failurePolicy")
    most = policy.at("maxRestarts") if policy is not None else None
    context.put("retry.max_restarts", most)
    limit = max(int(most.value), 0) if most is not None else 0
    rule = _set_rule(reason, context)
    action = str(rule.read("action", default="")) if rule is not None else ""
    if action == "FailJobSet":
        return 0
    return WITHOUT_LIMIT if action.endswith("IgnoreMaxRestarts") else limit


def _set_rule(reason: str, context: Context) -> Node | None:
    """The rule of a JobSet's failurePolicy for a Job that has failed for `reason`."""
    policy = context.job.node.at("spec", "failurePolicy")
    name = context.job.node.read("spec", "replicatedJobs", 0, "name")
    for rule in policy.each("rules") if policy is not None else ():
        targets = [each.value for each in rule.each("targetReplicatedJobs")]
        reasons = [each.value for each in rule.each("onJobFailureReasons")]
        passed_over = rule.each("onJobFailureMessagePatterns") or (targets and name not in targets)
        if not passed_over and (not reasons or reason in reasons):
            return rule
    return None


def _decide_set(context: Context) -> None:
    """What became of a JobSet's rules: those that no failure of this Job comes to are told."""
    policy, spec = context.job.node.at("spec", "failurePolicy"), context.job.job_spec
    if context.job.kind != "JobSet" or policy is None:
        return
    reasons = ["BackoffLimitExceeded"]
    reasons += ["DeadlineExceeded"] if spec.at("activeDeadlineSeconds") is not None else []
    actions = [rule.read("action") for rule in spec.each("podFailurePolicy", "rules")]
    reasons += ["PodFailurePolicy"] if "FailJob" in actions else []
    used = [_set_rule(reason, context) for reason in reasons]
    for rule in policy.each("rules"):
        if not any(rule is each for each in used):
            for key in ("action", "onJobFailureReasons"):
                context.decide(rule, key, "ignored", "no failure of this job comes to it")
    decided = [str(rule.read("action", default="")) for rule in used if rule is not None]
    if len(decided) == len(used) and not any(each in ("RestartJob", "RestartJobSet") for each in decided):
        context.decide(policy, "maxRestarts", "ignored", "the rules decide without it")


def _tell_no_limit(place: Node | None, context: Context) -> None:
    rule = _set_rule("BackoffLimitExceeded", context) if context.job.kind == "JobSet" else None
    action = rule.at("action") if rule is not None else None
    if action is not None:
        place, what = action, f"`action: {action.value}`"
    elif place is not None:
        what = f"`restartPolicy: {place.value}`"
    else:
        what = f"a {context.job.kind.removesuffix('Job') or 'Job'} job without `restartPolicy`"
        what = "a PyTorchJob without `restartPolicy`" if context.job.kind == "PyTorchJob" else what
    context.gather(machine_codes.RESTARTS_WITHOUT_LIMIT, what, place.span if place is not None else _name_span(context))


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


def _container_rule(rule: Node, of_pod: str) -> ExitRule:
    """An exit code after which the container starts again in its pod. A Job may count restarts, and then these too."""
    codes = rule.at("exitCodes")
    values = tuple(int(each.value) for each in codes.each("values")) if codes is not None else ()
    negate = codes is not None and codes.read("operator") == "NotIn"
    return ExitRule(action="count" if of_pod in IN_PLACE else "free", codes=values, negate=negate)


class _Volcano:
    """What the policies of a job of Volcano make of a failed pod: a task's own come before the job's, and of each list
    the first that fits. A restart that they ask for counts against `maxRetry`, and the last that is allowed no longer
    begins. Without one, only a container that its node starts again (`OnFailure`) runs more than once."""

    __slots__ = ("requeue", "restarts", "rules")

    def __init__(self, policy: str, context: Context) -> None:
        spec = context.job.job_spec
        self.rules: list[ExitRule] = []
        self.requeue: bool | None = None
        most = spec.at("maxRetry")
        retries = int(most.value) if most is not None and most.value else DEFAULT_RETRIES
        failed: str | None = None
        for task in spec.each("tasks")[:1]:
            failed = self._take(task, failed, context)
        failed = self._take(spec, failed, context)
        again = failed in _RESTARTS or any(rule.action == "count" for rule in self.rules)
        if policy in IN_PLACE:
            # The pod does not fail: its node starts the container again, so no policy for failed pods is ever asked.
            self.restarts = WITHOUT_LIMIT
            self.rules = []
            note = f"with `restartPolicy: {policy}` containers start again by themselves, so no pod fails"
            context.decide(spec, "maxRetry", "ignored", note)
            return
        self.restarts = retries - 1 if again else 0
        if again and failed not in _RESTARTS:
            rest = tuple(code for rule in self.rules for code in rule.codes)
            self.rules.append(ExitRule(action="fail", codes=rest, negate=True))
        if not again:
            self.rules = []
            context.decide(spec, "maxRetry", "ignored", "no policy restarts the job")

    def _take(self, holder: Node, failed: str | None, context: Context) -> str | None:
        """What the policies of a task or of the job say, `failed` being what one before them says of any failure."""
        for each in holder.each("policies"):
            action = str(each.read("action", default=""))
            events = [str(event.value) for event in each.each("events")]
            event = each.at("event")
            events += [str(event.value)] if event is not None else []
            code = each.at("exitCode")
            if action not in (*_RESTARTS, *_ENDS):
                continue
            if failed is None and code is not None and isinstance(code.value, int):
                kind = "count" if action in _RESTARTS else "fail"
                self.rules.append(ExitRule(action=kind, codes=(code.value,)))
            if failed is None and any(event in _FAILURES for event in events):
                failed = action
            if self.requeue is None and any(event in _TAKEN_AWAY for event in events):
                self.requeue = action in _RESTARTS
        return failed
