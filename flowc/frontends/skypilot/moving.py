"""`--move`: what pins a task to another cloud is left out, and told."""

from __future__ import annotations

from flowc._compiled.k8s_gpus import MACHINES
from flowc.frontends.skypilot.image import PREFIX, is_container
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, Scalar, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

    from flowc.yamldoc.ledger import Ledger
    from flowc.yamldoc.node import Node, Pair

# Instance types of other clouds without GPUs: `m5.large`, `n2-standard-8`, `Standard_D8s_v5`, `s-1vcpu-1gb`,
# `VM.Standard.E4.Flex$_2_16`.
_foreign = at_first_use(
    r"[a-z][a-z0-9]*[0-9][a-z0-9-]*\.[a-z0-9]+|[a-z][0-9][a-z]?-[a-z]+-[0-9]+[a-z]?|Standard_\w+"
    r"|[a-z]{1,2}-[0-9]+vcpu-[0-9]+gb(?:-[a-z]+)?|(?:VM|BM)\.(?:Standard|Optimized|DenseIO)[0-9A-Za-z.]*(?:\$_\w+)?",
    "fullmatch",
)
# Clouds whose machines are containers.
_CONTAINERS = ("k8s", "kubernetes", "ssh", "runpod", "vast")
_COUNTS = ("replicas", "min_replicas", "max_replicas")


def leave_out_service(task: Mapping, ledger: Ledger) -> bool:
    """One replica of a service is a job that answers until it is cancelled; that it would have more is a warning."""
    pair = task.pair("service")
    if pair is None or not isinstance(pair.value, Mapping):
        return False
    policy = pair.value.at("replica_policy")
    holders = [pair.value, *([policy] if isinstance(policy, Mapping) else [])]
    said = [found for each in holders for key in _COUNTS if (found := each.pair(key)) is not None]
    more = [found for found in said if _number(found.value) not in (None, 1)]
    reason = "its one replica is this job, which answers until it is cancelled"
    if more:
        written = " and ".join(f"`{each.key.text}: {each.value.value!s}`" for each in more)
        reason = f"one replica is this job, which answers until it is cancelled; there are no others ({written})"
        ledger.decide(pair, "approximated", reason)
    else:
        ledger.leave_out(pair, reason)
    return True


def _number(node: Node) -> int | None:
    """None where it is not said; 0 for what is no number."""
    if is_null(node):
        return None
    return int(node.text) if isinstance(node, Scalar) and node.text.isdecimal() else 0


def leave_out_image(pair: Pair, ledger: Ledger) -> None:
    """An image of machines, for which the machines here have their own."""
    ledger.leave_out(pair, "an image of another cloud's machines; the machines here have Ubuntu with NVIDIA's driver")


def of_containers(pair: Pair, resources: Node | None) -> bool:
    """Whether the image is a container's, as it is without `docker:` too where pods or containers are the machines;
    else its form says so."""
    node = pair.value
    nodes = [each.value for each in node.pairs] if isinstance(node, Mapping) else [node]
    texts = [str(each.value or "").strip() for each in nodes]
    if any(text.startswith(PREFIX) for text in texts) or (isinstance(node, Mapping) and "docker" in node):
        return True
    place = resources.read("infra") or resources.read("cloud") if isinstance(resources, Mapping) else None
    if str(place or "").strip().lower().partition("/")[0] in _CONTAINERS:
        return any(texts)
    return len(texts) == 1 and is_container(texts[0])


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


def of_pods(task: Mapping) -> list[str]:
    """The folders and variables that a task says its pods are to have."""
    names: list[Node | None] = []
    for container in task.each("config", "kubernetes", "pod_config", "spec", "containers"):
        names += [each.at("mountPath") for each in container.each("volumeMounts")]
        names += [each.at("name") for each in container.each("env")]
    found = dict.fromkeys(each.text for each in names if isinstance(each, Scalar))
    return [f"`{name}`" for name in found if name not in ("", "/dev/shm")]
