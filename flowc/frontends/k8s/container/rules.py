"""The API server's rules for containers: images, ports, variables, probes, security."""

from __future__ import annotations

from flowc.diag.codes.k8s import objects as codes
from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import given, int_at, key_span, place, shown, text_at
from flowc.frontends.k8s.machine import rules as resource_rules
from flowc.frontends.k8s.volumes import rules as volume_rules
from flowc.yamldoc.node import Mapping, misspelt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

_VALUE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")
_FIELD_PATHS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
_RESOURCES = tuple(f"{kind}.{name}" for kind in ("limits", "requests") for name in resource_rules.STANDARD)
MOST_PORT = 65535


def check(findings: Findings, container: Mapping, path: str, volumes: dict[str, Node], *, host_network: bool) -> None:
    """Check one container of a pod whose `volumes` are known."""
    image = container.at("image")
    if (image is None and not misspelt(container, "image")) or (image is not None and image.value == ""):
        findings.required(container, f"{path}.image", "name the image to run, such as `pytorch/pytorch:2.4.0`")
    elif image is not None and isinstance(image.value, str) and image.value != image.value.strip():
        findings.invalid(image, f"{path}.image", "must not have leading or trailing whitespace")
    command = container.each("command")
    first = command[0] if command else None
    if first is not None and isinstance(first.value, str) and " " in first.value.strip():
        help = 'write each word by itself, or `["sh", "-c", "…"]`'
        findings.sink.report(
            codes.COMMAND_IN_ONE_WORD, place(first), help=help, path=f"{path}.command", value=first.value
        )
    _ports(findings, container, path, host_network)
    _variables(findings, container, path)
    _variable_sources(findings, container, path)
    resource_rules.check(findings, container.at("resources"), f"{path}.resources")
    volume_rules.mounts(findings, container, path, volumes)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        _handler(findings, container.at(probe), f"{path}.{probe}", _HANDLERS)
        successes = container.at(probe, "successThreshold")
        if successes is not None and probe != "readinessProbe" and int_at(successes) not in (None, 0, 1):
            findings.invalid(successes, f"{path}.{probe}.successThreshold", "must be 1")
    grace = container.at("readinessProbe", "terminationGracePeriodSeconds")
    if grace is not None:
        where = f"{path}.readinessProbe.terminationGracePeriodSeconds"
        findings.invalid(grace, where, "must not be set for readinessProbes")
    for hook in ("postStart", "preStop"):
        _handler(findings, container.at("lifecycle", hook), f"{path}.lifecycle.{hook}", _HOOKS)
    _security(findings, container, path)


def _ports(findings: Findings, container: Mapping, path: str, host_network: bool) -> None:
    named: dict[str, Node] = {}
    on_host: dict[tuple[object, ...], Node] = {}
    for index, port in enumerate(container.each("ports")):
        where = f"{path}.ports[{index}]"
        name = port.at("name")
        if name is not None and isinstance(name.value, str) and name.value:
            if not names.is_port(name.value):
                findings.form(name, f"{where}.name", "at most 15 lower-case letters, digits and single `-`, one letter")
            elif name.value in named:
                findings.duplicate(name, named[name.value], f"{where}.name")
            named.setdefault(name.value, name)
        host, inner = port.at("hostPort"), int_at(port, "containerPort")
        if host is None or not int_at(host):
            continue
        if host_network and inner is not None and int_at(host) != inner:
            detail = "must match `containerPort` when `hostNetwork` is true"
            findings.invalid(host, f"{where}.hostPort", detail)
        key = (host.value, text_at(port, "protocol") or "TCP", text_at(port, "hostIP") or "")
        if key in on_host:
            findings.duplicate(host, on_host[key], f"{where}.hostPort")
        on_host.setdefault(key, host)


def _variables(findings: Findings, container: Mapping, path: str) -> None:
    seen: dict[str, Node] = {}
    for index, variable in enumerate(container.each("env")):
        where = f"{path}.env[{index}]"
        name = variable.at("name")
        if name is not None and isinstance(name.value, str):
            if not name.value:
                findings.required(variable, f"{where}.name")
            elif not names.is_variable(name.value):
                findings.form(name, f"{where}.name", "printable ASCII without `=`")
            elif name.value in seen:
                notes = ((place(seen[name.value]), "first given here"),)
                findings.sink.report(codes.DUPLICATE_VARIABLE, place(name), notes=notes, path=where, value=name.value)
            seen[name.value] = name
        source = variable.at("valueFrom")
        if isinstance(source, Mapping):
            _value_from(findings, variable, source, where)


