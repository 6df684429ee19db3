"""A cluster as what it would have refused: nodes that are alike as one line, partitions with their limits; as the
section `cluster` of a profile, and back."""

from __future__ import annotations

import json

from flowc.ir.site import Limits, Machine, Site
from flowc.override.apply import parse_duration
from flowc.profile.cluster.ranges import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.profile.cluster.nodes import Cluster, Partition


def site(cluster: Cluster) -> Site:
    within: dict[str, list[str]] = {}
    for part in cluster.partitions:
        for name in part.nodes:
            within.setdefault(name, []).append(part.name)
    kinds: dict[Machine, int] = {}
    for node in cluster.nodes.values():
        machine = Machine(
            count=1,
            cpus=node.cpus,
            memory_mb=node.memory_mb,
            gpus=tuple(_summed(node.gpus)),
            features=tuple(sorted(set(node.features))),
            partitions=tuple(within.get(node.name, ())),
        )
        kinds[machine] = kinds.get(machine, 0) + 1
    machines = tuple(each.replace(count=count) for each, count in kinds.items())
    return Site(
        enforce=cluster.enforce,
        partitions=tuple(map(_limits, cluster.partitions)),
        machines=machines,
        indices=cluster.indices,
        timed=cluster.timed,
        licenses=cluster.licenses,
    )


def _summed(gpus: tuple[tuple[str | None, int], ...]) -> list[tuple[str | None, int]]:
    found: dict[str | None, int] = {}
    for kind, count in gpus:
        found[kind] = found.get(kind, 0) + count
    return [*found.items()]


def _limits(part: Partition) -> Limits:
    return Limits(
        name=part.name,
        default=part.default,
        state=part.state,
        max_s=None if part.max_minutes is None else part.max_minutes * 60,
        min_nodes=part.min_nodes,
        max_nodes=part.max_nodes,
        max_cpus_per_node=part.max_cpus_per_node,
        memory_per_node=part.memory_per_node,
        memory_per_cpu=part.memory_per_cpu,
        max_memory_per_node=part.max_memory_per_node,
        exclusive=part.exclusive,
        root_only=part.root_only,
        reserved=part.reserved,
    )


# A type of GPUs that no file says.
ANY = "any"


def section(found: Site) -> str:
    """The text that says it in a profile."""
    text = f"cluster:\n  enforce: {json.dumps(found.enforce)}\n"
    if found.indices is not None:
        text += f"  indices: {found.indices}\n"
    if found.timed:
        text += "  timed: true\n"
    if found.licenses is not None:
        text += f"  licenses: {_line(dict(found.licenses))}\n"
    text += "  limits:\n"
    for part in found.partitions:
        text += f"    {json.dumps(part.name)}: {_line(_limits_told(part))}\n"
    return text + "  machines:\n" + "".join(f"    - {_line(_machine_told(each))}\n" for each in found.machines)


def _limits_told(part: Limits) -> dict[str, Any]:
    told = {name: value for name, value in vars(part).items() if value != Limits.DEFAULTS.get(name) and name != "name"}
    if "max_s" in told:
        told = {"time": clock(told.pop("max_s") // 60), **told}
    return told


def _machine_told(each: Machine) -> dict[str, Any]:
    told: dict[str, Any] = {"count": each.count, "cpus": each.cpus, "memory": each.memory_mb}
    if each.gpus:
        told["gpus"] = {kind or ANY: count for kind, count in each.gpus}
    for name in ("features", "partitions"):
        if getattr(each, name):
            told[name] = list(getattr(each, name))
    return told


def _line(fields: dict[str, Any]) -> str:
    """YAML in one line, which JSON is."""
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in fields.items()) + "}"


def site_of(content: dict[str, Any]) -> Site:
    """What a checked section says. Raises ValueError for a time that is none."""
    return Site(
        enforce=content.get("enforce") or "no",
        partitions=tuple(_limits_of(name, fields or {}) for name, fields in content["limits"].items()),
        machines=tuple(_machine_of(each) for each in content["machines"]),
        indices=content.get("indices"),
        timed=bool(content.get("timed")),
        licenses=None if content.get("licenses") is None else tuple(content["licenses"].items()),
    )


def _limits_of(name: str, fields: dict[str, Any]) -> Limits:
    given = {key: value for key, value in fields.items() if value is not None}
    if "time" in given:
        text = str(given.pop("time"))
        given["max_s"] = parse_duration(text)
        if given["max_s"] is None:
            raise ValueError(text)
    return Limits(name=name, **given)


def _machine_of(fields: dict[str, Any]) -> Machine:
    return Machine(
        count=fields["count"],
        cpus=fields.get("cpus") or 1,
        memory_mb=fields.get("memory") or 1,
        gpus=tuple((None if kind == ANY else kind, count) for kind, count in (fields.get("gpus") or {}).items()),
        features=tuple(fields.get("features") or ()),
        partitions=tuple(fields.get("partitions") or ()),
    )
