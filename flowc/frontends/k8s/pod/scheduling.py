"""The API server's rules for where a pod runs: labels of nodes, tolerations, the pods that it is near to."""

from __future__ import annotations

from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import given, int_at, text_at
from flowc.frontends.k8s.pod import selectors
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
MOST_SECONDS = 2**31 - 1
_whole_number = at_first_use(r"-?[0-9]{1,18}", "fullmatch")


def check(findings: Findings, pod: Mapping, path: str) -> None:
    """Check what the PodSpec at `path` says of its node."""
    names.labels(findings, pod.at("nodeSelector"), f"{path}.nodeSelector")
    _spread(findings, pod, path)
    _near(findings, pod, path)
    _gates(findings, pod, path)
    deadline = pod.at("activeDeadlineSeconds")
    if deadline is not None and (int_at(deadline) or 0) > MOST_SECONDS:
        findings.bounds(deadline, f"{path}.activeDeadlineSeconds", f"1 to {MOST_SECONDS}")
    for index, toleration in enumerate(pod.each("tolerations")):
        _toleration(findings, toleration, f"{path}.tolerations[{index}]")
    where = f"{path}.affinity.nodeAffinity"
    affinity = pod.at("affinity", "nodeAffinity")
    required = affinity.at(_REQUIRED) if affinity is not None else None
    if isinstance(required, Mapping) and isinstance(affinity, Mapping):
        terms, at = required.each("nodeSelectorTerms"), f"{where}.{_REQUIRED}.nodeSelectorTerms"
        if not terms and required.at("nodeSelectorTerms") is not None:
            findings.required(required, at, "must have at least one node selector term")
        for index, term in enumerate(terms):
            _term(findings, term, f"{at}[{index}]")
    for index, preferred in enumerate(affinity.each(_PREFERRED) if affinity is not None else ()):
        term_node = preferred.at("preference")
        if term_node is not None:
            _term(findings, term_node, f"{where}.{_PREFERRED}[{index}].preference")


def _spread(findings: Findings, pod: Mapping, path: str) -> None:
    """How the pods are spread over the nodes."""
    seen: dict[tuple[str | None, str | None], Node] = {}
    for index, spread in enumerate(pod.each("topologySpreadConstraints")):
        where = f"{path}.topologySpreadConstraints[{index}]"
        selectors.check(findings, spread.at("labelSelector"), f"{where}.labelSelector")
        key, unsatisfiable = text_at(spread, "topologyKey"), text_at(spread, "whenUnsatisfiable")
        if key == "":
            findings.required(spread, f"{where}.topologyKey", "can not be empty")
        least = spread.at("minDomains")
        if least is not None and unsatisfiable not in (None, "DoNotSchedule"):
            detail = "can only use minDomains if whenUnsatisfiable=DoNotSchedule"
            findings.invalid(least, f"{where}.minDomains", detail)
        node = spread.at("topologyKey")
        if node is not None and (key, unsatisfiable) in seen:
            findings.duplicate(node, seen[key, unsatisfiable], f"{where}.topologyKey")
        elif node is not None:
            seen[key, unsatisfiable] = node


def _gates(findings: Findings, pod: Mapping, path: str) -> None:
    """What holds a pod back, or says when it is ready: names of conditions."""
    seen: dict[str, Node] = {}
    for list_name, key in (("schedulingGates", "name"), ("readinessGates", "conditionType")):
        for index, gate in enumerate(pod.each(list_name)):
            name, where = gate.at(key), f"{path}.{list_name}[{index}].{key}"
            if name is None or not isinstance(name.value, str):
                continue
            if not names.is_qualified(name.value):
                findings.form(name, where, "`[prefix/]name`")
            elif list_name == "schedulingGates":
                if name.value in seen:
                    findings.duplicate(name, seen[name.value], where)
                seen.setdefault(name.value, name)


def _near(findings: Findings, pod: Mapping, path: str) -> None:
    """The pods that a pod is placed near to, or away from."""
    for kind in ("podAffinity", "podAntiAffinity"):
        for key in (_REQUIRED, _PREFERRED):
            for index, each in enumerate(pod.each("affinity", kind, key)):
                where = f"{path}.affinity.{kind}.{key}[{index}]"
                inner = each if key == _REQUIRED else each.at("podAffinityTerm")
                where += "" if key == _REQUIRED else ".podAffinityTerm"
                for field in ("labelSelector", "namespaceSelector"):
                    selectors.check(findings, inner.at(field) if inner is not None else None, f"{where}.{field}")
                if inner is None:
                    continue
                if inner.at("topologyKey") is not None and not text_at(inner, "topologyKey"):
                    findings.required(inner, f"{where}.topologyKey", "can not be empty")
                for at, namespace in enumerate(inner.each("namespaces")):
                    if isinstance(namespace.value, str):
                        names.dns_label(findings, namespace, f"{where}.namespaces[{at}]")


def _toleration(findings: Findings, toleration: Node, path: str) -> None:
    key, value, operator = toleration.at("key"), toleration.at("value"), toleration.at("operator")
    word = text_at(toleration, "operator") or "Equal"
    if key is not None and isinstance(key.value, str) and key.value and not names.is_qualified(key.value):
        findings.form(key, f"{path}.key", "`[prefix/]name`")
    if not text_at(toleration, "key") and word != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        findings.invalid(operator or toleration, f"{path}.operator", detail)
    if value is not None and isinstance(value.value, str):
        if word == "Exists" and value.value:
            findings.invalid(value, f"{path}.value", "value must be empty when `operator` is `Exists`")
        elif word == "Equal":
            names.label_value(findings, value, f"{path}.value")
    seconds = toleration.at("tolerationSeconds")
    if seconds is not None and text_at(toleration, "effect") != "NoExecute":
        findings.invalid(seconds, f"{path}.tolerationSeconds", "effect must be `NoExecute` when it is set")


def _term(findings: Findings, term: Node, path: str) -> None:
    for kind in given(term, ("matchExpressions", "matchFields")):
        for index, each in enumerate(term.each(kind)):
            where = f"{path}.{kind}[{index}]"
            key, values = each.at("key"), each.each("values")
            operator = text_at(each, "operator")
            if key is not None and isinstance(key.value, str) and not names.is_qualified(key.value):
                findings.form(key, f"{where}.key", "`[prefix/]name`")
            listed = each.at("values") or each
            if operator in ("In", "NotIn") and not values:
                help = "must be specified when `operator` is `In` or `NotIn`"
                findings.required(each, f"{where}.values", help)
            elif operator in ("Exists", "DoesNotExist") and values:
                detail = "may not be specified when `operator` is `Exists` or `DoesNotExist`"
                findings.forbidden(listed.span, f"{where}.values", detail)
            elif operator in ("Gt", "Lt"):
                if len(values) != 1:
                    findings.required(each, f"{where}.values", "must have one value when `operator` is `Gt` or `Lt`")
                elif isinstance(values[0].value, str) and not _whole_number(values[0].value):
                    findings.form(values[0], f"{where}.values[0]", "a whole number of 18 digits at most, in quotes")
            for at, value in enumerate(values):
                if operator in ("In", "NotIn") and isinstance(value.value, str):
                    names.label_value(findings, value, f"{where}.values[{at}]")
