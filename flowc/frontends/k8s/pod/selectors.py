"""The API server's rules for selectors of labels: a Job's own, and those by which a pod is placed near others."""

from __future__ import annotations

from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import text_at
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

# Labels that the server gives to the pods of a Job, and selects them by.
_GENERATED = (
    *("batch.kubernetes.io/controller-uid", "controller-uid"),
    *("batch.kubernetes.io/job-name", "job-name"),
)
_BY_HAND = "take `selector` out; a Job that is to select its pods by it needs `manualSelector: true`"


def check(findings: Findings, selector: Node | None, path: str) -> None:
    """Keys, values and operators of a selector."""
    if not isinstance(selector, Mapping):
        return
    names.labels(findings, selector.at("matchLabels"), f"{path}.matchLabels")
    for index, each in enumerate(selector.each("matchExpressions")):
        where = f"{path}.matchExpressions[{index}]"
        key, operator, values = each.at("key"), text_at(each, "operator"), each.each("values")
        if key is not None and isinstance(key.value, str) and not names.is_qualified(key.value):
            findings.form(key, f"{where}.key", "`[prefix/]name`")
        if operator in ("In", "NotIn") and not values:
            findings.required(each, f"{where}.values", "must be specified when `operator` is `In` or `NotIn`")
        elif operator in ("Exists", "DoesNotExist") and values:
            detail = "may not be specified when `operator` is `Exists` or `DoesNotExist`"
            findings.forbidden((each.at("values") or each).span, f"{where}.values", detail)
        for at, value in enumerate(values):
            if isinstance(value.value, str):
                names.label_value(findings, value, f"{where}.values[{at}]")


def of_job(findings: Findings, spec: Mapping, path: str, *, in_cron_job: bool) -> None:
    """A Job's own selector is made by the server; one that is written must be asked for, and match the pods. What the
    server itself has made (`kubectl get -o yaml`) is passed over."""
    selector, manual = spec.at("selector"), spec.at("manualSelector")
    where = f"{path}.selector"
    check(findings, selector, where)
    by_hand = manual is not None and manual.value is True
    if by_hand and in_cron_job and manual is not None:
        findings.unsupported(manual, f"{path}.manualSelector", ("false",), "take it out", value="true")
        return
    if not isinstance(selector, Mapping):
        if by_hand:
            findings.required(manual or spec, where, "`manualSelector: true` needs a selector; or take it out")
        return
    labels = {pair.key.text: pair.value.value for pair in selector.pairs_at("matchLabels")}
    if not by_hand:
        own = [key for key in labels if key not in _GENERATED]
        if own or selector.each("matchExpressions"):
            word = "will be auto-generated" if in_cron_job else "not auto-generated"
            findings.invalid(selector, where, f"`selector` {word}", "take it out" if in_cron_job else _BY_HAND)
        return
    pods = {pair.key.text: pair.value.value for pair in spec.pairs_at("template", "metadata", "labels")}
    if not labels and not selector.each("matchExpressions"):
        findings.invalid(selector, where, "empty selector is invalid for a Job", "name the labels of its pods")
    elif not _matches(selector, labels, pods):
        template = spec.at("template", "metadata", "labels") or spec.at("template") or spec
        findings.invalid(template, f"{path}.template.metadata.labels", "`selector` does not match template `labels`")


def generated(findings: Findings, node: Mapping, spec: Mapping, path: str, name: str | None) -> None:
    """Labels by which the server selects the pods of a Job called `name` (None: by a controller): what a template says
    of them itself must be what the server writes. What it has written (`kubectl get -o yaml`) is passed over."""
    if spec.read("manualSelector") is True or node.at("metadata", "uid") is not None:
        return
    for pair in spec.pairs_at("template", "metadata", "labels"):
        key = pair.key.text
        if key not in _GENERATED or (key.endswith("job-name") and name is not None and pair.value.value == name):
            continue
        where = f"{path}.template.metadata.labels[{key}]"
        detail = f"must be '{name}'" if name and key.endswith("job-name") else "the server writes it for each Job"
        findings.invalid(pair.value, where, detail, "take it out")


def _matches(selector: Mapping, labels: dict[str, object], pods: dict[str, object]) -> bool:
    if any(pods.get(key) != value for key, value in labels.items()):
        return False
    for each in selector.each("matchExpressions"):
        key, operator = text_at(each, "key") or "", text_at(each, "operator")
        values = [value.value for value in each.each("values")]
        holds = {
            "In": pods.get(key) in values,
            "NotIn": pods.get(key) not in values,
            "Exists": key in pods,
            "DoesNotExist": key not in pods,
        }
        if not holds.get(operator or "", True):
            return False
    return True
