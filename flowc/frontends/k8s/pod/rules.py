"""The API server's rules for a pod's spec, beyond the types of its fields."""

from __future__ import annotations

from flowc.frontends.k8s import names
from flowc.frontends.k8s.container import rules as container_rules
from flowc.frontends.k8s.findings import given, int_at, key_span, text_at
from flowc.frontends.k8s.machine import rules as resource_rules
from flowc.frontends.k8s.pod import selectors
from flowc.frontends.k8s.volumes import rules as volume_rules
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

_NAMES_OF_OBJECTS = ("serviceAccountName", "serviceAccount", "priorityClassName", "runtimeClassName")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_SYSTEMS = ("linux", "windows")
HOSTNAME_LENGTH = 64
MOST_SECONDS = 2**31 - 1
MOST_ID = 2**31 - 1
MOST_RULES = 20
_signal = at_first_use(
    r"SIG(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP"
    r"|TSTP|TTIN|TTOU|URG|USR[12]|VTALRM|WINCH|XCPU|XFSZ|RTMIN([+]([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)",
    "fullmatch",
)
_whole_number = at_first_use(r"-?[0-9]{1,18}", "fullmatch")


def check(findings: Findings, pod: Mapping, path: str) -> None:
    """Check a PodSpec at `path` (`spec.template.spec`)."""
    volumes = volume_rules.check(findings, pod, path)
    host_network = pod.read("hostNetwork") is True
    listed = pod.at("containers")
    if listed is not None and not pod.each("containers") and listed.what == "list":
        findings.required(listed, f"{path}.containers", "a pod has at least one container")
    seen: dict[str, Node] = {}
    for key in ("initContainers", "containers"):
        for index, container in enumerate(pod.each(key)):
            if not isinstance(container, Mapping):
                continue
            where = f"{path}.{key}[{index}]"
            name = container.at("name")
            if name is not None and isinstance(name.value, str) and names.dns_label(findings, name, f"{where}.name"):
                if name.value in seen:
                    findings.duplicate(name, seen[name.value], f"{where}.name")
                seen.setdefault(name.value, name)
            container_rules.check(findings, container, where, volumes, host_network=host_network)
            policy = container.at("restartPolicy")
            _lifecycle(findings, pod, container, where, init=key == "initContainers")
            rules = container.at("restartPolicyRules")
            own_rules = rules is not None
            if rules is not None and len(container.each("restartPolicyRules")) > MOST_RULES:
                count = len(container.each("restartPolicyRules"))
                findings.too_many(rules, f"{where}.restartPolicyRules", count, MOST_RULES)
            if key == "initContainers" and policy is not None and policy.value != "Always" and not own_rules:
                findings.unsupported(policy, f"{where}.restartPolicy", ("Always",), "it makes the container a sidecar")
    _identity(findings, pod, path)
    _scheduling(findings, pod, path)
    _security(findings, pod, path)
    resource_rules.check(findings, pod.at("resources"), f"{path}.resources", of_pod=True)


