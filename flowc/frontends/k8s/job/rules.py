"""The API server's rules for a JobSpec, beyond the types of its fields."""

from __future__ import annotations

from flowc.diag.codes.k8s import fields as codes
from flowc.frontends.k8s.findings import given, int_at, place, text_at
from flowc.frontends.k8s.names import IN_LABEL, LABEL_LENGTH, is_label, is_subdomain
from flowc.frontends.k8s.pod import selectors
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, misspelt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

MOST_INDEXES = 100_000
MOST_FAILED_INDEXES = 10_000
MOST_RULES = 20
MOST_EXIT_CODES = 255
_TRUTHS = ("True", "False", "Unknown")
# What other systems call conditions of a pod; the ones that a Job's rules can wait for are free words with this form.
_condition = at_first_use(r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?", "fullmatch")
_indexes = at_first_use(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", "fullmatch")


def check(findings: Findings, spec: Mapping, path: str, name: Node | None, *, of_set: bool = False) -> None:
    """Check a JobSpec at `path` (`spec`, `spec.jobTemplate.spec`); `name` is the Job's. `of_set`: it stands in a
    JobSet, which fills in restartPolicy, completionMode and completions."""
    mode = text_at(spec, "completionMode")
    indexed = mode == "Indexed" or (of_set and mode is None)
    _restart_policy(findings, spec, path, of_set)
    selectors.of_job(findings, spec, path, in_cron_job=path == "spec.jobTemplate.spec")
    if indexed and not (of_set and spec.at("completions") is None):
        _indexed(findings, spec, path, name)
    _per_index(findings, spec, path, indexed)
    _failure_policy(findings, spec, path)
    _success_policy(findings, spec, path, indexed)
    manager = spec.at("managedBy")
    if manager is not None and isinstance(manager.value, str):
        prefix, slash, rest = manager.value.partition("/")
        if not slash or not rest or not is_subdomain(prefix):
            findings.form(manager, f"{path}.managedBy", "`domain/name`")
        elif len(manager.value) > LABEL_LENGTH:
            findings.too_long(manager, f"{path}.managedBy", LABEL_LENGTH)


def _restart_policy(findings: Findings, spec: Mapping, path: str, of_set: bool) -> None:
    pod = spec.at("template", "spec")
    if not isinstance(pod, Mapping):
        return
    node, where = pod.at("restartPolicy"), f"{path}.template.spec.restartPolicy"
    if node is None and not of_set and not misspelt(pod, "restartPolicy"):
        help = "add `restartPolicy: Never` to the pod's spec, beside `containers`"
        findings.sink.report(codes.RESTART_POLICY_REQUIRED, place(pod), help=help, path=where)
    elif node is not None and node.value == "Always":
        findings.unsupported(node, where, ("OnFailure", "Never"), "a Job ends, so its pods cannot start again always")


def _indexed(findings: Findings, spec: Mapping, path: str, name: Node | None) -> None:
    completions = int_at(spec, "completions")
    if completions is None:
        if spec.at("completions") is None:
            help = "write `completions`, the number of indexes"
            findings.required(spec, f"{path}.completions", help)
        return
    parallelism = spec.at("parallelism")
    if parallelism is not None and (int_at(spec, "parallelism") or 0) > MOST_INDEXES:
        detail = f"must be less than or equal to {MOST_INDEXES} when completion mode is Indexed"
        findings.invalid(parallelism, f"{path}.parallelism", detail)
    if name is not None and isinstance(name.value, str) and completions > 0:
        longest = f"{name.value}-{completions - 1}"
        if not is_label(longest) and len(name.value) <= LABEL_LENGTH:
            detail = f"the pod's name `{longest}` must be {IN_LABEL}, at most {LABEL_LENGTH} of them"
            findings.invalid(name, "metadata.name", detail)


def _per_index(findings: Findings, spec: Mapping, path: str, indexed: bool) -> None:
    limit, most_failed = spec.at("backoffLimitPerIndex"), spec.at("maxFailedIndexes")
    completions = int_at(spec, "completions")
    if limit is not None:
        where = f"{path}.backoffLimitPerIndex"
        if not indexed:
            findings.invalid(limit, where, "requires indexed completion mode", "add `completionMode: Indexed`")
        policy = spec.at("template", "spec", "restartPolicy")
        if policy is not None and policy.value == "OnFailure":
            detail = "only `Never` is supported when backoffLimitPerIndex is specified"
            findings.invalid(policy, f"{path}.template.spec.restartPolicy", detail)
        if (completions or 0) > MOST_INDEXES and most_failed is None:
            findings.required(spec, f"{path}.maxFailedIndexes", "it is needed above 100000 completions")
    if most_failed is not None:
        where, count = f"{path}.maxFailedIndexes", int_at(spec, "maxFailedIndexes") or 0
        if limit is None:
            findings.required(spec, f"{path}.backoffLimitPerIndex", "maxFailedIndexes counts on it")
        if completions is not None and count > completions:
            findings.invalid(most_failed, where, f"must be less than or equal to {completions}, the completions")
        elif (completions or 0) > MOST_INDEXES and count > MOST_FAILED_INDEXES:
            findings.invalid(most_failed, where, f"must be less than or equal to {MOST_FAILED_INDEXES}")


def _failure_policy(findings: Findings, spec: Mapping, path: str) -> None:
    policy = spec.at("podFailurePolicy")
    if not isinstance(policy, Mapping):
        return
    restart = spec.at("template", "spec", "restartPolicy")
    if restart is not None and restart.value == "OnFailure":
        detail = "only `Never` is supported when podFailurePolicy is specified"
        findings.invalid(restart, f"{path}.template.spec.restartPolicy", detail)
    replacement = spec.at("podReplacementPolicy")
    if replacement is not None and replacement.value == "TerminatingOrFailed":
        findings.unsupported(
            replacement, f"{path}.podReplacementPolicy", ("Failed",), "with a podFailurePolicy only Failed is taken"
        )
    rules, where = policy.each("rules"), f"{path}.podFailurePolicy.rules"
    if len(rules) > MOST_RULES:
        findings.too_many(policy.at("rules") or policy, where, len(rules), MOST_RULES)
    containers = _container_names(spec)
    for index, rule in enumerate(rules):
        if isinstance(rule, Mapping):
            _failure_rule(findings, rule, f"{where}[{index}]", containers, spec)


def _failure_rule(findings: Findings, rule: Mapping, path: str, containers: list[str], spec: Mapping) -> None:
    if text_at(rule, "action") == "FailIndex" and spec.at("backoffLimitPerIndex") is None:
        action = rule.at("action")
        assert action is not None
        findings.invalid(action, f"{path}.action", "requires the backoffLimitPerIndex to be set")
    exits, conditions = rule.at("onExitCodes"), rule.each("onPodConditions")
    if exits is not None and conditions:
        findings.invalid(rule, path, "specifying both OnExitCodes and OnPodConditions is not supported", "make it two")
    elif exits is None and not conditions:
        findings.invalid(rule, path, "specifying one of OnExitCodes and OnPodConditions is required")
    if len(conditions) > MOST_RULES:
        findings.too_many(conditions[0], f"{path}.onPodConditions", len(conditions), MOST_RULES)
    for index, each in enumerate(conditions):
        where = f"{path}.onPodConditions[{index}]"
        kind, status = each.at("type"), each.at("status")
        if kind is not None and isinstance(kind.value, str) and not _condition(kind.value):
            findings.form(kind, f"{where}.type", "a condition's name, such as `DisruptionTarget`")
        if status is not None and isinstance(status.value, str) and status.value not in _TRUTHS:
            findings.unsupported(status, f"{where}.status", _TRUTHS)
    if isinstance(exits, Mapping):
        _exit_codes(findings, exits, f"{path}.onExitCodes", containers)


def _exit_codes(findings: Findings, exits: Mapping, path: str, containers: list[str]) -> None:
    name = exits.at("containerName")
    if name is not None and isinstance(name.value, str) and name.value not in containers:
        findings.not_found(name, f"{path}.containerName", containers, "containers")
    values, where = exits.each("values"), f"{path}.values"
    listed = exits.at("values")
    if listed is None:
        return
    if not values:
        findings.invalid(listed, where, "at least one value is required")
    if len(values) > MOST_EXIT_CODES:
        findings.too_many(listed, where, len(values), MOST_EXIT_CODES)
    before: int | None = None
    for index, value in enumerate(values):
        code = int_at(value)
        if code is None:
            continue
        if code == 0 and text_at(exits, "operator") == "In":
            findings.invalid(value, f"{where}[{index}]", "must not be 0 for the In operator", "0 is success")
        if before is not None and code <= before:
            detail = "must be ordered" if code < before else "must be unique"
            findings.invalid(value, f"{where}[{index}]", detail, "write the codes in ascending order, each once")
        before = code


def _success_policy(findings: Findings, spec: Mapping, path: str, indexed: bool) -> None:
    policy = spec.at("successPolicy")
    if not isinstance(policy, Mapping):
        return
    where, completions = f"{path}.successPolicy", int_at(spec, "completions")
    if not indexed:
        findings.invalid(policy, where, "requires indexed completion mode", "add `completionMode: Indexed`")
    rules = policy.each("rules")
    if not rules and policy.at("rules") is not None:
        findings.required(policy, f"{where}.rules", "at least one rule is needed")
    if len(rules) > MOST_RULES:
        findings.too_many(policy.at("rules") or policy, f"{where}.rules", len(rules), MOST_RULES)
    for index, rule in enumerate(rules):
        at = f"{where}.rules[{index}]"
        if not given(rule, ("succeededIndexes", "succeededCount")):
            findings.required(rule, at, "at least one of succeededCount or succeededIndexes is needed")
        count, listed = rule.at("succeededCount"), rule.at("succeededIndexes")
        if completions is not None and count is not None and (int_at(count) or 0) > completions:
            findings.invalid(count, f"{at}.succeededCount", f"must be less than or equal to {completions}")
        if listed is not None and isinstance(listed.value, str):
            reason = indexes_trouble(listed.value, completions)
            if reason is not None:
                findings.invalid(listed, f"{at}.succeededIndexes", reason, "write them as `0-3,7`, ascending")


def indexes_trouble(text: str, completions: int | None) -> str | None:
    """What is wrong with a list of indexes (`0-3,7`), None if nothing is."""
    if _indexes(text) is None:
        return "cannot be read as indexes and ranges of indexes"
    last = -1
    for part in text.split(","):
        low, _, high = part.partition("-")
        if len(part) > 24:
            return "an index is too large"
        first, end = int(low), int(high or low)
        if first <= last or end < first or (high and end == first):
            return "indexes must be in ascending order"
        last = end
    if completions is not None and last >= completions:
        return f"the index {last} must be below {completions}, the completions"
    return None


def _container_names(spec: Mapping) -> list[str]:
    pod = spec.at("template", "spec")
    if pod is None:
        return []
    found = [text_at(each, "name") for key in ("initContainers", "containers") for each in pod.each(key)]
    return [name for name in found if name]
