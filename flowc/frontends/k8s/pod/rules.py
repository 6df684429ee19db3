"""The API server's rules for a pod's spec, beyond the types of its fields."""

from __future__ import annotations

from flowc.frontends.k8s import names
from flowc.frontends.k8s.container import rules as container_rules
from flowc.frontends.k8s.findings import given, int_at, key_span, text_at
from flowc.frontends.k8s.machine import rules as resource_rules
from flowc.frontends.k8s.pod import scheduling
from flowc.frontends.k8s.volumes import rules as volume_rules
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

_NAMES_OF_OBJECTS = ("serviceAccountName", "serviceAccount", "priorityClassName", "runtimeClassName")
_SYSTEMS = ("linux", "windows")
_RESIZED = ("cpu", "memory")
# Kernel settings that a pod has for itself only where it does not share the host's network or IPC.
_OF_NETWORK, _OF_IPC = ("net.",), ("kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue.")
HOSTNAME_LENGTH = 64
MOST_ID = 2**31 - 1
MOST_RULES = 20
MOST_EXIT_CODES = 255
MOST_NAMESERVERS, MOST_SEARCHES, SEARCHES_LENGTH = 3, 6, 256
DEFAULT_GRACE = 30  # seconds
_signal = at_first_use(
    r"SIG(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP"
    r"|TSTP|TTIN|TTOU|URG|USR[12]|VTALRM|WINCH|XCPU|XFSZ|RTMIN([+]([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)",
    "fullmatch",
)
_setting = at_first_use(
    r"(?=.{1,253}$)([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?", "fullmatch"
)


def check(findings: Findings, pod: Mapping, path: str, claims: dict[str, Node] | None = None) -> None:
    """Check a PodSpec at `path` (`spec.template.spec`); `claims` are volumes that a controller puts in."""
    volumes = volume_rules.check(findings, pod, path) | (claims or {})
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
            _lifecycle(findings, pod, container, where, init=key == "initContainers")
            _restarts(findings, container, where)
            _of_its_pod(findings, pod, container, where)
    _identity(findings, pod, path)
    scheduling.check(findings, pod, path)
    _security(findings, pod, path)
    resource_rules.check(findings, pod.at("resources"), f"{path}.resources", of_pod=True)
    resource_rules.check_whole(findings, pod, path)
    resource_rules.check_overhead(findings, pod.at("overhead"), f"{path}.overhead")


