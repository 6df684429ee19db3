"""Hosts of the cluster's own network in commands and variables, to which no machine of another network finds a way."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping

# The name may begin with a variable or a list: `$(CLUSTER)-db.ml.svc`, `warp-{0...3}.warp.default.svc`.
_services = at_first_use(
    r"(?<![\w.$})-])(?:[a-z0-9-]*(?:\$?\{[^{}\s]{1,40}\}|\$\(\w{1,40}\)|\$\w{1,40})[a-z0-9-]*\.)?"
    r"(?:[a-z0-9][a-z0-9-]*\.)+svc(?:\.cluster\.local)?(?![\w-]|\.\w)",
    "finditer",
)
# A host of one word in a URL: in a cluster that is a service.
_urls = at_first_use(
    r"\b(?:https?|wss?|grpcs?|tcp|rediss?|amqps?|mongodb|mysql|mariadb|postgres(?:ql)?|nats|kafka|mqtts?|ray|ldaps?|smtp|s?ftp"
    r"|clickhouse|bolt|neo4j|hdfs|thrift|etcd|zk|pulsar|rtsp)(?:\+\w+)?://(?:[^\s/@\"']*@)?"
    r"([a-z][a-z0-9-]*)(?::[0-9]+)?(?=[/?#\s\"'`,;)|&\\]|$)",
    "finditer",
)
# Addresses of private networks, but for ranges of them.
_private = at_first_use(
    r"(?<![\w.])(?:10(?:\.[0-9]{1,3}){3}|192\.168(?:\.[0-9]{1,3}){2}|172\.(?:1[6-9]|2[0-9]|3[01])(?:\.[0-9]{1,3}){2})"
    r"(?![\w.]|/[0-9])",
    "finditer",
)
_host_variable = at_first_use(r"(?:.*_)?(?:HOSTS?|HOSTNAME|ADDR|ADDRESS|BROKERS?)", "fullmatch")
_word = at_first_use(r"[a-z][a-z0-9-]*", "fullmatch")
_with_port = at_first_use(r"([a-z][a-z0-9-]*):[0-9]{4,5}", "fullmatch")
_NO_HOSTS = ("localhost", "host", "hostname", "true", "false", "none", "null", "auto", "kubernetes", "lo")
# Ends of names that only a site's own network knows.
_INNER = (".svc", ".local", ".internal", ".lan", ".consul", ".cluster", ".corp", ".intranet", ".intra")
_NO_PORTS = ("IMAGE", "TAG", "VERSION", "MODEL")

_of_job = at_first_use(r"-[0-9]+", "fullmatch")
_of_parts = at_first_use(r"-(?:launcher|[a-z0-9-]*?[0-9]+)", "fullmatch")


def look_at(container: Mapping, context: Context, found: Environment | None = None) -> None:
    """Tell those that a container names, but for names of the job's own pods, and those in the values of `found` that
    come from elsewhere."""
    nodes = [node for key in ("command", "args") for node in container.each(key)]
    written = set()
    for each in container.each("env"):
        node, name = each.at("value"), str(each.read("name", default=""))
        written.add(name)
        if isinstance(node, Scalar):
            nodes.append(node)
            _tell_words(name, node.text, node.span, context)
    for node in nodes:
        if isinstance(node, Scalar) and (".svc" in node.text or "://" in node.text or node.text.count(".") > 2):
            _tell(node, context)
    spans = found.spans if found is not None else {}
    for name, value in found.known.items() if found is not None else ():
        if name not in written and name in spans:
            _tell_words(name, value, spans[name], context)
            for match in (*_services(value), *_urls(value), *_private(value)):
                _tell_name(match[match.re.groups], spans[name], context)
    image = container.at("image")
    registry, slash, _ = str(container.read("image", default="")).partition("/")
    host, colon, _ = registry.partition(":")
    inner = (colon and "." not in host) or host.endswith(_INNER) or ".svc." in host or any(_private(host))
    if image is not None and slash and host != "localhost" and inner:
        _tell_name(registry, image.span, context)


def _tell_words(name: str, value: str, span: Span, context: Context) -> None:
    """A variable whose value is a host, or several with their ports."""
    parts = value.split(",")
    if _host_variable(name) and all(map(_word, parts)):
        for each in parts:
            _tell_name(each, span, context)
    elif not any(sign in name for sign in _NO_PORTS):
        matches = [match for each in parts if (match := _with_port(each)) is not None]
        for match in matches if len(matches) == len(parts) else ():
            _tell_name(match[1], span, context)


def _tell_name(host: str, span: Span, context: Context) -> None:
    if host and host not in _NO_HOSTS and not _own(host, context) and host not in _aliases(context):
        context.gather(codes.POD_NAMES, f"`{host}`", span)


def _aliases(context: Context) -> set[str]:
    """Hosts whose addresses the manifest gives itself."""
    return {str(node.value) for alias in context.job.pod_spec.each("hostAliases") for node in alias.each("hostnames")}


def _own(host: str, context: Context) -> bool:
    """Whether a host is a pod of the job, as its kind calls them; a Service `train-db` beside a job `train` is none."""
    name, _, domain = host.partition(".")
    if "$" in name or "{" in name:
        return domain.partition(".")[0] in (context.job.name, context.job.pod_spec.read("subdomain"))
    if not context.job.name or not name.startswith(context.job.name):
        return False
    of_parts = context.job.kind not in ("Job", "CronJob", "Pod")
    return (_of_parts if of_parts else _of_job)(name, len(context.job.name)) is not None


def _tell(node: Scalar, context: Context) -> None:
    for match in (*_services(node.text), *_urls(node.text), *_private(node.text)):
        group = match.re.groups
        line = node.text[node.text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not line.lstrip().startswith("#"):
            _tell_name(match[group], node.placed.span(match.start(group), match.end(group)) or node.span, context)
