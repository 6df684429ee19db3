"""The k8s frontend: Kubernetes manifests as the API server reads them.

`read` gives an `objects.Tree`: the fields are held against the table of `data/k8s_fields.yaml`, then against the rules
that the API server has beyond types (`semantics` and the modules beside it). `lower` gives jobs.
"""

from __future__ import annotations

from flowc.frontends.base import Frontend
from flowc.frontends.k8s.read import document, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.objects import Tree
    from flowc.inputs import Inputs
    from flowc.ir.unit import Unit


def _lower(tree: Tree, inputs: Inputs, sink: Sink) -> list[Unit]:
    from flowc.frontends.k8s.lower import lower

    return lower(tree, inputs, sink)


FRONTEND = Frontend(read=read, ast=document, lower=_lower)
