"""What the operators of other kinds of object put into the environment of their pods."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.objects import Gang

TORCH_PORT = "23456"


def add_torch(found: Environment, gang: Gang) -> None:
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
    for name, value in known.items():
        if found.lookup(name) is None:
            found.known[name] = value
    facts = {"MASTER_ADDR": "head_ip", "PET_MASTER_ADDR": "head_ip", "RANK": "rank", "PET_NODE_RANK": "rank"}
    for name, fact in facts.items() if gang.nodes > 1 else ():
        if found.lookup(name) is None:
            found.facts[name] = fact
