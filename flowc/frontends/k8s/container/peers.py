"""Names of the job's own pods in commands and variables: there is no DNS of a cluster, so the first pod's name becomes
the address of the first machine.

Programs on several machines need no other name, as a rule: they meet at the first one.
"""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container import stays
from flowc.frontends.k8s.container.expand import HEAD, IP, Piece, Pieces, expand, literal
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match
    from typing import TypeAlias

    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping

    _Tail: TypeAlias = Callable[[str, int], Match[str] | None]

ALONE = "localhost"  # what stands for the name of the only pod
_DOMAIN = r"(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?)"


# What follows on the name of the job; the first group is the number of the pod.
_of_worker = at_first_use(rf"-worker-([0-9]+){_DOMAIN}?(?![\w-])", "match")
_of_master = at_first_use(rf"-master-([0-9]+){_DOMAIN}?(?![\w-])", "match")
_of_group = at_first_use(rf"-[a-z0-9-]*?([0-9]+){_DOMAIN}(?![\w-])", "match")
# A name of a pod that a shell puts together, with the domain behind it: `${JOBSET_NAME}-w-0-0.${JOBSET_NAME}`.
_made = at_first_use(r"\$\{?\w+\}?(?:-[\w${}]+)*-[0-9]+\.\$\{?\w+\}?", "search")
_of_job = at_first_use(rf"-([0-9]+){_DOMAIN}(?![\w-])", "match")


def address(rank: int) -> str:
    """The variable with the address of a machine, where a shell chooses by the rank."""
    return f"{IP}{rank}"


def words(container: Mapping, key: str, found: Environment, context: Context) -> list[Pieces]:
    """The words of a command, names of pods replaced."""
    for node in container.each(key) if _named(context) else ():
        if (made := _made(str(node.value or ""))) is not None:
            context.gather(codes.POD_NAMES, f"`{made[0]}`", node.span)
    for node in container.each(key):
        stays.look_for(str(node.value or ""), found, node.span, context)
    pieces = [(expand(str(node.value or ""), found.lookup), node.span) for node in container.each(key)]
    return [replaced(each, found, context, span) for each, span in pieces]


def _of_parts(text: str, context: Context) -> Iterator[tuple[int, int, int]]:
    """The places of names of pods of several kinds in a text, with the ranks of their machines."""
    from re import compile, escape

    gang, start, found = context.job.gang, 0, list[tuple[int, int, int]]()
    if context.job.kind == "MPIJob":
        launcher = escape(f"{context.job.name}-launcher")
        places = compile(rf"(?<![\w.-]){launcher}{_DOMAIN}?(?![\w-])").finditer(text)
        found += [(match.start(), match.end(), 0) for match in places]
    for part in gang.parts if gang is not None else ():
        two = r"([0-9]+)-" if context.job.kind == "JobSet" else "()"
        name = escape(f"{context.job.name}-{part.name}-")
        for match in compile(rf"(?<![\w.-]){name}{two}([0-9]+){_DOMAIN}?(?![\w-])").finditer(text):
            number = int(match[1] or 0) * part.each + int(match[2])
            if number < part.count:
                found.append((match.start(), match.end(), start + number))
        start += part.count
    yield from sorted(found)


def _named(context: Context) -> bool:
    """Whether the names of the job's pods are known before they are there, and so may stand in it."""
    return bool(context.job.name) and (context.shape.indexed or context.job.gang is not None or context.shape.nodes > 1)


def _tail(context: Context) -> _Tail | None:
    """What the names of this job's pods go on with; None for pods of names that nobody knows before."""
    job = context.job
    if not _named(context):
        return None
    if job.kind == "PyTorchJob":
        return _of_worker if job.node.at("spec", "pytorchReplicaSpecs", "Master") is None else _of_master
    return _of_group if job.kind in ("JobSet", "VolcanoJob") else _of_job


def _pods(text: str, context: Context, tail: _Tail) -> Iterator[tuple[int, int, str]]:
    """The places of names of pods in a text, with their numbers."""
    name, at = context.job.name, -1
    while (at := text.find(name, at + 1)) >= 0:
        before = text[at - 1 : at]
        match = None if before.isalnum() or before in ("_", ".", "-") else tail(text, at + len(name))
        if match is not None:
            yield at, match.end(), match[1]
            at = match.end() - 1


def replaced(pieces: Pieces, found: Environment, context: Context, span: Span) -> Pieces:
    """The pieces with the first pod's name as the address of the first machine; other pods' names are reported, and all
    those of tasks, which are bids of their own, unless there are parts, where a shell knows all addresses."""
    gang = context.job.gang
    if gang is not None and gang.parts and context.shape.nodes > 1:
        return _addressed(pieces, context)
    tail = _tail(context)
    if tail is None:
        return pieces
    parts: list[Piece] = []
    for piece in pieces:
        if piece.late:
            parts.append(piece)
            continue
        start = 0
        for begin, end, number in _pods(piece.text, context, tail):
            whole = piece.text[begin:end]
            if number.strip("0") or context.shape.tasks is not None:
                context.gather(codes.POD_NAMES, f"`{whole}`", span)
                continue
            if context.shape.nodes < 2:
                parts.append(Piece(text=f"{piece.text[start:begin]}{ALONE}"))
                start = end
                continue
            parts += (Piece(text=piece.text[start:begin]), Piece(text=HEAD, late=True))
            start = end
            found.facts.setdefault(HEAD, "head_ip")
            found.written.setdefault(HEAD, whole)
        parts.append(Piece(text=piece.text[start:]))
    return tuple(part for part in parts if part.text) or pieces[:1]


def _addressed(pieces: Pieces, context: Context) -> Pieces:
    parts: list[Piece] = []
    for piece in pieces:
        start = 0
        for begin, end, rank in () if piece.late else _of_parts(piece.text, context):
            parts += (Piece(text=piece.text[start:begin]), Piece(text=address(rank), late=True))
            start = end
        parts.append(piece if piece.late else Piece(text=piece.text[start:]))
    return tuple(part for part in parts if part.text) or pieces[:1]


def look_at(found: Environment, context: Context) -> None:
    """The same in the values of variables: one that is the first pod's name alone is a fact of the machine."""
    if _tail(context) is None:
        return
    for name, value in list(found.known.items()):
        span = found.spans.get(name)
        if span is None:
            continue
        pieces = replaced((Piece(text=value),), found, context, span)
        if (text := literal(pieces)) is not None:
            found.known[name] = text
            continue
        del found.known[name]
        if pieces == (Piece(text=HEAD, late=True),):
            found.facts[name] = "head_ip"
        else:
            found.exports[name] = pieces
