"""The variables of a container: what is known now, what only the machine knows, what is secret."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import moved as moved_codes
from flowc.frontends.k8s.container import downward, stays
from flowc.frontends.k8s.container.expand import OWN, Piece, Pieces, expand, late_names, literal
from flowc.frontends.k8s.context import pair_of, text_of
from flowc.secret import looks_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Mapping, Node

INDEX = "JOB_COMPLETION_INDEX"
NOT_HERE = "it lies in the other cluster"
HOST = "HOSTNAME"


class Environment:
    """The variables of one container, in their order; a later one of the same name takes the place of an earlier one.

    `known` are texts, `facts` name what the machine knows, `secrets` are delivered, `exports` are texts around one of
    these, which only a shell on the machine can put together. `given` are set by who starts the container: a task's
    index. `written` is how the manifest writes what a variable of flowc's own stands for.
    """

    __slots__ = ("exports", "facts", "given", "known", "secrets", "spans", "written")

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.facts: dict[str, str] = {}
        self.secrets: list[str] = []
        self.exports: dict[str, Pieces] = {}
        self.given: set[str] = set()
        self.spans: dict[str, Span] = {}
        self.written: dict[str, str] = {}

    def forget(self, name: str) -> None:
        self.known.pop(name, None)
        self.facts.pop(name, None)
        self.exports.pop(name, None)
        if name in self.secrets:
            self.secrets.remove(name)

    def lookup(self, name: str) -> Pieces | None:
        """What `$(NAME)` stands for; None for a variable that is not set."""
        if name in self.known:
            return (Piece(text=self.known[name]),)
        if name in self.facts or name in self.secrets or name in self.exports or name in self.given:
            return (Piece(text=name, late=True),)
        return None

    def env(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.known.items())

    def env_facts(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.facts.items())


def read(container: Mapping, context: Context) -> Environment:
    """The variables of a container: `envFrom` first, then `env` in its order, then what Kubernetes adds."""
    found = Environment()
    for source in container.each("envFrom"):
        _read_source(source, found, context)
    for entry in container.each("env"):
        _read_entry(entry, container, found, context)
    _add_own(container, found, context)
    _add_host_name(container, found, context)
    return found


def _read_entry(entry: Node, container: Mapping, found: Environment, context: Context) -> None:
    name = str(entry.read("name", default=""))
    span = entry.span
    source = entry.at("valueFrom")
    if source is not None:
        found.forget(name)
        found.spans[name] = pair_of(entry, "valueFrom").key.span  # type: ignore[union-attr]
        _read_value_from(name, source, container, found, context)
        return
    value = entry.at("value")
    text = value.value if value is not None and value.value is not None else ""
    pieces = expand(text, found.lookup)
    stays.look_for(text, found, value.span if value is not None else span, context)
    found.forget(name)
    found.spans[name] = value.span if value is not None else span
    text = literal(pieces)
    if text is not None:
        found.known[name] = text
        if text and looks_secret(name) and not _is_no_secret(text):
            context.gather(codes.PLAIN_SECRET, f"`{name}`", found.spans[name])
    else:
        found.exports[name] = pieces


def _is_no_secret(text: str) -> bool:
    """Numbers, switches, paths and placeholders are nobody's secret, whatever their variable is called."""
    plain = text.lower() in ("true", "false", "yes", "no", "none", "null") or text.isdigit()
    return plain or text.startswith(("/", "<", "${", "{{", "http://", "https://"))


def _read_value_from(name: str, source: Node, container: Mapping, found: Environment, context: Context) -> None:
    secret, config = source.at("secretKeyRef"), source.at("configMapKeyRef")
    field, resource = source.at("fieldRef"), source.at("resourceFieldRef")
    if secret is not None:
        _read_secret_key(name, secret, found, context)
    elif config is not None:
        _read_config_key(name, config, found, context)
        if context.inputs.flags.move and found.lookup(name) is None and not config.read("optional"):
            context.decide(source, "configMapKeyRef", "ignored", NOT_HERE, moved_codes.VARIABLES_NOT_BROUGHT)
    elif field is not None:
        _put(found, name, downward.field(str(field.read("fieldPath", default="")), field, context))
    elif resource is not None:
        _put(found, name, downward.resource(resource, container, context))
    elif source.at("fileKeyRef") is not None:
        context.refuse(source, "fileKeyRef", "the file is made by another container, which no machine waits for")


