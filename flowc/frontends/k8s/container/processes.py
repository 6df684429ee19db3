"""What a container starts, with which variables, and what the one beside the main one is."""

from __future__ import annotations

import re

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container import environment, peers
from flowc.frontends.k8s.container.expand import Pieces, expand, literal, started_late
from flowc.frontends.k8s.container.isolation import isolation_of
from flowc.frontends.k8s.machine.needs import gpus_of
from flowc.frontends.k8s.volumes import lower as volumes
from flowc.ir.job import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping

_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


class Process:
    """What a container starts, and in which environment."""

    __slots__ = ("args", "argv", "environment")

    def __init__(self, argv: tuple[str, ...], args: tuple[str, ...], environment: Environment) -> None:
        self.argv = argv
        self.args = args
        self.environment = environment


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
        name=str(container.read("name", default="")),
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
