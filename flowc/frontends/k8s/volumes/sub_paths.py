"""`subPathExpr`: the folder of a volume whose name is made of the container's variables."""

from __future__ import annotations

from flowc.diag.sink import Sink
from flowc.frontends.k8s.container import environment
from flowc.frontends.k8s.container.expand import expand, literal
from flowc.frontends.k8s.context import Context, pair_of
from flowc.frontends.k8s.volumes.mounts import source_of, volume_named
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar

KEY = "subPathExpr"
_OF_THE_MACHINE = ("emptyDir", "ephemeral", "hostPath")  # each machine has one of its own


def resolved(mount: Node, container: Mapping, context: Context) -> Node | None:
    """The mount with the folder as its `subPath`; None where it is refused. The document stays as it is."""
    pair = pair_of(mount, KEY)
    if pair is None or not isinstance(mount, Mapping) or not pair.value.value:
        return mount
    text = _known(str(pair.value.value), container, context)
    volume = volume_named(str(mount.read("name", default="")), context)
    if text is None and volume is not None and source_of(volume)[0] in _OF_THE_MACHINE:
        context.decide(mount, KEY, "approximated", "its name is the job's: each machine has one of its own")
        text = context.job.name
    if text is None:
        reason = "each machine would have another folder of a volume that they share, known only there"
        context.refuse(mount, KEY, reason, "mount the volume as a whole, and make the folder in the command")
        return None
    found = Mapping(mount.source, mount.start, mount.end, list(mount.pairs), flow=mount.flow)
    found.value, found.via = mount.value, mount.via
    value = Scalar(pair.value.source, pair.value.start, pair.value.end, text, '"', None)
    value.value = text
    own = Pair(Scalar(pair.key.source, pair.key.start, pair.key.end, "subPath", None, None), value)
    own.field, own.owner, own.path = pair.field, pair.owner, pair.path
    context.ledger.stands_for(own, pair)
    found.put(own)
    return found


def _known(text: str, container: Mapping, context: Context) -> str | None:
    """The folder, where all of its name is known now. What is wrong with the variables is told elsewhere."""
    aside = Context(context.job, context.companions, context.inputs, Sink())
    aside.shape, aside.part = context.shape, context.part
    found = environment.read(container, aside)
    return literal(expand(text, found.lookup))
