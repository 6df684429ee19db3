"""Objects that join several kinds of pods: which of them can be the machines of one bid.

All machines of a bid are the same and run the same image. What the pods start, and the variables they start it with,
may differ: a shell of the image chooses by the machine's rank (`container.ranks`). What one of them needs, the others
have too: room, volumes, rights of their container.
"""

from __future__ import annotations

from flowc.diag.codes.k8s import objects as codes
from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.context import pair_of
from flowc.frontends.k8s.findings import place
from flowc.frontends.k8s.kinds.made import listed, put, with_items, without
from flowc.frontends.k8s.machine import needs
from flowc.frontends.k8s.objects import Part
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Node, Pair

RANKED = ("command", "args", "env")  # a shell chooses among these
WRITE_AMOUNT = "write it as Kubernetes does, such as `4`, `500m` or `16Gi`"
ALIKE = "the machines of a bid are alike: they are what the pods of `{name}` ask for"
AS_THEY = "it is for all machines as the pods of `{name}` have it"
# What may differ between pods, and what becomes of it where it does.
_OF_PODS = {
    **dict.fromkeys(("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints"), ALIKE),
    "restartPolicy": "the machines of a bid start again together, as the pods of `{name}` do",
    "volumes": "all machines have the volumes of all pods",
    "imagePullSecrets": "all machines have the logins of all pods",
    "hostAliases": "all machines know the hosts of all pods",
    "initContainers": "it runs on all machines",
    **dict.fromkeys(("terminationGracePeriodSeconds", "hostNetwork", "dnsPolicy", "enableServiceLinks"), AS_THEY),
    **dict.fromkeys(("priorityClassName", "schedulerName", "runtimeClassName", "hostname"), AS_THEY),
    **dict.fromkeys(
        ("serviceAccountName", "serviceAccount", "automountServiceAccountToken"),
        "the rights of a service account do not come with the job",
    ),
}
_OF_CONTAINERS = {
    "resources": "the machines of a bid are alike: each has room for the pod that asks for most",
    "volumeMounts": "all machines have the mounts of all pods",
    "securityContext": "it holds for the containers of all machines",
    "image": "all machines run that of the pods of `{name}`, of the same version",
    "ports": "the ports of the pods of `{name}` are opened",
    **dict.fromkeys(("imagePullPolicy", "lifecycle", "terminationMessagePath", "terminationMessagePolicy"), AS_THEY),
    **dict.fromkeys(("tty", "stdin"), "nobody watches a batch job at a terminal"),
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
    first = max(pods, key=_size)
    base = _with_all(first, pods, started=started)
    pods = [base if each is first else each for each in pods]
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
    if not _fits(base.container, other.container):
        return f"{inside}.resources"
    for key in (*_LISTS, "initContainers", "securityContext", "image"):
        holder, where = (one, two) if key in _OF_PODS else (own, theirs)
        if not _holds(key, holder.get(key), where.get(key), started=started):
            return f"template.spec.{key}" if key in _OF_PODS else f"{inside}.{key}"
    if "postStart" in (theirs.get("lifecycle") or {}) and own.get("lifecycle") != theirs["lifecycle"]:
        return f"{inside}.lifecycle"
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


# Lists of which the machines have the items of all pods.
_LISTS = {"volumes": "name", "imagePullSecrets": "name", "hostAliases": "ip", "volumeMounts": "mountPath"}
# By which an init container waits for another pod: on that pod's machine it would wait for itself.
_waits = at_first_use(r"\b(?:nslookup|getent|dig|ping|nc|ncat|wait-for|until|while)\b", "search")
_hosts = at_first_use(r"\b(?:nslookup|getent|dig|ping|nc|ncat|wait-for)\b", "search")
_works = at_first_use(
    r"\b(?:curl|wget|git|aws|gsutil|gcloud|pip3?|tar|rsync|cp|mv|python3?|conda|apt)\b|>\s*/(?!dev)", "search"
)
_sleeps = at_first_use(r"(?:(?:/bin/)?(?:ba)?sh -c )?sleep [0-9.]+[smh]?", "fullmatch")
# What of a securityContext only gives more.
RIGHTS = {"capabilities", "privileged", "allowPrivilegeEscalation"}


def _with_all(base: Pods, pods: list[Pods], *, started: bool) -> Pods:
    """The pods with what the others need beside that, as far as it can be put together."""
    spec, container = base.spec, base.container
    for each in pods:
        if each is base or not isinstance(spec, Mapping) or container is None or each.container is None:
            continue
        assert each.spec is not None
        for key, name in _LISTS.items():
            if key in _OF_PODS:
                spec = with_items(spec, each.spec, key, name) or spec
            else:
                container = with_items(container, each.container, key, name) or container
        pair = each.spec.pair("initContainers") if isinstance(each.spec, Mapping) else None
        if pair is not None and spec.at("initContainers") is None and _waits(_words(plain(pair.value))) is None:
            spec = put(spec, "initContainers", pair.value, pair)
        container = _larger(entitled(container, each.container), each.container)
        if started and (image := _newer(container, each.container)) is not None:
            container = put(container, "image", image.value, image)
    if not isinstance(spec, Mapping) or container is None or (spec is base.spec and container is base.container):
        return base
    spec = put(spec, "containers", listed([container], container))
    assert isinstance(base.template, Mapping)
    found = Pods(base.name, base.count, base.holder, put(base.template, "spec", spec), base.path)
    found.each = base.each
    return found


def _holds(key: str, own: Any, theirs: Any, *, started: bool) -> bool:
    """Whether what the machines have serves a pod that says something else of it, or nothing."""
    if own == theirs:
        return True
    if key in _LISTS:
        return all(each in (own or []) for each in theirs or [])
    if key == "initContainers":
        return not theirs and _waits(_words(own)) is None
    if key == "securityContext":
        return theirs is None and isinstance(own, dict) and own.keys() <= RIGHTS
    return started and isinstance(own, str) and own.startswith(f"{theirs}-")


def waiting(spec: Node) -> bool:
    """Whether the init containers of a pod only wait, for other pods or for some time."""
    said = _words(_said(spec, "initContainers"))
    return _sleeps(said) is not None or (_hosts(said) is not None and _works(said) is None)


def works(spec: Node) -> bool:
    """Whether its init containers wait for nothing."""
    return _waits(_words(_said(spec, "initContainers"))) is None


def _words(containers: Any) -> str:
    """What containers start."""
    every = [each.get(key) or [] for each in containers or () for key in ("command", "args")]
    return " ".join(str(word) for words in every for word in words)


def has_more(own: Mapping, other: Mapping) -> bool:
    """Whether the other's container alone says something of its rights, and only of more."""
    rights = {pair.key.text for pair in other.pairs_at("securityContext")}
    return own.at("securityContext") is None and bool(rights) and rights <= RIGHTS


def entitled(own: Mapping, other: Mapping) -> Mapping:
    """The container with the rights that the other's alone has."""
    pair = other.pair("securityContext")
    return put(own, "securityContext", pair.value, pair) if pair is not None and has_more(own, other) else own


def _larger(own: Mapping, other: Mapping) -> Mapping:
    """The container with as much of what every machine has as the other asks for, and may use."""
    found = own.at("resources")
    theirs = other.at("resources")
    if not isinstance(theirs, Mapping):
        return own
    if not isinstance(found, Mapping):
        found = Mapping(own.source, own.start, own.start, [])
    changed = False
    for name in _LEAST:
        most, bound, others = needs.asked(other, name), found.at("limits", name), theirs.at("limits", name)
        asked = needs.asked(own, name)
        if most is not None and needs.scaled(most) > needs.scaled(asked):
            found, changed = _amount(found, "requests", name, most, theirs), True
        if bound is not None and (others is None or needs.scaled(others) > needs.scaled(bound)):
            if others is None and needs.asked(other, name) is None:
                continue  # it asks for nothing, so that the bound was not meant for it
            if asked is bound:  # the limit was the request too
                found = _amount(found, "requests", name, max(asked, most or asked, key=needs.scaled), theirs)
            found, changed = _amount(found, "limits", name, others, theirs), True
    return put(own, "resources", found, own.pair("resources") or other.pair("resources")) if changed else own


def _amount(resources: Mapping, part: str, name: str, amount: Node | None, other: Mapping) -> Mapping:
    """The resources with another amount of one; None: without it."""
    held = resources.at(part)
    held = held if isinstance(held, Mapping) else Mapping(resources.source, resources.start, resources.start, [])
    held = without(held, name) if amount is None else put(held, name, amount)
    return put(resources, part, held, resources.pair(part) or other.pair(part))


def _newer(own: Mapping, other: Mapping) -> Pair | None:
    """Of two builds of one version of an image (`ray:2.9.0`, `ray:2.9.0-gpu`) the one for which more is said."""
    mine, theirs = str(own.read("image", default="")), str(other.read("image", default=""))
    return other.pair("image") if theirs.startswith(f"{mine}-") and ":" in mine.rpartition("/")[2] else None


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
    parts = [part for part in job.gang.parts if part.container is not None and part.pod is not None]
    for part in parts:
        for holder, own, notes, every in (
            (part.pod, job.pod_spec, _OF_PODS, [each.pod for each in parts]),
            (part.container, main, _OF_CONTAINERS, [each.container for each in parts]),
        ):
            assert holder is not None
            for key, note in notes.items():
                theirs = _said(holder, key)
                given = holder is not own and pair_of(own, key) is pair_of(holder, key)
                spread = key in _SPREAD and (given or any(_said(each, key) is None for each in every))
                if theirs is not None and (spread or (part.container is not main and theirs != _said(own, key))):
                    context.decide(holder, key, "approximated", note.format(name=name))


# What all machines have where one of the pods says it.
_SPREAD = ("initContainers", "securityContext")


def _said(holder: Node | None, key: str) -> Any:
    found = holder.at(key) if holder is not None else None
    return plain(found) if found is not None else None
