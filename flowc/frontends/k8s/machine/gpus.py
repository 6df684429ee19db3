"""Which GPU: labels of nodes, instance types of other clouds, affinity; and the resources that are no GPUs for rent."""

from __future__ import annotations

from flowc._compiled import k8s_gpus as data
from flowc.diag.codes import resolve
from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.diag.codes.override import LEFT_OUT
from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.context import pair_of
from flowc.frontends.k8s.machine import labels, models
from flowc.frontends.k8s.machine.labels import Kinds, Requirement
from flowc.frontends.k8s.machine.needs import (
    PARTS,
    asked,
    gpus_of,
    model_resource,
    part_resource,
    resource_names,
    scaled,
    slice_resource,
)
from flowc.ir.job import Choice
from flowc.record import Record
from flowc.yamldoc.node import is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.pod.containers import Pod
    from flowc.yamldoc.node import Mapping, Node

_REQUIRED = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
ORDINARY = ("cpu", "memory", "ephemeral-storage", data.GPU_RESOURCE, *data.GPU_ALIASES)


class Wanted(Record):
    """The GPUs of a job: a model alone, or choices in order of preference."""

    model: str | None = None
    memory_bytes: int | None = None
    choices: tuple[Choice, ...] = ()


def wanted(pod: Pod, count: int, context: Context) -> Wanted:
    """What the pod says of the node that it wants. `count` is how many GPUs it asks for."""
    spec = context.job.pod_spec
    own = [
        Requirement(pair.key.text, "In", [str(pair.value.value or "")], pair.value)
        for pair in spec.pairs_at("nodeSelector")
    ]
    told = set(context.matters.get(codes.CLUSTER_FIELDS, ()))
    always: Kinds | None = labels.kinds_of(own, count, context)
    _decide_selector(own, told, context)
    named = named_by_resource(pod)
    if named is not None and always is not None:
        always = Kinds([named[0]], 0, named[1]).both(always, context)
    if always is None:
        return Wanted()
    terms = spec.each(*_REQUIRED)
    for term in terms:
        fields = "it names a machine of the cluster"
        if term.each("matchFields") and not context.moves(term, "matchFields", fields):
            context.refuse(term, "matchFields", fields, "say what the machine must have")
    alternatives = [always.both(labels.kinds_of(requirements(term), count, context), context) for term in terms]
    found = _merged([each for each in alternatives or [always] if each is not None])
    preferred = _preferred(count, context)
    if any(each is None for each in alternatives) or context.sink.broken:
        return Wanted()
    return _ordered(found, preferred, count, context)


def node_labels(context: Context) -> tuple[tuple[str, str], ...]:
    """The labels that its nodes must have; none for `--move`, which leaves them out."""
    spec = context.job.pod_spec
    found = [(pair.key.text, str(pair.value.value or "")) for pair in spec.pairs_at("nodeSelector")]
    terms = spec.each(*_REQUIRED)
    alone = requirements(terms[0]) if len(terms) == 1 else []  # of several terms any will do
    found += [(each.key, ",".join(each.values)) for each in alone if each.operator == "In"]
    if not found or context.inputs.flags.move:
        return ()
    context.put_key("placement.node_labels", spec, "nodeSelector")
    context.put("placement.node_labels", terms[0] if alone else None)
    return tuple(found)


def _decide_selector(own: list[Requirement], told: set[str], context: Context) -> None:
    """What became of `nodeSelector`: some of its labels, or all, mean nothing here."""
    idle = [item for item in context.matters.get(codes.CLUSTER_FIELDS, ()) if item not in told]
    if idle and len(idle) == len(own):
        note = "its labels belong to the cluster"
        context.decide(context.job.pod_spec, "nodeSelector", "ignored", note, codes.CLUSTER_FIELDS)
    elif idle:
        context.decide(context.job.pod_spec, "nodeSelector", "lowered", f"but for {', '.join(idle)}")


def requirements(term: Node) -> list[Requirement]:
    return [
        Requirement(
            str(each.read("key", default="")),
            str(each.read("operator", default="")),
            [str(value.value or "") for value in each.each("values")],
            each.at("values") or each,
        )
        for each in term.each("matchExpressions")
    ]


