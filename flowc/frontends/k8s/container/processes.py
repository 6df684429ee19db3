"""What a container starts, with which variables, and what the one beside the main one is."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container import environment, peers, ranks
from flowc.frontends.k8s.container.expand import Pieces, expand, literal, started_late
from flowc.frontends.k8s.container.isolation import isolation_of
from flowc.frontends.k8s.machine.needs import gpus_of
from flowc.frontends.k8s.volumes import lower as volumes
from flowc.ir.job import Container
from flowc.ir.names import variable_name
from flowc.yamldoc.node import Scalar, text_of_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.pod.containers import Pod
    from flowc.source import Derived, Span
    from flowc.yamldoc.node import Mapping


RESTART = {"Always": "always", "OnFailure": "on-failure", "Never": "never"}


class Process:
    """What a container starts, and in which environment."""

    __slots__ = ("args", "argv", "environment")

    def __init__(self, argv: tuple[str, ...], args: tuple[str, ...], environment: Environment) -> None:
        self.argv = argv
        self.args = args
        self.environment = environment


def process_of(container: Mapping, context: Context, *, main: bool = False) -> Process:
    """The words that a container starts. Where some of them are known only on the machine, a shell puts them in."""
    found = environment.read(container, context)
    gang = context.job.gang
    if main and context.job.kind == "MPIJob":
        from flowc.frontends.k8s.container import launch

        return Process(*launch.command(container, found, context), found)
    if main and gang is not None and gang.parts and (context.shape.nodes > 1 or context.job.kind == "RayJob"):
        return Process(ranks.command(container, found, context), (), found)
    peers.look_at(found, context)
    command = peers.words(container, "command", found, context)
    args = peers.words(container, "args", found, context)
    needed = environment.names_in([*command, *args], found)
    if not needed:
        return Process(_texts(command), _texts(args), found)
    span = _late_span(container, found)
    shown = ", ".join(f"`{found.written.get(name, name)}`" for name in needed[:4])
    for name in needed:
        if name in found.facts:  # the shell that puts it in may have to call it otherwise
            found.facts.setdefault(variable_name(name), found.facts[name])
    context.gather(codes.EXPANSION_ON_MACHINE, shown, span)
    own = environment.own_start(container, found, context)
    return Process(started_late([*command, *args], found.exports.items(), own), (), found)


def shell_text(container: Mapping, argv: tuple[str, ...], args: tuple[str, ...]) -> Derived | None:
    """The text of `sh -c` with its places, where the shell gets it as it is written."""
    nodes = [node for key in ("command", "args") for node in container.each(key)]
    words = [str(node.value or "") for node in nodes]
    if not argv or words != [*argv, *args]:
        return None
    return text_of_shell([node for node in nodes if isinstance(node, Scalar)])


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


def restart_of(container: Mapping, context: Context) -> str:
    """When a container beside the main one starts again: as it says itself, else as its pod does."""
    filled_in = "Always" if context.job.kind in ("Pod", "VolcanoJob") else "OnFailure"
    own = container.read("restartPolicy") or context.job.pod_spec.read("restartPolicy", default=filled_in)
    note = "which exit codes start it again is looked at for the main container alone"
    context.decide(container, "restartPolicyRules", "ignored", note)
    return RESTART[own]


def _init_restarts(container: Mapping, context: Context) -> None:
    """An init container that fails ends the run, whatever it says itself of starting again."""
    if container.read("restartPolicy") == "OnFailure":
        note = "an init container that fails ends the run, and starts again with it"
        context.decide(container, "restartPolicy", "approximated", note)
    context.decide(container, "restartPolicyRules", "ignored", "which exit codes start it again is not looked at")


def beside(container: Mapping, pod: Pod, context: Context) -> Container:
    """A container that runs before or beside the main one."""
    init = container in pod.inits
    if init:
        _init_restarts(container, context)
    process = process_of(container, context)
    found = process.environment
    context.decide(container, "livenessProbe", "ignored", "only the main container is watched")
    context.decide(container, "startupProbe", "ignored", "what follows begins when this one runs, ready or not")
    gpus = gpus_of(container)
    storage = volumes.storage_beside(container, context)
    return Container(
        name=str(container.read("name", default="")),
        role="init" if init else "sidecar",
        image=str(container.read("image", default="")),
        argv=process.argv,
        args=process.args,
        workdir=container.read("workingDir") or None,
        env=found.env(),
        env_facts=found.env_facts(),
        secrets=tuple(found.secrets),
        mounts=storage.mounts,
        files=storage.files,
        gpus=gpus,
        isolation=isolation_of(container, context),
        restart="on-failure" if init else restart_of(container, context),
    )
