"""Names of the job's own pods in commands and variables: there is no DNS of a cluster, so the first pod's name becomes
the address of the first machine.

Programs on several machines need no other name, as a rule: they meet at the first one.
"""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container.expand import Piece, Pieces, literal
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match
    from typing import TypeAlias

    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span

    _Tail: TypeAlias = Callable[[str, int], Match[str] | None]

HEAD = "FLOWC_HEAD_IP"
_DOMAIN = r"(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?)"


# What follows on the name of the job; the first group is the number of the pod.
_of_worker = at_first_use(rf"-worker-([0-9]+){_DOMAIN}?(?![\w-])", "match")
_of_master = at_first_use(rf"-master-([0-9]+){_DOMAIN}?(?![\w-])", "match")
_of_group = at_first_use(rf"-[a-z0-9-]*?([0-9]+){_DOMAIN}(?![\w-])", "match")
_of_job = at_first_use(rf"-([0-9]+){_DOMAIN}(?![\w-])", "match")


def _tail(context: Context) -> _Tail | None:
    """What the names of this job's pods go on with; None for a pod alone."""
    job, shape = context.job, context.shape
    if shape.nodes < 2 or not job.name:
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
    """The pieces with the first pod's name as the address of the first machine; other pods' names are reported."""
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
            if number.strip("0"):
                context.gather(codes.POD_NAMES, f"`{whole}`", span)
                continue
            parts += (Piece(text=piece.text[start:begin]), Piece(text=HEAD, late=True))
            start = end
            found.facts.setdefault(HEAD, "head_ip")
            found.written.setdefault(HEAD, whole)
        parts.append(Piece(text=piece.text[start:]))
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
        if literal(pieces) is not None:
            continue
        del found.known[name]
        if pieces == (Piece(text=HEAD, late=True),):
            found.facts[name] = "head_ip"
        else:
            found.exports[name] = pieces
