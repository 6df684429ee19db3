"""The containers of a pod: which of them is the job, which run before and beside it."""

from __future__ import annotations

from flowc._compiled.k8s_gpus import PROXIES
from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.context import pair_of, text_of
from flowc.frontends.k8s.kinds.known import CONTAINERS
from flowc.frontends.k8s.machine.needs import gpus_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping, Node

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class Pod:
    """The containers of a pod by what they are for, each a checked mapping. `beside` are all but the main one, in the
    order in which they start, which is the file's; `sidecars` are those of them that run while the main one does."""

    __slots__ = ("beside", "inits", "main", "sidecars")

    def __init__(self, main: Mapping, beside: list[Mapping], inits: list[Mapping]) -> None:
        self.main = main
        self.beside = beside
        self.inits = inits
        self.sidecars = [each for each in beside if each not in inits]


def arrange(context: Context) -> Pod | None:
    """Which container is what; None when an error was reported."""
    spec = context.job.pod_spec
    plain: list[Mapping] = _without_proxies(spec.each("containers"), context)
    before = _without_proxies(spec.each("initContainers"), context, keep_one=False)
    inits = [each for each in before if not is_sidecar(each)]
    main = _main(plain, context)
    if main is None:
        return None
    others = [each for each in plain if each is not main]
    for each in others:
        context.gather(machine_codes.SECOND_CONTAINER, f"`{_name(each)}`", _name_span(each))
    return Pod(main, [*before, *others], inits)


def is_sidecar(container: Node) -> bool:
    """Whether an init container runs on beside those that follow it."""
    return bool(container.read("restartPolicy") == "Always")


def _without_proxies(found: list[Node], context: Context, *, keep_one: bool = True) -> list[Mapping]:
    """The containers without those that only serve a cluster; a pod that consists of one keeps it."""
    kept: list[Mapping] = []
    for each in found:
        if _name(each) not in PROXIES or (keep_one and len(found) == 1):
            kept.append(each)  # type: ignore[arg-type]
            continue
        span = _name_span(each)
        context.gather(codes.CLUSTER_FIELDS, f"container `{_name(each)}`", span)
        for pair in each.pairs_at():
            context.ledger.decide(pair, "ignored", "it serves the cluster's network or logs", codes.CLUSTER_FIELDS)
    return kept


def _main(plain: list[Mapping], context: Context) -> Mapping | None:
    """The container whose end is the job's: that with GPUs, else that which pod or kind says, else the first."""
    with_gpus = [each for each in plain if gpus_of(each)]
    if len(with_gpus) > 1:
        names = ", ".join(f"`{_name(each)}`" for each in with_gpus)
        notes = tuple((_name_span(each), "this one too") for each in with_gpus[1:])
        context.sink.report(machine_codes.TWO_GPU_CONTAINERS, _name_span(with_gpus[0]), notes=notes, names=names)
        return None
    if with_gpus:
        return with_gpus[0]
    said = pair_of(context.job.template.at("metadata", "annotations"), DEFAULT_CONTAINER)
    own = text_of(said) if said is not None else CONTAINERS.get(context.job.kind, (None,))[0]
    named = [each for each in plain if _name(each) == own]
    return (named or plain or [None])[0]  # type: ignore[list-item]


def _name(container: Node) -> str:
    return str(container.read("name", default=""))


def _name_span(container: Node) -> Span:
    return (container.at("name") or container).span
