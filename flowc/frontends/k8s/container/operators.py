"""What the training operator puts into the environment of the pods of an XGBoostJob or a JAXJob."""

from __future__ import annotations

from flowc.frontends.k8s.container.expand import Piece
from flowc.frontends.k8s.kinds.known import own_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.container.expand import Pieces
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.objects import Gang

# What the first machine's address and port, the number of machines and the own one are called.
NAMES = {
    "XGBoostJob": ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK"),
    "JAXJob": ("COORDINATOR_ADDRESS", "COORDINATOR_PORT", "NUM_PROCESSES", "PROCESS_ID"),
}
WORKERS, WORKER_PORT = "WORKER_ADDRS", "WORKER_PORT"


def add(found: Environment, gang: Gang, context: Context) -> None:
    """The variables of a job of NAMES; those that the manifest sets itself are kept."""
    kind = context.job.kind
    address, port, count, rank = NAMES[kind]
    known = {port: str(own_port(context.job.pod_spec, kind)), count: str(gang.nodes), "PYTHONUNBUFFERED": "1"}
    if gang.nodes == 1:
        known |= {address: "localhost", rank: "0"}
    elif kind == "XGBoostJob":
        known[WORKER_PORT] = str(own_port(gang.parts[-1].pod if gang.parts else context.job.pod_spec, kind))
    for name, value in known.items():
        if found.lookup(name) is None:
            found.known[name] = value
    for name, fact in {address: "head_ip", rank: "rank"}.items() if gang.nodes > 1 else ():
        if found.lookup(name) is None:
            found.facts[name] = fact


def workers(gang: Gang) -> Pieces:
    """The addresses of all machines but the first, as an XGBoostJob is told them."""
    from flowc.frontends.k8s.container import peers

    pieces = list[Piece]()
    for rank in range(1, gang.nodes):
        pieces += [Piece(text=",")] if rank > 1 else []
        pieces.append(Piece(text=peers.address(rank), late=True))
    return tuple(pieces)
