"""Hosts of the cluster's own network in commands and variables, to which no machine of another network finds a way."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Mapping

_services = at_first_use(r"(?<![\w.$}-])(?:[a-z0-9][a-z0-9-]*\.)+svc(?:\.cluster\.local)?(?![\w-]|\.\w)", "finditer")


def look_at(container: Mapping, context: Context) -> None:
    """Tell those that a container names, but for names of the job's own pods."""
    nodes = [node for key in ("command", "args") for node in container.each(key)]
    nodes += [node for each in container.each("env") if (node := each.at("value")) is not None]
    for node in nodes:
        if isinstance(node, Scalar) and ".svc" in node.text:
            _tell(node, context)


def _tell(node: Scalar, context: Context) -> None:
    for match in _services(node.text):
        if not context.job.name or not match[0].startswith(context.job.name):
            span = node.placed.span(match.start(), match.end()) or node.span
            context.gather(codes.POD_NAMES, f"`{match[0]}`", span)
