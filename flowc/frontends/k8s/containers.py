"""The containers of a pod: which of them is the job, which run before and beside it, and what each of them starts."""

from __future__ import annotations

import re

from flowc._compiled.k8s_gpus import PROXIES
from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s import environment, peers, volumes
from flowc.frontends.k8s.expand import Pieces, expand, literal, started_late
from flowc.frontends.k8s.isolation import isolation_of
from flowc.frontends.k8s.lower_context import pair_of, text_of
from flowc.frontends.k8s.needs import gpus_of
from flowc.ir.job import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.environment import Environment
    from flowc.frontends.k8s.lower_context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping, Node

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


class Pod:
    """The containers of a pod by what they are for, each a checked mapping."""

    __slots__ = ("inits", "main", "sidecars")

    def __init__(self, main: Mapping, inits: list[Mapping], sidecars: list[Mapping]) -> None:
        self.main = main
        self.inits = inits
        self.sidecars = sidecars

    @property
    def beside(self) -> list[Mapping]:
        return [*self.inits, *self.sidecars]


class Process:
    """What a container starts, and in which environment."""

    __slots__ = ("args", "argv", "environment")

    def __init__(self, argv: tuple[str, ...], args: tuple[str, ...], environment: Environment) -> None:
        self.argv = argv
        self.args = args
        self.environment = environment


def arrange(context: Context) -> Pod | None:
    """Which container is what; None when an error was reported."""
    spec = context.job.pod_spec
    plain: list[Mapping] = _without_proxies(spec.each("containers"), context)
    inits: list[Mapping] = []
    sidecars: list[Mapping] = []
    for each in _without_proxies(spec.each("initContainers"), context, keep_one=False):
        (sidecars if each.read("restartPolicy") == "Always" else inits).append(each)
    main = _main(plain, context)
    if main is None:
        return None
    others = [each for each in plain if each is not main]
    for each in (*plain, *inits):
        context.decide(each, "restartPolicy", "approximated", "a container is restarted as the whole job is")
    for each in others:
        context.gather(machine_codes.SECOND_CONTAINER, f"`{_name(each)}`", _name_span(each))
    return Pod(main, inits, [*sidecars, *others])


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
    """The container whose end is the job's: that with GPUs, else the one that the pod says, else the first."""
    with_gpus = [each for each in plain if gpus_of(each)]
    if len(with_gpus) > 1:
        names = ", ".join(f"`{_name(each)}`" for each in with_gpus)
        notes = tuple((_name_span(each), "this one too") for each in with_gpus[1:])
        context.sink.report(machine_codes.TWO_GPU_CONTAINERS, _name_span(with_gpus[0]), notes=notes, names=names)
        return None
    if with_gpus:
        return with_gpus[0]
    said = pair_of(context.job.template.at("metadata", "annotations"), DEFAULT_CONTAINER)
    named = [each for each in plain if said is not None and _name(each) == text_of(said)]
    return (named or plain or [None])[0]  # type: ignore[list-item]


def _name(container: Node) -> str:
    return str(container.read("name", default=""))


def _name_span(container: Node) -> Span:
    return (container.at("name") or container).span


def process_of(container: Mapping, context: Context) -> Process:
    """The words that a container starts. Where some of them are known only on the machine, a shell puts them in."""
    found = environment.read(container, context)
    peers.look_at(found, context)
    command = _words(container, "command", found, context)
    args = _words(container, "args", found, context)
    needed = environment.names_in([*command, *args], found)
    if not needed:
        return Process(_texts(command), _texts(args), found)
    span = _late_span(container, found)
    shown = ", ".join(f"`{name}`" for name in needed[:4])
    if not command:
        reason = "what the image itself starts is not known here"
        help = "write what the image starts as `command`"
        context.sink.report(codes.EXPANSION_IMPOSSIBLE, span, help=help, name=needed[0], reason=reason)
    odd = [name for name in (*needed, *found.exports) if not re.fullmatch(_VARIABLE, name)]
    if odd:
        context.sink.report(codes.EXPANSION_IMPOSSIBLE, span, name=odd[0], reason="no shell can read this name")
    if command and not odd:
        context.gather(codes.EXPANSION_ON_MACHINE, shown, span)
    return Process(started_late([*command, *args], found.exports.items()), (), found)


def _words(container: Mapping, key: str, found: Environment, context: Context) -> list[Pieces]:
    words = []
    for node in container.each(key):
        pieces = expand(str(node.value or ""), found.lookup)
        words.append(peers.replaced(pieces, found, context, node.span))
    return words


def _texts(words: list[Pieces]) -> tuple[str, ...]:
    return tuple(literal(pieces) or "" for pieces in words)


def _late_span(container: Mapping, found: Environment) -> Span:
    """Where a word or variable stands that is known only on the machine."""
    for key in ("command", "args"):
        for node in container.each(key):
            pieces = expand(str(node.value or ""), found.lookup)
            if literal(pieces) is None:
                return node.span
    for name in found.exports:
        if name in found.spans:
            return found.spans[name]
    return (container.at("command") or container.at("args") or container).span


def beside(container: Mapping, role: str, context: Context) -> Container:
    """A container that runs before or beside the main one."""
    process = process_of(container, context)
    found = process.environment
    for probe in ("livenessProbe", "startupProbe"):
        context.decide(container, probe, "ignored", "only the main container is watched")
    gpus = gpus_of(container)
    return Container(
        name=_name(container),
        role=role,
        image=str(container.read("image", default="")),
        argv=process.argv,
        args=process.args,
        workdir=container.read("workingDir") or None,
        env=found.env(),
        env_facts=found.env_facts(),
        secrets=tuple(found.secrets),
        mounts=volumes.mounts_beside(container, context),
        gpus=gpus,
        isolation=isolation_of(container, context),
    )
