"""What the operator of TFJob checks, and tells its pods of each other."""

from __future__ import annotations

from flowc.frontends.k8s.container.expand import INDEX, Piece
from flowc.frontends.k8s.findings import given, int_at
from flowc.frontends.k8s.kinds.known import own_port
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.expand import Pieces
    from flowc.frontends.k8s.context import Context
    from flowc.frontends.k8s.findings import Findings
    from flowc.frontends.k8s.objects import Part
    from flowc.yamldoc.node import Node

CONFIG = "TF_CONFIG"
ROLES = ("Chief", "Master", "Worker", "PS", "Evaluator")
LEADERS = ("chief", "master")
APART = "evaluator"  # it looks at what the others have made, and is no part of their cluster
SERVERS = ("ps", APART)  # they run until they are stopped


def check(findings: Findings, node: Mapping) -> None:
    """Check the spec of a TFJob, without its pods."""
    path = "spec.tfReplicaSpecs"
    specs = node.at("spec", "tfReplicaSpecs")
    if isinstance(specs, Mapping) and not given(specs, ROLES):
        findings.required(specs, f"{path}.Worker", "name the pods that are to run: `Worker`, `PS`, `Chief` …")
    for pair in node.pairs_at("spec", "tfReplicaSpecs"):
        count = pair.value.at("replicas")
        if pair.key.text.lower() in LEADERS and count is not None and int_at(count) not in (None, 0, 1):
            findings.forbidden(count.span, f"{path}.{pair.key.text}.replicas", "must be 1")


def config(part: Part, context: Context) -> Pieces:
    """TF_CONFIG on the machines of a part: where all of them are, and which of them this one is."""
    from flowc.frontends.k8s.container import peers

    gang = context.job.gang
    assert gang is not None
    pieces, start, roles = list[Piece](), 0, dict[str, list[Piece]]()
    for each in gang.parts:
        port = own_port(each.pod, "TFJob")
        found = roles.setdefault(each.name, [])
        for number in range(each.count):
            found += [Piece(text=', "' if number else '"'), Piece(text=peers.address(start + number), late=True)]
            found.append(Piece(text=f':{port}"'))
        start += each.count
    roles.pop(APART, None)
    pieces.append(Piece(text='{"cluster": {'))
    for index, name in enumerate(sorted(roles)):
        pieces += [Piece(text=f'{", " if index else ""}"{name}": ['), *roles[name], Piece(text="]")]
    pieces.append(Piece(text=f'}}, "task": {{"type": "{part.name}", "index": '))
    pieces += [Piece(text=INDEX, late=True), Piece(text='}, "environment": "cloud"}')]
    return tuple(pieces)


def ending(gang: tuple[Part, ...], context: Context) -> tuple[Node, str] | None:
    """What says that the job is done when the first part is: servers beside it, or `cleanPodPolicy`."""
    spec = context.job.node.at("spec")
    if spec is None:
        return None
    servers = any(each.name in SERVERS for each in gang)
    clean = context.job.job_spec.at("cleanPodPolicy")
    alone = servers or (clean is not None and clean.value in ("Running", "All"))
    if spec.read("successPolicy") == "AllWorkers":
        alone = servers
        note = "the end of the first worker is the job's, for servers do not end" if servers else "all have to end"
        context.decide(spec, "successPolicy", "approximated", note)
    roles = spec.pairs_at("tfReplicaSpecs")
    own = next((pair.value for pair in roles if pair.key.text.lower() == gang[0].name), None)
    return (own, "replicas") if own is not None and alone else None