def _preferred(count: int, context: Context) -> Kinds:
    """The kinds that are preferred, the heaviest weight first."""
    path = ("affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    terms = sorted(context.job.pod_spec.each(*path), key=lambda each: -int(each.read("weight", default=0)))
    kinds = [
        labels.kinds_of(requirements(each.at("preference") or each), count, context, preferred=True) for each in terms
    ]
    found = _merged([each for each in kinds if each.words])
    if not found.words:
        pair = pair_of(context.job.pod_spec.at(*path[:2]), path[2])
        context.ledger.decide(pair, "ignored", "its labels belong to the cluster", quiet=True)
    return Kinds(found.words, found.least_gib, found.place)


def _merged(alternatives: list[Kinds]) -> Kinds:
    """Terms of which any will do, in their order; one that leaves the model open opens them all."""
    if len(alternatives) == 1:
        return alternatives[0]
    words = [word for each in alternatives for word in each.words]
    open_ones = [each for each in alternatives if not each.words]
    least = min((each.least_gib for each in alternatives), default=0)
    place = next((each.place for each in alternatives if each.place is not None), None)
    return Kinds([] if open_ones else list(dict.fromkeys(words)), least, place)


def _ordered(found: Kinds, preferred: Kinds, count: int, context: Context) -> Wanted:
    """Required kinds with the preferred ones first; preferred ones alone may give way to any."""
    words = found.words
    if preferred.words and words:
        first = [word for word in words if any(models.same(word, each) for each in preferred.words)]
        words = first + [word for word in words if word not in first]
    open_end = bool(preferred.words) and not found.words
    if open_end:
        words = preferred.words
    memory = found.least_gib << 30 if found.least_gib else None
    place = found.place or preferred.place
    if len(words) <= 1 and not open_end:
        context.put("resources.gpu_model", place if words else None)
        context.put("resources.gpu_memory_bytes", place if memory else None)
        return Wanted(model=words[0] if words else None, memory_bytes=memory)
    context.put("resources.choices", place)
    context.put("resources.choices_ordered", place)
    choices = [Choice(gpu_model=word, gpu_memory_bytes=memory, gpus_per_node=count or None) for word in words]
    if open_end and count:
        choices.append(Choice(gpu_memory_bytes=memory, gpus_per_node=count))
    return Wanted(choices=tuple(choices))


def named_by_resource(pod: Pod) -> tuple[str, Node] | None:
    """The model of a resource such as `nvidia.com/a100`, and where it stands."""
    for container in (pod.main, *pod.beside):
        for name, place in resource_names(container):
            if model_resource(name):
                return name.removeprefix("nvidia.com/"), place
    return None


def check_resources(pod: Pod, context: Context) -> None:
    """Resources that no machine here has; network cards are there without being asked for."""
    from flowc.diag.suggest import nearest

    for container in (pod.main, *pod.beside):
        _without_number(container, context)
        for name, place in resource_names(container):
            if name in ORDINARY or model_resource(name):
                continue
            maker = next((who for prefix, who in data.OTHER_MAKERS.items() if _below(name, prefix)), None)
            if slice_resource(name) and context.inputs.flags.move:
                context.sink.report(resolve.GPU_SLICE, place.span, word=name, whole="GPU")
            elif part_resource(name) and context.inputs.flags.move:
                context.sink.report(LEFT_OUT, place.span, path=name, reason="GPUs are rented whole")
            elif part_resource(name):
                each = " for each slice" if slice_resource(name) else ""
                help = f"ask for whole GPUs: `{data.GPU_RESOURCE}: 1`; `--move` takes a whole one{each}"
                context.sink.report(machine_codes.GPU_PART, place.span, help=help, name=name)
            elif maker is not None:
                count = quantity.bytes_of(scaled(asked(container, name)))
                help = f"ask for NVIDIA GPUs: `{data.GPU_RESOURCE}: {count}`"
                context.sink.report(machine_codes.ACCELERATOR_OF_OTHERS, place.span, help=help, name=name, maker=maker)
            elif name.startswith(tuple(data.NETWORK_CARDS)):
                context.gather(machine_codes.NETWORK_CARD, f"`{name}`", place.span)
            elif "gpu" in name.lower() and not gpus_of(container):
                help = f"ask for them by this name, `{data.GPU_RESOURCE}`"
                context.sink.report(machine_codes.GPU_BY_ANOTHER_NAME, place.span, help=help, name=name)
            elif nearest(name, (data.GPU_RESOURCE,)) is not None:
                help = f"did you mean `{data.GPU_RESOURCE}`?"
                context.sink.report(machine_codes.RESOURCE_UNKNOWN, place.span, help=help, items=f"`{name}`")
            else:
                context.gather(machine_codes.RESOURCE_UNKNOWN, f"`{name}`", place.span)


def _without_number(container: Mapping, context: Context) -> None:
    """A number of GPUs that was to be written and is not: it is none, to Kubernetes."""
    for part in PARTS:
        for pair in container.pairs_at("resources", part):
            own = is_null(pair.value) and (pair.key.text == data.GPU_RESOURCE or model_resource(pair.key.text))
            if own and not gpus_of(container):
                help = f"write the number: `{pair.key.text}: 1`"
                context.sink.report(machine_codes.GPU_COUNT_EMPTY, pair.key.span, help=help, name=pair.key.text)
                return


def _below(name: str, prefix: str) -> bool:
    return name.startswith(prefix) if prefix.endswith("/") else name == prefix
