"""What the operator of PyTorchJob puts into the environment of its pods."""

from __future__ import annotations

from flowc.frontends.k8s.findings import int_at, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.objects import Gang
    from flowc.yamldoc.node import Node

TORCH_PORT = "23456"
_SERVERS = ("etcd", "etcd-v2")  # backends that meet at a server of their own, not at the first machine


def add_torch(found: Environment, gang: Gang, context: Context) -> None:
    """The variables of a PyTorchJob; those that the manifest sets itself are kept."""
    each = int(gang.slots) if gang.slots is not None and gang.slots.isascii() and gang.slots.isdigit() else 1
    known = {
        "MASTER_PORT": TORCH_PORT,
        "WORLD_SIZE": str(gang.nodes * each),
        "PET_NNODES": str(gang.nodes),
        "PET_MASTER_PORT": TORCH_PORT,
        "PET_NPROC_PER_NODE": gang.slots or "auto",
        "PYTHONUNBUFFERED": "1",
    }
    if gang.nodes == 1:
        known |= {"MASTER_ADDR": "localhost", "PET_MASTER_ADDR": "localhost", "RANK": "0", "PET_NODE_RANK": "0"}
    facts = {"MASTER_ADDR": "head_ip", "PET_MASTER_ADDR": "head_ip", "RANK": "rank", "PET_NODE_RANK": "rank"}
    elastic = context.job.node.at("spec", "elasticPolicy")
    if elastic is not None:
        known |= _elastic(elastic, gang)
        if "PET_RDZV_ENDPOINT" not in known:
            facts["PET_RDZV_ENDPOINT"] = "head_ip"
    for name, value in known.items():
        if found.lookup(name) is None:
            found.known[name] = value
    for name, fact in facts.items() if gang.nodes > 1 else ():
        if found.lookup(name) is None:
            found.facts[name] = fact


def _elastic(policy: Node, gang: Gang) -> dict[str, str]:
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
        known["PET_RDZV_ENDPOINT"] = f"{text_at(policy, 'rdzvHost') or ''}:{port if port is not None else TORCH_PORT}"
    elif gang.nodes == 1:
        known["PET_RDZV_ENDPOINT"] = "localhost"
    return known
