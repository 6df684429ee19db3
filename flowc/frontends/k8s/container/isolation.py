"""What a container may do and see: `securityContext`, the pod's settings of network and names, limits, probes."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container.expand import Piece, expand, literal
from flowc.frontends.k8s.context import pair_of
from flowc.frontends.k8s.machine import needs
from flowc.ir.job import Isolation, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Mapping, Node

PULL = {"Always": "always", "IfNotPresent": "missing", "Never": "never"}
NOTICE_S = 300  # the provider's notice before a machine is taken away


def _pull(container: Mapping, context: Context) -> str | None:
    """When the image is pulled. What lies on the nodes of a cluster does not lie on a machine."""
    said = container.at("imagePullPolicy")
    policy = PULL.get(str(said.value)) if said is not None else None
    if policy != "never" or said is None:
        return policy
    if context.moves(container, "imagePullPolicy", "no machine has an image before it is pulled"):
        return "missing"
    context.gather(codes.IMAGE_NOT_PULLED, f"`{container.read('image', default='')}`", said.span)
    return policy


def isolation_of(container: Mapping, context: Context, *, main: bool = False) -> Isolation:
    """How a container is kept apart. `main`: its settings have origins in the job's own `isolation`."""
    spec = context.job.pod_spec
    fields: dict[str, Any] = {}

    def put(field: str, value: object, *nodes: Node | None) -> None:
        if value is None or value is False or value in ((), ""):  # 0 is a value: no grace, say
            return
        fields[field] = value
        for node in nodes if main else ():
            context.put(f"isolation.{field}", node)

    _security(container, spec, context, put)
    _network(spec, put)
    put("pull", _pull(container, context), container.at("imagePullPolicy"))
    secrets = spec.at("imagePullSecrets")
    names = tuple(str(each.read("name", default="")) for each in spec.each("imagePullSecrets"))
    put("pull_secrets", tuple(filter(None, names)), secrets)
    for name in names if main else ():
        if name and secrets is not None:
            context.secret(name, f"`.dockerconfigjson` of Secret `{name}`", secrets.span)
    cpus, memory = needs.limits_of(container)
    if cpus is None and container.at("resources", "limits", "cpu") is not None:
        note = "CPUs above the request are not bounded: the machine may have fewer"
        context.decide(container.at("resources"), "limits", "lowered", note)
    put("cpus", cpus, container.at("resources", "limits", "cpu"))
    put("memory_bytes", memory, container.at("resources", "limits", "memory"))
    grace = spec.at("terminationGracePeriodSeconds")
    if grace is not None:
        put("stop_grace_s", grace.value, grace)
        if grace.value > NOTICE_S:
            note = f"a machine is taken away {NOTICE_S} seconds after the notice, whatever is asked for"
            context.decide(spec, "terminationGracePeriodSeconds", "approximated", note)
    _lifecycle(container, context, put)
    if main:
        put("liveness", _liveness(container, context), container.at("livenessProbe"))
    return Isolation(**fields)


def _security(container: Mapping, spec: Mapping, context: Context, put: Any) -> None:
    """The container's own settings win over the pod's."""
    own, pods = container.at("securityContext"), spec.at("securityContext")

    def of(key: str) -> Node | None:
        found = own.at(key) if own is not None else None
        return found if found is not None or pods is None else pods.at(key)

    user, group = of("runAsUser"), of("runAsGroup")
    if user is not None:
        put("user", f"{user.value}:{group.value}" if group is not None else str(user.value), user, group)
    elif group is not None:
        put("user", f"0:{group.value}", group)
    not_root = of("runAsNonRoot")
    if not_root is not None and not_root.value and user is not None and user.value == 0:
        parent = own if own is not None and own.at("runAsUser") is user else pods
        context.refuse(parent or container, "runAsUser", "`runAsNonRoot` rules out user 0, which is root")
    groups = [str(each.value) for each in (pods.each("supplementalGroups") if pods is not None else ())]
    extra = pods.at("fsGroup") if pods is not None else None
    groups += [str(extra.value)] if extra is not None and str(extra.value) not in groups else []
    put("groups", tuple(groups), extra, pods.at("supplementalGroups") if pods is not None else None)
    if own is not None:
        for field, key in (("privileged", "privileged"), ("read_only_root", "readOnlyRootFilesystem")):
            put(field, bool(own.read(key)), own.at(key))
        for field, key in (("cap_add", "add"), ("cap_drop", "drop")):
            names = tuple(str(each.value).removeprefix("CAP_") for each in own.each("capabilities", key))
            put(field, names, own.at("capabilities", key))
        escalation = own.at("allowPrivilegeEscalation")
        put("no_new_privileges", escalation is not None and escalation.value is False, escalation)
    for field, key in (("seccomp", "seccompProfile"), ("apparmor", "appArmorProfile")):
        profile = of(key)
        kind = profile.read("type") if profile is not None else None
        if profile is not None and kind == "Localhost":
            context.refuse(profile, "type", "the profile is a file on a node of the cluster", "write `RuntimeDefault`")
        put(field, "unconfined" if kind == "Unconfined" else None, profile)
    sysctls = [(str(each.read("name", default="")), str(each.read("value", default=""))) for each in _sysctls(pods)]
    put("sysctls", tuple(sysctls), pods.at("sysctls") if pods is not None else None)


