"""What the webhook of JobSet checks: names of what it makes, and policies that name its jobs."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import int_at, key_span, text_at
from flowc.frontends.k8s.kinds import parts
from flowc.frontends.k8s.kinds.parts import Pods
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.findings import Findings
    from flowc.frontends.k8s.objects import Part
    from flowc.yamldoc.node import Node

# Why a Job may have failed, to a rule of a failurePolicy.
REASONS = ("BackoffLimitExceeded", "DeadlineExceeded", "FailedIndexes", "MaxFailedIndexesExceeded", "PodFailurePolicy")
LONGEST_RULE = 128
_rule = at_first_use(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?", "fullmatch")
_MADE = "jobs and pods are called after it"
_SUFFIX = "-abcde"  # what the server puts behind the name of a pod


def check(findings: Findings, node: Mapping) -> None:
    """Check the spec of a JobSet, without the Jobs in it."""
    parts = node.each("spec", "replicatedJobs")
    listed = node.at("spec", "replicatedJobs")
    if listed is not None and not parts and listed.what == "list":
        findings.required(listed, "spec.replicatedJobs", "a set without jobs runs nothing")
    seen: dict[str, Node] = {}
    for index, part in enumerate(parts):
        where, name = f"spec.replicatedJobs[{index}]", part.at("name")
        if name is not None and isinstance(name.value, str):
            if name.value in seen:
                findings.duplicate(name, seen[name.value], f"{where}.name")
            seen.setdefault(name.value, name)
            _made_names(findings, node, part, name, where)
        group = part.at("groupName")
        if group is not None and isinstance(group.value, str):
            names.service_name(findings, group, f"{where}.groupName")
        _depends(findings, part, index, seen, where)
    subdomain = node.at("spec", "network", "subdomain")
    if subdomain is not None and isinstance(subdomain.value, str) and subdomain.value:
        names.service_name(findings, subdomain, "spec.network.subdomain")
    if text_at(node, "spec", "startupPolicy", "startupPolicyOrder") == "InOrder":
        for part in parts:
            if part.at("dependsOn") is not None:
                detail = "StartupPolicy and DependsOn APIs are mutually exclusive"
                findings.forbidden(key_span(part, "dependsOn"), "spec.startupPolicy", detail)
                break
    _targets(findings, node.at("spec", "successPolicy"), "spec.successPolicy", seen)
    _failure_rules(findings, node, seen)
    _coordinator(findings, node.at("spec", "coordinator"), parts, seen)


def claims(node: Mapping) -> dict[str, Node]:
    """The volumes that a JobSet gives to all of its pods, by name."""
    found = {}
    for policy in node.each("spec", "volumeClaimPolicies"):
        for template in policy.each("templates"):
            name = template.at("metadata", "name")
            if name is not None and isinstance(name.value, str):
                found[name.value] = name
    return found


def pods(node: Mapping, sink: Sink) -> list[Pods] | None:
    """The pods of a set of several Jobs, that which decides the set first; None after a report that they are not the
    machines of one bid."""
    path, jobs = "spec.replicatedJobs", node.each("spec", "replicatedJobs")
    found, first = list[Pods](), None
    for index, part in enumerate(jobs):
        spec = part.at("template", "spec")
        copies, count = int_at(part, "replicas"), int_at(spec, "parallelism") if spec is not None else None
        each, copies = 1 if count is None else count, 1 if copies is None else copies
        template = spec.at("template") if spec is not None else None
        own = Pods(text_at(part, "name") or "", copies * each, part, template, f"{path}[{index}]")
        own.each = max(each, 1)
        found += [own] if own.count or len(jobs) == 1 else []
        completions = int_at(spec, "completions") if spec is not None else None
        if completions not in (None, each):
            parts.report(own, f"its {completions} completions run {each} at a time", "all of them together", sink)
            return None
        if any(text_at(other, "status") == "Complete" for other in part.each("dependsOn")):
            help = "write a Job for each, and submit it when the one before has ended (`flowc submit --after`)"
            parts.report(own, "it starts when another job is complete", "jobs that run together", sink, help)
            return None
        rest = _without_pods(spec)
        first = rest if first is None else first
        if rest != first:
            where = parts.first_difference(first, rest, "template.spec")
            parts.report(own, f"`{where}` differs", "the same as in the first job", sink)
            return None
    policy = node.at("spec", "successPolicy")
    deciding = [each.value for each in policy.each("targetReplicatedJobs")] if policy is not None else []
    return sorted(found, key=lambda each: each.name not in deciding)


def ending(gang: tuple[Part, ...], context: Context) -> tuple[Node, str] | None:
    """What says that the set is done when its first part is: of its jobs the policy names that one."""
    spec, first = context.job.node.at("spec"), gang[0]
    policy = spec.at("successPolicy") if spec is not None else None
    if spec is None or policy is None:
        return None
    key = "targetReplicatedJobs"
    targets = [each.value for each in policy.each(key)]
    # Of one job that decides all and any are the same.
    if first.name not in targets or len(targets) >= len({each.name for each in gang}):
        if policy.read("operator") == "Any":
            reason = "only that all machines, or one job of the set, decide can be kept"
            help = f"name the one that decides: `targetReplicatedJobs: [{first.name}]`"
            context.refuse(spec, "successPolicy", reason, help)
        return None
    if len(targets) > 1:
        context.refuse(policy, key, "only one job of the set can decide", "name one")
    context.decide(policy, key, "lowered", f"the end of `{first.name}` is the set's")
    return policy, key


def tell(context: Context) -> None:
    """What becomes of what a set says of its Jobs where all their pods are machines of one bid."""
    node = context.job.node
    together = "all machines of a bid start together"
    if text_at(node, "spec", "startupPolicy", "startupPolicyOrder") == "InOrder":
        _told(node.at("spec"), "startupPolicy", together, context)
    for part in node.each("spec", "replicatedJobs"):
        _told(part, "dependsOn", together, context)
    for rule in node.each("spec", "failurePolicy", "rules"):
        _told(rule, "targetReplicatedJobs", "a failure on any of the machines is the set's", context)


def _told(holder: Node | None, key: str, note: str, context: Context) -> None:
    """What is not kept, though nothing is lost of it where a set has one Job."""
    pair = holder.pair(key) if isinstance(holder, Mapping) else None
    if pair is not None:
        context.sink.report(codes.FIELD_IGNORED, pair.key.span, path=pair.path, reason=note)
        context.decide(holder, key, "ignored", note, codes.FIELD_IGNORED)


def _without_pods(spec: Node | None) -> Any:
    said = plain(spec) if spec is not None else {}
    kept = said if isinstance(said, dict) else {}
    return {key: kept[key] for key in kept if key not in ("parallelism", "completions", "completionMode", "template")}


def _made_names(findings: Findings, node: Mapping, part: Node, name: Node, path: str) -> None:
    """A Job is called SET-NAME-INDEX, and its pods after it: names of hosts, as services have them."""
    prefix = text_at(node, "metadata", "name")
    prefix = prefix if prefix is not None else (text_at(node, "metadata", "generateName") or "") + _SUFFIX[1:]
    replicas = int_at(part, "replicas")
    job = f"{prefix}-{name.value}-{(1 if replicas is None else replicas) - 1}"
    completions = int_at(part, "template", "spec", "completions")
    pod = job if completions is None else f"{job}-{completions - 1}{_SUFFIX}"
    if not names.is_service_name(job):
        findings.invalid(name, f"{path}.name", f"its Job would be called `{job}`: must be {names.IN_SERVICE}", _MADE)
    elif len(pod) > names.LABEL_LENGTH:
        what = "its Job" if len(job) > names.LABEL_LENGTH else "its pods"
        detail = f"{what} would have names of more than {names.LABEL_LENGTH} characters, such as `{pod}`"
        findings.invalid(name, f"{path}.name", detail, _MADE)


def _depends(findings: Findings, part: Node, index: int, before: dict[str, Node], path: str) -> None:
    if index == 0 and part.at("dependsOn") is not None:
        findings.forbidden(key_span(part, "dependsOn"), f"{path}.dependsOn", "can't be set for the first ReplicatedJob")
        return
    for at, each in enumerate(part.each("dependsOn")):
        name = each.at("name")
        if name is not None and isinstance(name.value, str) and name.value not in before:
            _unknown(findings, name, f"{path}.dependsOn[{at}].name", before)


def _unknown(findings: Findings, name: Node, path: str, known: dict[str, Node]) -> None:
    findings.unsupported(name, path, list(known) or ("a replicated job before it",))


def _targets(findings: Findings, policy: Node | None, path: str, known: dict[str, Node]) -> None:
    for index, each in enumerate(policy.each("targetReplicatedJobs") if policy is not None else ()):
        if isinstance(each.value, str) and each.value not in known:
            _unknown(findings, each, f"{path}.targetReplicatedJobs[{index}]", known)


def _failure_rules(findings: Findings, node: Mapping, known: dict[str, Node]) -> None:
    seen: dict[str, Node] = {}
    for index, rule in enumerate(node.each("spec", "failurePolicy", "rules")):
        where, name = f"spec.failurePolicy.rules[{index}]", rule.at("name")
        if name is not None and isinstance(name.value, str) and name.value:
            if len(name.value) > LONGEST_RULE:
                findings.too_long(name, f"{where}.name", LONGEST_RULE)
            elif _rule(name.value) is None:
                findings.form(name, f"{where}.name", "a letter, then letters, digits, `_`, `,` and `:`")
            elif name.value in seen:
                findings.duplicate(name, seen[name.value], f"{where}.name")
            seen.setdefault(name.value, name)
        _targets(findings, rule, where, known)
        for at, reason in enumerate(rule.each("onJobFailureReasons")):
            if isinstance(reason.value, str) and reason.value not in REASONS:
                findings.unsupported(reason, f"{where}.onJobFailureReasons[{at}]", REASONS)


def _coordinator(findings: Findings, policy: Node | None, parts: list[Node], known: dict[str, Node]) -> None:
    name = policy.at("replicatedJob") if policy is not None else None
    if policy is None or name is None or not isinstance(name.value, str):
        return
    part = next((each for each in parts if text_at(each, "name") == name.value), None)
    if part is None:
        _unknown(findings, name, "spec.coordinator.replicatedJob", known)
        return
    spec = part.at("template", "spec")
    completions = int_at(spec, "completions") if spec is not None else None
    if completions is None or (spec is not None and text_at(spec, "completionMode") == "NonIndexed"):
        detail = "its job must be indexed, with a number of completions"
        findings.invalid(name, "spec.coordinator.replicatedJob", detail)
        return
    replicas = int_at(part, "replicas")
    for key, count in (("jobIndex", 1 if replicas is None else replicas), ("podIndex", completions)):
        place = policy.at(key)
        if place is not None and not 0 <= (int_at(place) or 0) < count:
            findings.bounds(place, f"spec.coordinator.{key}", f"below {count}")
