"""Objects that join several kinds of pods: which of them can be the machines of one bid.

All machines of a bid are the same and run the same image. What the pods start, and the variables they start it with,
may differ: a shell of the image chooses by the machine's rank (`container.ranks`). What one of them needs least, the
others may have too.
"""

from __future__ import annotations

from flowc.diag.codes.k8s import objects as codes
from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.findings import place
from flowc.frontends.k8s.machine import needs
from flowc.frontends.k8s.objects import Part
from flowc.yamldoc.node import Mapping, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Node

RANKED = ("command", "args", "env")  # a shell chooses among these
WRITE_AMOUNT = "write it as Kubernetes does, such as `4`, `500m` or `16Gi`"
ALIKE = "the machines of a bid are alike: they are what the pods of `{name}` ask for"
# What may differ between pods, and what becomes of it where it does.
_OF_PODS = {
    **dict.fromkeys(("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints"), ALIKE),
    "restartPolicy": "the machines of a bid start again together, as the pods of `{name}` do",
    "volumes": "all machines have the volumes of the pods of `{name}`",
}
_OF_CONTAINERS = {
    "resources": ALIKE,
    "volumeMounts": "all machines have the mounts of the pods of `{name}`",
    "ports": "the ports of the pods of `{name}` are opened",
    **dict.fromkeys(
        ("livenessProbe", "readinessProbe", "startupProbe"), "all machines are watched as the pods of `{name}` are"
    ),
}


class Pods:
    """Pods of one kind: `count` of them, `each` to a Job where a JobSet makes several of it."""

    __slots__ = ("count", "each", "holder", "name", "path", "template")

    def __init__(self, name: str, count: int, holder: Node, template: Node | None, path: str) -> None:
        self.name = name
        self.count = count
        self.each = count
        self.holder = holder
        self.template = template
        self.path = path

    @property
    def spec(self) -> Node | None:
        return self.template.at("spec") if self.template is not None else None

    @property
    def container(self) -> Mapping | None:
        found = self.spec.each("containers") if self.spec is not None else []
        return found[0] if len(found) == 1 and isinstance(found[0], Mapping) else None


def same(pods: list[Pods]) -> bool:
    """Whether all pods are the same, names of their containers aside."""
    return all(said(each) == said(pods[0]) for each in pods[1:])


def joined(pods: list[Pods], sink: Sink, *, started: bool = False) -> tuple[Pods, tuple[Part, ...]] | None:
    """The pods after which the machines are made, and all parts in the order of their ranks; None after a report.
    `started`: the kind's operator says what they start, whatever the image would."""
    for each in pods:
        try:
            _size(each)
        except quantity.QuantityError as error:
            report(each, "an amount in `resources` cannot be read", error.expected, sink, WRITE_AMOUNT)
            return None
    base = max(pods, key=_size)
    for each in pods:
        where = None if each is base else _difference(base, each, started=started)
        if where is not None:
            report(each, f"`{where}` differs", f"the same as in `{base.name}`", sink)
            return None
    like = same(pods)
    parts = [
        Part(
            name=each.name, count=each.count, each=each.each, container=None if like else each.container, pod=each.spec
        )
        for each in pods
    ]
    return base, tuple(parts)


def report(pods: Pods, found: str, expected: str, sink: Sink, help: str | None = None) -> None:
    help = help or "make the pods the same, with a program that looks at its rank; or write a Job for each"
    sink.report(codes.NOT_ONE_GANG, place(pods.holder), help=help, path=pods.path, found=found, expected=expected)


def said(pods: Pods) -> Any:
    """What a pod says, but for the names of its containers."""
    found = plain(pods.spec) if pods.spec is not None else {}
    for container in found.get("containers") or () if isinstance(found, dict) else ():
        if isinstance(container, dict):
            container.pop("name", None)
    return found


def _size(pods: Pods) -> tuple[int, int, int]:
    amounts = [needs.amount_of(each) for each in (pods.spec.each("containers") if pods.spec is not None else ())]
    return (
        sum(each.gpus for each in amounts),
        sum(each.memory_bytes for each in amounts),
        sum(each.milli_cpus for each in amounts),
    )


def _difference(base: Pods, other: Pods, *, started: bool) -> str | None:
    """The first place at which other pods differ from those of `base` in what cannot be chosen on the machine."""
    one, two = said(base), said(other)
    if one == two:
        return None
    if base.container is None or other.container is None:
        return first_difference(one, two, "template.spec")
    own, theirs = one.pop("containers")[0], two.pop("containers")[0]
    inside = "template.spec.containers[0]"
    changed = [key for key in RANKED if own.get(key) != theirs.get(key)]
    if (
        changed and not started and not (own.get("command") and theirs.get("command"))
    ):  # what the image starts is not known here
        return f"{inside}.{changed[0]}"
    if not _fits(base.container, other.container):
        return f"{inside}.resources"
    for key in ("volumes", "volumeMounts"):
        holder, where = (one, two) if key == "volumes" else (own, theirs)
        if any(each not in (holder.get(key) or []) for each in where.get(key) or []):
            return f"template.spec.{key}" if key == "volumes" else f"{inside}.{key}"
    for key in (*RANKED, *_OF_CONTAINERS):
        own.pop(key, None)
        theirs.pop(key, None)
    for key in _OF_PODS:
        one.pop(key, None)
        two.pop(key, None)
    if one != two:
        return first_difference(one, two, "template.spec")
    return first_difference(own, theirs, inside) if own != theirs else None


def _fits(base: Mapping, other: Mapping) -> bool:
    """Whether the container asks for no more than another one, of nothing that the other does not ask for."""
    for name, _ in needs.resource_names(other):
        more = needs.scaled(needs.asked(other, name))
        if more <= needs.scaled(needs.asked(base, name)):
            continue
        if more > _LEAST.get(name, 0) * quantity.NANO or base.at("resources", "limits", name) is not None:
            return False
    return True


# Every machine that is sold has so much, whatever is asked for.
_LEAST = {"cpu": 8, "memory": 32 << 30, "ephemeral-storage": 64 << 30}


def first_difference(a: object, b: object, path: str) -> str:
    """The first place at which two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            if a.get(key) != b.get(key):
                return first_difference(a.get(key), b.get(key), f"{path}.{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            if one != other:
                return first_difference(one, other, f"{path}[{index}]")
    return path


def tell(main: Mapping, context: Context) -> None:
    """What became of what the pods differ in, but for what each of them starts."""
    job = context.job
    assert job.gang is not None
    name = next((each.name for each in job.gang.parts if each.pod is job.pod_spec), job.gang.parts[0].name)
    for part in job.gang.parts:
        if part.container is None or part.pod is None or part.container is main:
            continue
        for holder, own, notes in (
            (part.pod, job.pod_spec, _OF_PODS),
            (part.container, main, _OF_CONTAINERS),
        ):
            for key, note in notes.items():
                theirs = holder.at(key)
                if theirs is not None and plain(theirs) != (plain(found) if (found := own.at(key)) else None):
                    context.decide(holder, key, "approximated", note.format(name=name))
