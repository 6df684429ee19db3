"""A cluster as the text of a profile: a line for each partition, and for each feature that tells a GPU model."""

from __future__ import annotations

import json

from flowc.profile.cluster.ranges import clock
from flowc.profile.cluster.site import section, site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.profile.cluster.nodes import Cluster, Node, Partition

# Where nothing else is known.
_OPEN = "MODEL"


def written(cluster: Cluster) -> str:
    """The sections `partitions`, `constraints`, `defaults` and `cluster`; what has no word there as comments."""
    text = "partitions:\n"
    fields = {each.name: _fields(each, cluster) for each in cluster.partitions}
    for each in cluster.partitions:
        text += "".join(f"  # {line}\n" for line in _notes(each, cluster))
        text += f"  {_key(each.name)}: {_shown(fields[each.name])}\n"
    features = _features(cluster)
    if features:
        text += "constraints:\n" + "".join(
            f"  {_key(name)}: {{gpu: {_key(kind)}}}\n" for name, kind in features.items()
        )
    limits = section(site(cluster))
    default = next((each for each in cluster.partitions if each.default), None)
    if default is None or not fields[default.name]:
        return text + limits
    # A job of another partition that says nothing of a field must not get the default one's.
    own = {key: value for key, value in fields[default.name].items() if all(key in each for each in fields.values())}
    left = [key for key in fields[default.name] if key not in own]
    if left:
        text += f"# Jobs without a partition went to {default.name}, and had its {', '.join(left)}: `-p` says so.\n"
    return text + (f"defaults: {_shown(own)}\n" if own else "") + limits


def _fields(partition: Partition, cluster: Cluster) -> dict[str, str]:
    nodes = [cluster.nodes[name] for name in partition.nodes]
    kinds, counts = _kinds(nodes), {sum(count for _, count in node.gpus) for node in nodes}
    found: dict[str, str] = {}
    if len(kinds) == 1 and None not in kinds:
        found["gpu"] = _key(str(next(iter(kinds))))
    if partition.exclusive and len(counts) == 1 and counts != {0}:
        found["gpus"] = str(next(iter(counts)))
    if partition.memory_per_node is not None:
        found["memory"] = f"{partition.memory_per_node}M"
    if partition.minutes is not None:
        found["time"] = clock(partition.minutes)
    return found


def _notes(partition: Partition, cluster: Cluster) -> list[str]:
    """What is known of a partition and has no field."""
    nodes = [cluster.nodes[name] for name in partition.nodes]
    kinds = _kinds(nodes)
    found = [
        f"{len(nodes):,} {'node' if len(nodes) == 1 else 'nodes'}" + (", the default" if partition.default else "")
    ]
    if len(kinds) > 1 or None in kinds:
        names = ", ".join(sorted(str(kind) for kind in kinds if kind is not None))
        found.append(
            f"GPUs of several models ({names}): gpu: {_OPEN}" if names else f"GPUs of a model not said: gpu: {_OPEN}"
        )
    if partition.max_minutes is not None:
        found.append(f"at most {clock(partition.max_minutes)}")
    if partition.max_nodes is not None or partition.min_nodes > 1:
        most = "any number of" if partition.max_nodes is None else f"{partition.max_nodes:,}"
        found.append(f"{max(partition.min_nodes, 1):,} to {most} nodes a job")
    for size, what in ((partition.memory_per_cpu, "CPU"), (partition.memory_per_gpu, "GPU")):
        if size is not None:
            found.append(f"a job that asks for no memory gets {size:,} MB a {what}: `--mem-per-{what.lower()}={size}`")
    return found


def _kinds(nodes: Iterable[Node]) -> set[str | None]:
    return {kind for node in nodes for kind, _ in node.gpus}


def _features(cluster: Cluster) -> dict[str, str]:
    """The features whose nodes with GPUs all have those of one model."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(feature for node in cluster.nodes.values() for feature in node.features):
        kinds = _kinds(node for node in cluster.nodes.values() if name in node.features)
        if len(kinds) == 1 and None not in kinds:
            found[name] = str(next(iter(kinds)))
    return found


def _shown(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def _key(text: str) -> str:
    return text if text.replace("_", "a").replace("-", "a").isalnum() and text[:1].isalpha() else json.dumps(text)
