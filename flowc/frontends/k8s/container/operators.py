"""What the training operator puts into the environment of the pods of an XGBoostJob or a JAXJob."""

from __future__ import annotations

from flowc.frontends.k8s.container.expand import Piece
from flowc.frontends.k8s.findings import int_at, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.container.expand import Pieces
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.objects import Gang
    from flowc.yamldoc.node import Node

# The container that the operator looks at, its port for which another may be said by that name, and what the first
# machine's address and port, the number of machines and the own one are called.
JOBS = {
    "XGBoostJob": ("xgboost", "xgboostjob-port", 9999, ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK")),
    "JAXJob": (
        "jax",
        "jaxjob-port",
        6666,
        ("COORDINATOR_ADDRESS", "COORDINATOR_PORT", "NUM_PROCESSES", "PROCESS_ID"),
    ),
}
WORKERS, WORKER_PORT = "WORKER_ADDRS", "WORKER_PORT"


def add(found: Environment, gang: Gang, context: Context) -> None:
    """The variables of a job of JOBS; those that the manifest sets itself are kept."""
    address, port, count, rank = JOBS[context.job.kind][-1]
    known = {port: str(_port(context.job.pod_spec, context)), count: str(gang.nodes), "PYTHONUNBUFFERED": "1"}
    if gang.nodes == 1:
        known |= {address: "localhost", rank: "0"}
    elif context.job.kind == "XGBoostJob":
        known[WORKER_PORT] = str(_port(gang.parts[-1].pod if gang.parts else context.job.pod_spec, context))
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


def _port(pod: Node | None, context: Context) -> int:
    container, name, usual, _ = JOBS[context.job.kind]
    for each in pod.each("containers") if pod is not None else ():
        for port in each.each("ports"):
            number = int_at(port, "containerPort")
            if text_at(each, "name") == container and text_at(port, "name") == name and number is not None:
                return number
    return usual