def _lifecycle(findings: Findings, pod: Mapping, container: Mapping, path: str, *, init: bool) -> None:
    """What only a container that runs on may have, and a signal that depends on the system."""
    if init and container.read("restartPolicy") != "Always":
        for key in given(container, ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")):
            detail = "may not be set for init containers without restartPolicy=Always"
            findings.forbidden(key_span(container, key), f"{path}.{key}", detail, "an init container runs to its end")
    rules = container.at("restartPolicyRules")
    if rules is not None and container.each("restartPolicyRules") and container.at("restartPolicy") is None:
        findings.required(rules, f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")
    signal, where = container.at("lifecycle", "stopSignal"), f"{path}.lifecycle.stopSignal"
    if signal is None or not isinstance(signal.value, str):
        return
    if pod.at("os", "name") is None:
        detail = "may not be set for containers with empty `spec.os.name`"
        findings.forbidden(signal.span, where, detail, "add `os: {name: linux}` to the pod's spec")
    elif _signal(signal.value) is None:
        findings.form(signal, where, "the name of a signal, such as `SIGUSR1`")


def _identity(findings: Findings, pod: Mapping, path: str) -> None:
    for key in _NAMES_OF_OBJECTS:
        node = pod.at(key)
        if node is not None and isinstance(node.value, str) and node.value:
            names.dns_subdomain(findings, node, f"{path}.{key}")
    for key in ("hostname", "subdomain"):
        node = pod.at(key)
        if node is not None and isinstance(node.value, str) and node.value:
            names.dns_label(findings, node, f"{path}.{key}")
    node = pod.at("hostnameOverride")
    if node is not None and isinstance(node.value, str) and node.value:
        names.dns_subdomain(findings, node, f"{path}.hostnameOverride", HOSTNAME_LENGTH)
    for index, alias in enumerate(pod.each("hostAliases")):
        where = f"{path}.hostAliases[{index}]"
        address = alias.at("ip")
        if address is not None and isinstance(address.value, str) and not _is_address(address.value):
            findings.form(address, f"{where}.ip", "an IP address")
        for at, host in enumerate(alias.each("hostnames")):
            if isinstance(host.value, str):
                names.dns_subdomain(findings, host, f"{where}.hostnames[{at}]")
    if text_at(pod, "dnsPolicy") == "None" and not pod.each("dnsConfig", "nameservers"):
        where = f"{path}.dnsConfig.nameservers"
        findings.required(
            pod.at("dnsPolicy") or pod, where, "must provide at least one DNS nameserver with dnsPolicy None"
        )
    for index, server in enumerate(pod.each("dnsConfig", "nameservers")):
        if isinstance(server.value, str) and not _is_address(server.value):
            findings.form(server, f"{path}.dnsConfig.nameservers[{index}]", "an IP address")
    system = pod.at("os", "name")
    if system is not None and isinstance(system.value, str) and system.value not in _SYSTEMS:
        findings.unsupported(system, f"{path}.os.name", _SYSTEMS)


def _is_address(text: str) -> bool:
    if ":" in text:
        import socket

        try:
            socket.inet_pton(socket.AF_INET6, text)
        except (OSError, ValueError):
            return False
        return True
    parts = text.split(".")
    return len(parts) == 4 and all(
        part.isascii() and part.isdigit() and len(part) < 4 and int(part) < 256 and str(int(part)) == part
        for part in parts
    )


def _scheduling(findings: Findings, pod: Mapping, path: str) -> None:
    names.labels(findings, pod.at("nodeSelector"), f"{path}.nodeSelector")
    _near(findings, pod, path)
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


def _near(findings: Findings, pod: Mapping, path: str) -> None:
    """The selectors of the pods that a pod is placed near to, or away from."""
    for index, spread in enumerate(pod.each("topologySpreadConstraints")):
        selectors.check(
            findings, spread.at("labelSelector"), f"{path}.topologySpreadConstraints[{index}].labelSelector"
        )
    for kind in ("podAffinity", "podAntiAffinity"):
        for key in (_REQUIRED, _PREFERRED):
            for index, each in enumerate(pod.each("affinity", kind, key)):
                where = f"{path}.affinity.{kind}.{key}[{index}]"
                inner = each if key == _REQUIRED else each.at("podAffinityTerm")
                where += "" if key == _REQUIRED else ".podAffinityTerm"
                for field in ("labelSelector", "namespaceSelector"):
                    selectors.check(findings, inner.at(field) if inner is not None else None, f"{where}.{field}")
                if inner is not None and inner.at("topologyKey") is not None and not text_at(inner, "topologyKey"):
                    findings.required(inner, f"{where}.topologyKey", "can not be empty")


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


def _security(findings: Findings, pod: Mapping, path: str) -> None:
    both = pod.at("shareProcessNamespace")
    if both is not None and both.value is True and pod.read("hostPID") is True:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        findings.invalid(both, f"{path}.shareProcessNamespace", detail)
    context, where = pod.at("securityContext"), f"{path}.securityContext"
    if not isinstance(context, Mapping):
        return
    for index, group in enumerate(context.each("supplementalGroups")):
        number = int_at(group)
        if number is not None and not 0 <= number <= MOST_ID:
            findings.bounds(group, f"{where}.supplementalGroups[{index}]", f"0 to {MOST_ID}")
    seen: dict[str, Node] = {}
    for index, each in enumerate(context.each("sysctls")):
        name = each.at("name")
        if name is None or not isinstance(name.value, str):
            continue
        if not name.value:
            findings.required(each, f"{where}.sysctls[{index}].name")
        elif name.value in seen:
            findings.duplicate(name, seen[name.value], f"{where}.sysctls[{index}].name")
        seen.setdefault(name.value, name)
    container_rules.profiles(findings, context, where)