def _put(found: Environment, name: str, value: downward.Value | None) -> None:
    if value is None:
        return
    if value.fact is not None:
        found.facts[name] = value.fact
    elif value.variable is not None:
        found.exports[name] = (Piece(text=value.variable, late=True),)
    else:
        found.known[name] = value.text


def _read_secret_key(name: str, ref: Node, found: Environment, context: Context) -> None:
    """A variable whose value is in a Secret: only its name goes on."""
    secret, key = str(ref.read("name", default="")), str(ref.read("key", default=""))
    span = ref.span
    companion = context.companions.secrets.get((context.job.namespace, secret))
    optional = bool(ref.read("optional"))
    what = f"key `{key}` of Secret `{secret}`"
    if companion is not None and key not in keys_of(companion, "data", "stringData"):
        if not optional:
            unknown_key("Secret", companion, secret, key, ref, context)
        return
    if companion is None and optional and name not in context.inputs.flags.secrets:
        context.gather(codes.LEFT_OUT_OF_ENVIRONMENT, f"`{name}` (optional {what})", span)
        return
    found.secrets.append(name)
    if companion is not None:
        context.secret(name, what, span)


def _read_config_key(name: str, ref: Node, found: Environment, context: Context) -> None:
    config, key = str(ref.read("name", default="")), str(ref.read("key", default=""))
    companion = context.companions.config_maps.get((context.job.namespace, config))
    if companion is None:
        if ref.read("optional"):
            context.gather(
                codes.LEFT_OUT_OF_ENVIRONMENT, f"`{name}` (optional key `{key}` of ConfigMap `{config}`)", ref.span
            )
        elif name in dict(context.inputs.flags.env):
            found.known[name] = dict(context.inputs.flags.env)[name]
        elif context.inputs.flags.move:
            context.gather(
                moved_codes.VARIABLES_NOT_BROUGHT, f"`{name}` (key `{key}` of ConfigMap `{config}`)", ref.span
            )
        else:
            help = f"name a file that has it, `--with FILE`, or give the value: `--env {name}=…`"
            context.sink.report(codes.CONFIG_MAP_MISSING, ref.span, help=help, name=config)
        return
    pair = pair_of(companion.at("data"), key)
    if pair is not None:
        found.known[name] = text_of(pair)
    elif not ref.read("optional"):
        unknown_key("ConfigMap", companion, config, key, ref, context)


def unknown_key(kind: str, companion: Mapping, name: str, key: str, ref: Node, context: Context) -> None:
    """A key that the object of the file does not have; `ref` is where it is named."""
    from flowc.diag.suggest import nearest

    known = keys_of(companion, "data", "stringData", "binaryData")
    near = nearest(key, known)
    help = f"did you mean `{near}`?" if near else f"its keys: {', '.join(known[:10]) or 'none'}"
    place = ref.at("key") or ref
    context.sink.report(codes.KEY_OF_COMPANION, place.span, help=help, kind=kind, name=name, key=key)


def keys_of(companion: Mapping, *parts: str) -> list[str]:
    """The keys of a ConfigMap or Secret."""
    return list(dict.fromkeys(pair.key.text for part in parts for pair in companion.pairs_at(part)))


def _read_source(source: Node, found: Environment, context: Context) -> None:
    """All keys of a ConfigMap or Secret as variables."""
    prefix = str(source.read("prefix", default=""))
    config, secret = source.at("configMapRef"), source.at("secretRef")
    if config is not None:
        companion = context.companions.config_maps.get((context.job.namespace, str(config.read("name", default=""))))
        if companion is None:
            _missing_source(source, "configMapRef", found, context)
        else:
            for pair in companion.pairs_at("data"):
                found.forget(prefix + pair.key.text)
                found.known[prefix + pair.key.text] = text_of(pair)
                found.spans[prefix + pair.key.text] = config.span
    elif secret is not None:
        name = str(secret.read("name", default=""))
        companion = context.companions.secrets.get((context.job.namespace, name))
        if companion is None:
            _missing_source(source, "secretRef", found, context)
        for key in keys_of(companion, "data", "stringData") if companion is not None else ():
            found.forget(prefix + key)
            found.secrets.append(prefix + key)
            found.spans[prefix + key] = secret.span
            context.secret(prefix + key, f"key `{key}` of Secret `{name}`", secret.span)