def _sysctls(pods: Node | None) -> list[Node]:
    return pods.each("sysctls") if pods is not None else []


def _network(spec: Mapping, put: Any) -> None:
    for field, key in (("network_host", "hostNetwork"), ("ipc_host", "hostIPC"), ("pid_host", "hostPID")):
        put(field, bool(spec.read(key)), spec.at(key))
    name = spec.at("hostnameOverride") or spec.at("hostname")
    put("hostname", name.value if name is not None else None, name)
    hosts = [
        (str(host.value), str(alias.read("ip", default="")))
        for alias in spec.each("hostAliases")
        for host in alias.each("hostnames")
    ]
    put("hosts", tuple(hosts), spec.at("hostAliases"))
    for field, key in (("dns", "nameservers"), ("dns_search", "searches")):
        put(field, tuple(str(each.value) for each in spec.each("dnsConfig", key)), spec.at("dnsConfig", key))
    options = []
    for each in spec.each("dnsConfig", "options"):
        name_text, value = str(each.read("name", default="")), each.read("value")
        options.append(f"{name_text}:{value}" if value else name_text)
    put("dns_options", tuple(options), spec.at("dnsConfig", "options"))


def _lifecycle(container: Mapping, context: Context, put: Any) -> None:
    signal = container.at("lifecycle", "stopSignal")
    put("stop_signal", signal.value if signal is not None else None, signal)
    stop = container.at("lifecycle", "preStop")
    if stop is None:
        return
    command = stop.at("exec", "command")
    if command is not None:
        put("before_stop", tuple(str(each.value) for each in stop.each("exec", "command")), command)
    elif stop.at("sleep") is not None:
        put("before_stop", ("sleep", str(stop.read("sleep", "seconds", default=0))), stop.at("sleep"))
    else:
        note = "nothing goes before the stop: only a command or a pause could, no request over the network"
        context.decide(container.at("lifecycle"), "preStop", "ignored", note)


def _with_static(text: str, container: Mapping) -> str:
    """`$(NAME)` in a probe's command, as the node puts it in: the value as it stands in the manifest, nothing for one
    that comes from elsewhere."""
    values = {str(each.read("name", default="")): str(each.read("value") or "") for each in container.each("env")}
    pieces = expand(text, lambda name: (Piece(text=values[name]),) if name in values else None)
    return literal(pieces) or ""


def _liveness(container: Mapping, context: Context) -> Probe | None:
    """The probe that kills a container which hangs; a request over the network is made by a command of the image."""
    probe = container.at("livenessProbe")
    if probe is None:
        context.decide(container, "startupProbe", "ignored", "nobody waits for a batch job to be ready")
        return None
    argv = tuple(_with_static(str(each.value), container) for each in probe.each("exec", "command"))
    if not argv:
        note = "nobody looks whether it hangs: a command inside it could be tried (`exec`), no request over the network"
        context.decide(container, "livenessProbe", "ignored", note)
        context.decide(container, "startupProbe", "ignored", "no liveness probe waits for it")
        return None
    start = container.at("startupProbe")
    delay = int(probe.read("initialDelaySeconds", default=0))
    if start is not None:
        delay += int(start.read("initialDelaySeconds", default=0))
        delay += int(start.read("periodSeconds") or 10) * int(start.read("failureThreshold") or 3)
        note = "the liveness probe begins when the time for starting is over"
        context.decide(container, "startupProbe", "approximated", note)
        pair = pair_of(container, "startupProbe")
        if pair is not None:
            context.put("isolation.liveness", pair.value)
    return Probe(
        argv=argv,
        period_s=int(probe.read("periodSeconds") or 10),
        timeout_s=int(probe.read("timeoutSeconds") or 1),
        delay_s=delay,
        failures=int(probe.read("failureThreshold") or 3),
    )
