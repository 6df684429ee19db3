"""`--move`: what pins a task to another cloud is left out, and told."""

from __future__ import annotations

from flowc._compiled.k8s_gpus import MACHINES
from flowc.frontends.skypilot.image import PREFIX
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

    from flowc.yamldoc.ledger import Ledger
    from flowc.yamldoc.node import Node, Pair

# Instance types of other clouds: `m5.large`, `n2-standard-8`, `Standard_D8s_v5`.
_foreign = at_first_use(
    r"[a-z][a-z0-9]*[0-9][a-z0-9-]*\.[a-z0-9]+|[a-z][0-9][a-z]?-[a-z]+-[0-9]+[a-z]?|Standard_\w+", "fullmatch"
)
_ONE = (None, 1)


def leave_out_service(task: Mapping, ledger: Ledger) -> bool:
    """A service of one replica is a job that answers until it is cancelled."""
    pair = task.pair("service")
    if pair is None or not isinstance(pair.value, Mapping):
        return False
    policy = pair.value.at("replica_policy")
    counts = [_number(pair.value.at("replicas")), *(_number(each.value) for each in _replicas(policy))]
    if any(count not in _ONE for count in counts):
        return False
    ledger.leave_out(pair, "its one replica is this job, which answers until it is cancelled")
    return True


def _replicas(policy: Node | None) -> list[Pair]:
    return [pair for pair in policy.pairs_at() if pair.key.text.endswith("replicas")] if policy is not None else []


def _number(node: Node | None) -> int | None:
    """None where it is not said; 0 for what is no number."""
    if node is None:
        return None
    return int(node.text) if isinstance(node, Scalar) and node.text.isdecimal() else 0


def leave_out_image(pair: Pair, ledger: Ledger) -> bool:
    """An image of machines, for which the machines here have their own; not one of containers."""
    node = pair.value
    if isinstance(node, Mapping):
        texts = [str(each.value.value or "") for each in node.pairs]
        if node.at("docker") is not None or any(text.startswith(PREFIX) for text in texts):
            return False
    elif str(node.value or "").strip().startswith(PREFIX):
        return False
    ledger.leave_out(pair, "an image of another cloud's machines; the machines here have Ubuntu with NVIDIA's driver")
    return True


def machine_of(pair: Pair, ledger: Ledger) -> tuple[str | None, int | None] | None:
    """The GPU model and count of another cloud's instance type; two times None where it has none, None for a name
    that is not one of theirs."""
    name = str(pair.value.value)
    for row in MACHINES:
        match: Match[str] | None = at_first_use(row["like"], "fullmatch")(name)
        if match is not None:
            count = int(match.expand(str(row["gpus"])))
            ledger.leave_out(pair, f"another cloud's instance type, with {count} {str(row['model']).upper()}")
            return str(row["model"]), count
    if not _foreign(name):
        return None
    ledger.leave_out(pair, "another cloud's instance type; how many CPUs and how much memory it has is not known here")
    return None, None