def _value_from(findings: Findings, variable: Node, source: Mapping, path: str) -> None:
    where = f"{path}.valueFrom"
    if text_at(variable, "value"):
        detail = "may not be specified when `value` is not empty"
        findings.forbidden(key_span(variable, "valueFrom"), where, detail, "take one of them out")
    used = given(source, _VALUE_SOURCES)
    if not used:
        findings.required(variable, where, f"one of {', '.join(_VALUE_SOURCES[:4])} is needed")
    for kind in used[1:]:
        detail = "may not have more than one field specified at a time"
        findings.forbidden(key_span(source, kind), f"{where}.{kind}", detail, f"`{used[0]}` is given too")
    field = source.at("fieldRef", "fieldPath")
    if field is not None and isinstance(field.value, str):
        _field_path(findings, field, f"{where}.fieldRef.fieldPath")
    resource = source.at("resourceFieldRef", "resource")
    if resource is not None and isinstance(resource.value, str):
        huge = resource.value.partition(".")[2].startswith(resource_rules.HUGE)
        if resource.value not in _RESOURCES and not huge:
            findings.unsupported(resource, f"{where}.resourceFieldRef.resource", _RESOURCES)
    divisor = source.at("resourceFieldRef", "divisor")
    if divisor is not None:
        resource_rules.read(findings, divisor, f"{where}.resourceFieldRef.divisor")
    for kind in ("configMapKeyRef", "secretKeyRef"):
        key = source.at(kind, "key")
        if key is not None and isinstance(key.value, str) and not names.is_config_key(key.value):
            findings.form(key, f"{where}.{kind}.key", "letters, digits, `-`, `_` and `.`")


def _field_path(findings: Findings, field: Node, path: str) -> None:
    text = str(field.value)
    name, bracket, rest = text.partition("[")
    if bracket and name in ("metadata.labels", "metadata.annotations") and rest[:1] in "'\"" and rest.endswith("]"):
        if not names.is_qualified(rest[1:-2].lower() if name.endswith("annotations") else rest[1:-2]):
            findings.form(field, path, "a label's key in quotes: `metadata.labels['KEY']`")
    elif name in ("metadata.labels", "metadata.annotations"):
        findings.invalid(field, path, "names no key", f"write `{name}['KEY']`")
    elif text not in _FIELD_PATHS:
        findings.unsupported(field, path, _FIELD_PATHS)


def _variable_sources(findings: Findings, container: Mapping, path: str) -> None:
    for index, source in enumerate(container.each("envFrom")):
        where = f"{path}.envFrom[{index}]"
        prefix = source.at("prefix")
        if (
            prefix is not None
            and isinstance(prefix.value, str)
            and prefix.value
            and not names.is_variable(prefix.value)
        ):
            findings.form(prefix, f"{where}.prefix", "printable ASCII without `=`")
        used = given(source, ("configMapRef", "secretRef"))
        if not used:
            findings.required(source, where, "one of configMapRef and secretRef is needed")
        elif len(used) > 1:
            detail = "may not have more than one field specified at a time"
            findings.forbidden(key_span(source, used[1]), f"{where}.{used[1]}", detail, "make it an item of its own")


def _handler(findings: Findings, holder: Node | None, path: str, kinds: tuple[str, ...]) -> None:
    """A probe or a hook does one thing."""
    if not isinstance(holder, Mapping):
        return
    used = given(holder, kinds)
    if not used:
        findings.required(holder, path, f"must specify a handler type: {', '.join(kinds)}")
    for kind in used[1:]:
        findings.forbidden(key_span(holder, kind), f"{path}.{kind}", "may not specify more than 1 handler type")
    if "exec" in used and not holder.each("exec", "command"):
        findings.required(holder, f"{path}.exec.command")
    for index, header in enumerate(holder.each("httpGet", "httpHeaders")):
        name = header.at("name")
        if name is not None and isinstance(name.value, str) and not names.is_header(name.value):
            findings.form(name, f"{path}.httpGet.httpHeaders[{index}].name", "letters, digits and `-`")
    for kind in ("httpGet", "tcpSocket"):
        port = holder.at(kind, "port")
        if port is None:
            continue
        where, number = f"{path}.{kind}.port", int_at(port)
        if number is not None and not 0 < number <= MOST_PORT:
            findings.bounds(port, where, f"1 to {MOST_PORT}")
        elif isinstance(port.value, str) and not names.is_port(port.value):
            findings.form(port, where, "a number, or the name of a port")


def _security(findings: Findings, container: Mapping, path: str) -> None:
    context, where = container.at("securityContext"), f"{path}.securityContext"
    if not isinstance(context, Mapping):
        return
    escalation = context.at("allowPrivilegeEscalation")
    if escalation is not None and escalation.value is False:
        added = [each.value for each in context.each("capabilities", "add")]
        if context.read("privileged") is True:
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            findings.invalid(escalation, where, detail)
        elif "CAP_SYS_ADMIN" in added:  # the short form passes, there and with docker
            detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.add` CAP_SYS_ADMIN"
            findings.invalid(escalation, where, detail)
    profiles(findings, context, where)


def profiles(findings: Findings, context: Mapping, path: str) -> None:
    """Profiles of seccomp and AppArmor name a file if, and only if, they are Localhost."""
    for kind in ("seccompProfile", "appArmorProfile"):
        local = context.at(kind, "localhostProfile")
        is_local = text_at(context, kind, "type") == "Localhost"
        where = f"{path}.{kind}.localhostProfile"
        if is_local and local is None:
            findings.required(context.at(kind) or context, where, "must be set when type is Localhost")
        elif local is not None and not is_local:
            detail = f"can only be set when type is `Localhost`, and is {shown(local)}"
            findings.forbidden(place(local), where, detail)
