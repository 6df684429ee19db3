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

_of_job = at_first_use(r"-[0-9]+", "fullmatch")
_of_parts = at_first_use(r"-(?:launcher|[a-z0-9-]*?[0-9]+)", "fullmatch")


def look_at(container: Mapping, context: Context) -> None:
    """Tell those that a container names, but for names of the job's own pods."""
    nodes = [node for key in ("command", "args") for node in container.each(key)]
    nodes += [node for each in container.each("env") if (node := each.at("value")) is not None]
    for node in nodes:
        if isinstance(node, Scalar) and ".svc" in node.text:
            _tell(node, context)


def _own(host: str, context: Context) -> bool:
    """Whether a host is a pod of the job, as its kind calls them; a Service `train-db` beside a job `train` is none."""
    name = host.partition(".")[0]
    if not context.job.name or not name.startswith(context.job.name):
        return False
    of_parts = context.job.kind not in ("Job", "CronJob", "Pod")
    return (_of_parts if of_parts else _of_job)(name, len(context.job.name)) is not None


def _tell(node: Scalar, context: Context) -> None:
    for match in _services(node.text):
        if not _own(match[0], context):
            span = node.placed.span(match.start(), match.end()) or node.span
            context.gather(codes.POD_NAMES, f"`{match[0]}`", span)
