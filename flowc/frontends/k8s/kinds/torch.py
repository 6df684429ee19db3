"""What the operator of PyTorchJob checks, and puts into the environment of its pods."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import given, int_at, key_span, text_at
from flowc.frontends.k8s.kinds.known import ROLES, own_port
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.findings import Findings
    from flowc.frontends.k8s.objects import Gang
    from flowc.yamldoc.node import Node

CONTROLLERS = ("kubeflow.org/training-operator", "kueue.x-k8s.io/multikueue")
_SERVERS = ("etcd", "etcd-v2")  # backends that meet at a server of their own, not at the first machine


def service_name(findings: Findings, node: Mapping) -> None:
    """The object's name is a Service's too."""
    name = node.at("metadata", "name")
    if name is not None and isinstance(name.value, str) and names.is_label(name.value):
        names.service_name(findings, name, "metadata.name")


def check(findings: Findings, node: Mapping, kind: str = "PyTorchJob") -> None:
    """Check the spec of a PyTorchJob, XGBoostJob or JAXJob, without its pods."""
    service_name(findings, node)
    key, roles = ROLES[kind]
    path = f"spec.{key}"
    specs = node.at("spec", key)
    if isinstance(specs, Mapping) and not given(specs, roles):
        said = "`Master`, `Worker` or both" if len(roles) > 1 else "`Worker`"
        findings.required(specs, f"{path}.Worker", f"name the pods that are to run: {said}")
    elif isinstance(specs, Mapping) and kind == "XGBoostJob" and not given(specs, ("Master",)):
        findings.required(specs, f"{path}.Master", "must be present")
    for pair in node.pairs_at("spec", key):
        where, count = f"{path}.{pair.key.text}", pair.value.at("replicas")
        number = int_at(count) if count is not None else None
        if count is not None and number is not None:
            if pair.key.text == "Master" and number != 1:
                findings.forbidden(count.span, f"{where}.replicas", "must be 1")
            elif number < 1:
                findings.forbidden(count.span, f"{where}.replicas", "must be at least 1")
    elastic = node.at("spec", "elasticPolicy")
    if elastic is not None:
        if node.at("spec", "pytorchReplicaSpecs", "Worker") is None:
            findings.required(elastic, f"{path}.Worker", "must be configured if elastic policy is used")
        if elastic.at("nProcPerNode") is not None and node.at("spec", "nprocPerNode") is not None:
            detail = "must not be used with spec.nprocPerNode"
            findings.forbidden(key_span(elastic, "nProcPerNode"), "spec.elasticPolicy.nProcPerNode", detail)
    manager = node.at("spec", "runPolicy", "managedBy")
    if manager is not None and isinstance(manager.value, str) and manager.value not in CONTROLLERS:
        findings.unsupported(manager, "spec.runPolicy.managedBy", CONTROLLERS)


def add_torch(found: Environment, gang: Gang, context: Context) -> None:
    """The variables of a PyTorchJob; those that the manifest sets itself are kept."""
    each = int(gang.slots) if gang.slots is not None and gang.slots.isascii() and gang.slots.isdigit() else 1
    master_port = str(own_port(context.job.pod_spec, "PyTorchJob"))
    known = {
        "MASTER_PORT": master_port,
        "WORLD_SIZE": str(gang.nodes * each),
        "PET_NNODES": str(gang.nodes),
        "PET_MASTER_PORT": master_port,
        "PET_NPROC_PER_NODE": gang.slots or "auto",
        "PYTHONUNBUFFERED": "1",
    }
    if gang.nodes == 1:
        known |= {"MASTER_ADDR": "localhost", "PET_MASTER_ADDR": "localhost", "RANK": "0", "PET_NODE_RANK": "0"}
    facts = {"MASTER_ADDR": "head_ip", "PET_MASTER_ADDR": "head_ip", "RANK": "rank", "PET_NODE_RANK": "rank"}
    elastic = context.job.node.at("spec", "elasticPolicy")
    if elastic is not None:
        known |= _elastic(elastic, gang, master_port)
        host, backend = elastic.at("rdzvHost"), text_at(elastic, "rdzvBackend")
        if host is not None and backend in _SERVERS and _in_cluster(str(host.value)):
            context.gather(codes.POD_NAMES, f"`{host.value}`", host.span)
        if "PET_RDZV_ENDPOINT" not in known:
            facts["PET_RDZV_ENDPOINT"] = "head_ip"
    for name, value in known.items():
        if found.lookup(name) is None:
            found.known[name] = value
    for name, fact in facts.items() if gang.nodes > 1 else ():
        if found.lookup(name) is None:
            found.facts[name] = fact


def _in_cluster(host: str) -> bool:
    """Whether a name is one of a cluster's own, which no other network knows."""
    return ("." not in host and ":" not in host) or "svc" in host.split(".")


def _elastic(policy: Node, gang: Gang, master_port: str) -> dict[str, str]:
    """The variables of an elastic job. Its machines meet at the first of them, at the port that torchrun has for it."""
    backend = text_at(policy, "rdzvBackend") or "c10d"
    known = {"PET_RDZV_BACKEND": backend}
    for name, key in (("PET_MAX_RESTARTS", "maxRestarts"), ("PET_NPROC_PER_NODE", "nProcPerNode")):
        number = int_at(policy, key)
        if number is not None:
            known[name] = str(number)
    known |= {"PET_RDZV_ID": text} if (text := text_at(policy, "rdzvId")) is not None else {}
    pairs = [f"{each.read('key', default='')}={each.read('value', default='')}" for each in policy.each("rdzvConf")]
    known |= {"PET_RDZV_CONF": ",".join(pairs)} if pairs else {}
    known |= {"PET_STANDALONE": ""} if policy.read("standalone") else {}
    port = int_at(policy, "rdzvPort")
    if backend in _SERVERS:
        known["PET_RDZV_ENDPOINT"] = f"{text_at(policy, 'rdzvHost') or ''}:{port if port is not None else master_port}"
    elif gang.nodes == 1:
        known["PET_RDZV_ENDPOINT"] = "localhost"
    return known