def _missing_source(source: Node, key: str, found: Environment, context: Context) -> None:
    """An object that is not in the file: its keys cannot be known, unless the command line gives variables. These are
    the container's, whichever of the pod it is."""
    ref, kind = source.at(key) or source, "ConfigMap" if key == "configMapRef" else "Secret"
    name, flags = str(ref.read("name", default="")), context.inputs.flags
    if ref.read("optional"):
        context.gather(codes.LEFT_OUT_OF_ENVIRONMENT, f"the optional {kind} `{name}`", ref.span)
        return
    given = [each for each, _ in flags.env] if kind == "ConfigMap" else list(flags.secrets)
    if given:
        context.gather(codes.KEYS_UNKNOWN, f"{kind} `{name}`", ref.span)
        for each in given:
            found.forget(each)
            found.spans[each] = ref.span
            if kind == "Secret":
                found.secrets.append(each)
            else:
                found.known[each] = dict(flags.env)[each]
        return
    if context.inputs.flags.move:
        context.gather(moved_codes.VARIABLES_NOT_BROUGHT, f"those of {kind} `{name}`", ref.span)
        context.decide(source, key, "ignored", NOT_HERE, moved_codes.VARIABLES_NOT_BROUGHT)
        return
    if kind == "Secret":
        help = "name a file that has it (keys are enough), `--with FILE`, or its variables: `--secret NAME` for each"
        context.sink.report(codes.SECRET_MISSING, ref.span, help=help, name=name)
    else:
        help = f"`--with` what `kubectl get configmap {name} -o yaml` prints, or give its variables: `--env NAME=VALUE`"
        context.sink.report(codes.CONFIG_MAP_MISSING, ref.span, help=help, name=name)


def _add_own(container: Mapping, found: Environment, context: Context) -> None:
    """What Kubernetes or an operator puts into every container."""
    shape, job = context.shape, context.job
    if shape.indexed and found.lookup(INDEX) is None:
        if shape.nodes > 1:
            found.facts[INDEX] = "rank"
        elif shape.tasks is None:
            found.known[INDEX] = "0"
        else:
            found.given.add(INDEX)
    if job.gang is None:
        return
    if job.kind == "JobSet" and shape.nodes > 1 and found.lookup(INDEX) is None:
        found.facts[INDEX] = "rank"  # within its Job, where the parts are told apart
    if job.kind == "PyTorchJob":
        from flowc.frontends.k8s.kinds import torch

        torch.add_torch(found, job.gang, context)
    elif job.kind in ("XGBoostJob", "JAXJob"):
        from flowc.frontends.k8s.container import operators

        operators.add(found, job.gang, context)
    elif job.kind == "VolcanoJob":
        from flowc.frontends.k8s.kinds import volcano

        volcano.add_plugins(container, found, job.gang, context)


def _add_host_name(container: Mapping, found: Environment, context: Context) -> None:
    """The pods of an Indexed Job are hosts called JOB-INDEX; here the network, and with it the host, is the machine's.
    A command that looks for its index in the variable finds it there."""
    shape, job = context.shape, context.job
    texts = [str(node.value or "") for key in ("command", "args") for node in container.each(key)]
    texts += [text for _, text in found.env()]
    if not shape.indexed or found.lookup(HOST) is not None or not any(HOST in text for text in texts):
        return
    first = job.node.read("spec", "replicatedJobs", 0, "name") if job.kind == "JobSet" else None
    name = f"{job.name}-{first}-0" if first is not None else job.name
    if shape.nodes == 1 and shape.tasks is None:
        found.known[HOST] = f"{name}-0"
    else:
        found.exports[HOST] = (Piece(text=f"{name}-"), Piece(text=INDEX, late=True))


def own_start(container: Mapping, found: Environment, context: Context) -> str | None:
    """The fact of what the image starts by itself, given to a container that says no `command`; a shell starts it."""
    if container.each("command"):
        return None
    span = (container.at("args") or container.at("name") or container).span
    context.gather(codes.EXPANSION_ON_MACHINE, "what the image itself starts", span)
    fact = "entrypoint" if container.each("args") else "entrypoint_command"
    found.facts[OWN[fact]] = fact
    return fact


def names_in(words: list[Pieces], found: Environment) -> list[str]:
    """The variables that are put in on the machine, each once."""
    return list(dict.fromkeys(late_names([*words, *found.exports.values()])))