def _lifecycle(findings: Findings, pod: Mapping, container: Mapping, path: str, *, init: bool) -> None:
    """What only a container that runs on may have, and a signal that depends on the system."""
    if init and container.read("restartPolicy") != "Always":
        for key in given(container, ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")):
            detail = "may not be set for init containers without restartPolicy=Always"
            findings.forbidden(key_span(container, key), f"{path}.{key}", detail, "an init container runs to its end")
    grace = int_at(pod, "terminationGracePeriodSeconds")
    for hook in ("postStart", "preStop"):
        seconds = container.at("lifecycle", hook, "sleep", "seconds")
        most = DEFAULT_GRACE if grace is None else grace
        if seconds is not None and (int_at(seconds) or 0) > most >= 0:
            detail = f"must be non-negative and less than terminationGracePeriodSeconds ({most})"
            findings.invalid(seconds, f"{path}.lifecycle.{hook}.sleep.seconds", detail)
    signal, where = container.at("lifecycle", "stopSignal"), f"{path}.lifecycle.stopSignal"
    if signal is None or not isinstance(signal.value, str):
        return
    if pod.at("os", "name") is None:
        detail = "may not be set for containers with empty `spec.os.name`"
        findings.forbidden(signal.span, where, detail, "add `os: {name: linux}` to the pod's spec")
    elif _signal(signal.value) is None:
        findings.form(signal, where, "the name of a signal, such as `SIGUSR1`")


def _restarts(findings: Findings, container: Mapping, path: str) -> None:
    """When a container starts again by itself."""
    listed, rules = container.at("restartPolicyRules"), container.each("restartPolicyRules")
    if listed is None or not rules:
        return
    policy, where = container.at("restartPolicy"), f"{path}.restartPolicyRules"
    if policy is None:
        findings.required(listed, f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")
    if len(rules) > MOST_RULES:
        findings.too_many(listed, where, len(rules), MOST_RULES)
    for index, rule in enumerate(rules):
        codes = rule.at("exitCodes")
        if codes is None:
            findings.required(rule, f"{where}[{index}].exitCodes", "must be specified")
        elif len(codes.each("values")) > MOST_EXIT_CODES:
            count = len(codes.each("values"))
            findings.too_many(codes, f"{where}[{index}].exitCodes.values", count, MOST_EXIT_CODES)


def _of_its_pod(findings: Findings, pod: Mapping, container: Mapping, path: str) -> None:
    """What a container may say only in a pod that says something else."""
    unmasked = container.at("securityContext", "procMount")
    if unmasked is not None and unmasked.value == "Unmasked" and pod.read("hostUsers") is not False:
        detail = "`hostUsers` must be false to use `Unmasked`"
        findings.invalid(unmasked, f"{path}.securityContext.procMount", detail)
    seen: dict[str, Node] = {}
    for index, each in enumerate(container.each("resizePolicy")):
        where, name, policy = f"{path}.resizePolicy[{index}]", each.at("resourceName"), each.at("restartPolicy")
        if name is not None and isinstance(name.value, str):
            if name.value not in _RESIZED:
                findings.unsupported(name, f"{where}.resourceName", _RESIZED)
            elif name.value in seen:
                findings.duplicate(name, seen[name.value], f"{where}.resourceName")
            seen.setdefault(name.value, name)
        if policy is not None and policy.value == "RestartContainer" and text_at(pod, "restartPolicy") == "Never":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            findings.invalid(policy, f"{where}.restartPolicy", detail)


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
    _dns(findings, pod.at("dnsConfig"), f"{path}.dnsConfig")
    system = pod.at("os", "name")
    if system is not None and isinstance(system.value, str) and system.value not in _SYSTEMS:
        findings.unsupported(system, f"{path}.os.name", _SYSTEMS)


def _dns(findings: Findings, config: Node | None, path: str) -> None:
    """What resolv.conf is made of, within what the C library reads of it."""
    if config is None:
        return
    servers, searches = config.each("nameservers"), config.each("searches")
    if len(servers) > MOST_NAMESERVERS:
        findings.too_many(config.at("nameservers") or config, f"{path}.nameservers", len(servers), MOST_NAMESERVERS)
    for index, server in enumerate(servers):
        if isinstance(server.value, str) and not _is_address(server.value):
            findings.form(server, f"{path}.nameservers[{index}]", "an IP address")
    if len(searches) > MOST_SEARCHES:
        findings.too_many(config.at("searches") or config, f"{path}.searches", len(searches), MOST_SEARCHES)
    elif len(" ".join(str(each.value) for each in searches)) > SEARCHES_LENGTH:
        findings.too_long(config.at("searches") or config, f"{path}.searches", SEARCHES_LENGTH)
    for index, each in enumerate(searches):
        if isinstance(each.value, str) and each.value != "." and not _is_search(each.value.removesuffix(".")):
            findings.form(each, f"{path}.searches[{index}]", f"{names.IN_SUBDOMAIN}, or `_`")
    for index, option in enumerate(config.each("options")):
        if not text_at(option, "name"):
            findings.required(option, f"{path}.options[{index}].name", "must not be empty")


def _is_search(text: str) -> bool:
    return names.is_subdomain(text.replace("_", "a"))


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


def _security(findings: Findings, pod: Mapping, path: str) -> None:
    both = pod.at("shareProcessNamespace")
    if both is not None and both.value is True and pod.read("hostPID") is True:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        findings.invalid(both, f"{path}.shareProcessNamespace", detail)
    if pod.read("hostUsers") is False:
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.read(key) is True:
                findings.forbidden(key_span(pod, key), f"{path}.{key}", "when `hostUsers` is false")
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
        elif _setting(name.value) is None:
            findings.form(name, f"{where}.sysctls[{index}].name", "a kernel setting, such as `net.core.somaxconn`")
        elif name.value in seen:
            findings.duplicate(name, seen[name.value], f"{where}.sysctls[{index}].name")
        for key, kind in (("hostNetwork", _OF_NETWORK), ("hostIPC", _OF_IPC)):
            if pod.read(key) is True and name.value.replace("/", ".").startswith(kind):
                detail = f"may not be specified when '{key}' is true"
                findings.invalid(name, f"{where}.sysctls[{index}].name", detail)
        seen.setdefault(name.value, name)
    container_rules.profiles(findings, context, where)
