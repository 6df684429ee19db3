"""Names of the job's own pods in commands and variables: there is no DNS of a cluster, so the first pod's name becomes
the address of the first machine.

Programs on several machines need no other name, as a rule: they meet at the first one.
"""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.frontends.k8s.container.expand import Piece, Pieces, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span

HEAD = "FLOWC_HEAD_IP"
_DOMAIN = r"(?:\.[a-z0-9-]+(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?)"


def _pattern(context: Context) -> str | None:
    """What the pods of this job are called; the group is the number of the pod. None for a pod alone."""
    job, shape = context.job, context.shape
    if shape.nodes < 2 or not job.name:
        return None
    import re

    name = re.escape(job.name)
    if job.kind == "PyTorchJob":
        role = "worker" if job.node.at("spec", "pytorchReplicaSpecs", "Master") is None else "master"
        return rf"(?<![\w.-]){name}-{role}-([0-9]+){_DOMAIN}?(?![\w-])"
    if job.kind in ("JobSet", "VolcanoJob"):
        return rf"(?<![\w.-]){name}-[a-z0-9-]*?([0-9]+){_DOMAIN}(?![\w-])"
    return rf"(?<![\w.-]){name}-([0-9]+){_DOMAIN}(?![\w-])"


def replaced(pieces: Pieces, found: Environment, context: Context, span: Span) -> Pieces:
    """The pieces with the first pod's name as the address of the first machine; other pods' names are reported."""
    pattern = _pattern(context)
    if pattern is None:
        return pieces
    import re

    parts: list[Piece] = []
    for piece in pieces:
        if piece.late:
            parts.append(piece)
            continue
        start = 0
        for match in re.finditer(pattern, piece.text):
            if match[1].strip("0"):
                context.gather(codes.POD_NAMES, f"`{match[0]}`", span)
                continue
            parts += (Piece(text=piece.text[start : match.start()]), Piece(text=HEAD, late=True))
            start = match.end()
            found.facts.setdefault(HEAD, "head_ip")
            found.written.setdefault(HEAD, match[0])
        parts.append(Piece(text=piece.text[start:]))
    return tuple(part for part in parts if part.text) or pieces[:1]


def look_at(found: Environment, context: Context) -> None:
    """The same in the values of variables: one that is the first pod's name alone is a fact of the machine."""
    if _pattern(context) is None:
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
