"""Volumes whose content stands in the manifest: ConfigMaps, Secrets, what a pod knows of itself."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import moved as moved_codes
from flowc.frontends.k8s.container import downward
from flowc.frontends.k8s.container.environment import NOT_HERE, keys_of, unknown_key
from flowc.frontends.k8s.context import pair_of, text_of
from flowc.frontends.k8s.volumes.mounts import target_of
from flowc.frontends.k8s.volumes.named_keys import named_keys
from flowc.ir.job import File
from flowc.ir.names import variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Mapping, Node, Pair

MODE = 0o644
GROUP_READS = 0o440
_INSTEAD = {"JOB_COMPLETION_INDEX": "read the variable `JOB_COMPLETION_INDEX`, which every task has"}


class Entry:
    """A file of a volume: its path in it, and its content or the secret that it is."""

    __slots__ = ("mode", "path", "secret", "text")

    def __init__(self, path: str, mode: int, text: str | None = None, secret: str | None = None) -> None:
        self.path = path
        self.mode = mode
        self.text = text
        self.secret = secret


def files_of(kind: str, source: Node, mount: Node, container: Mapping, context: Context) -> list[File]:
    """The files that a mount of such a volume brings; with `subPath` the one that it names, at the mount's own path.
    The pod's `fsGroup` owns them and may read them, and nobody may write them, as the kubelet has it."""
    target = target_of(mount).rstrip("/")
    sub = str(mount.read("subPath", default="")).strip("/")
    found: dict[str, File] = {}
    errors = context.sink.error_count
    fs_group = context.job.pod_spec.at("securityContext", "fsGroup")
    group = int(str(fs_group.value)) if fs_group is not None else None
    for each in entries(kind, source, source, container, context):
        if sub and each.path != sub and not each.path.startswith(sub + "/"):
            continue
        rest = each.path.removeprefix(sub) if sub else f"/{each.path}"
        mode = each.mode if group is None else each.mode | GROUP_READS
        path = target + rest
        found.pop(path, None)  # of two sources the last one's file is there
        found[path] = File(path=path, text=each.text, secret=each.secret, mode=mode, group=group, read_only=True)
    there = kind not in ("configMap", "secret") or companion_of(kind, source, context) is not None
    if not found and sub and there and context.sink.error_count == errors:
        context.refuse(mount, "subPath", "the volume has no file of this name")
    return list(found.values())


def to_bring(kind: str, source: Node, context: Context) -> bool:
    """Whether a volume has the files of a ConfigMap that lies in the other cluster: with `--move` the submitter brings
    them, from a folder of its name."""
    if kind != "configMap" or not context.inputs.flags.move or source.read("optional"):
        return False
    if companion_of(kind, source, context) is not None:
        return False
    name = source.at("name") or source
    context.gather(moved_codes.FILES_TO_BRING, f"`{source.read('name', default='')}`", name.span)
    return True


def companion_of(kind: str, source: Node, context: Context) -> Mapping | None:
    table = context.companions.config_maps if kind == "configMap" else context.companions.secrets
    return table.get((context.job.namespace, str(source.read("name") or source.read("secretName") or "")))


def entries(kind: str, source: Node, volume: Node, container: Mapping, context: Context) -> list[Entry]:
    """The files of a source; `volume` is the whole volume, which has the default mode."""
    if kind == "projected":
        found = []
        for each in source.each("sources"):
            for pair in each.pairs_at():
                if pair.key.text in ("configMap", "secret", "downwardAPI"):
                    found += entries(pair.key.text, pair.value, volume, container, context)
        return found
    if kind == "downwardAPI":
        return _downward(source, volume, container, context)
    return _of_object(kind, source, volume, context)


def _of_object(kind: str, source: Node, volume: Node, context: Context) -> list[Entry]:
    name = str(source.read("name") or source.read("secretName") or "")
    companion = companion_of(kind, source, context)
    shown = "ConfigMap" if kind == "configMap" else "Secret"
    items = source.each("items")
    named = []
    if companion is None and kind == "secret" and not items and not source.read("optional"):
        named = named_keys(volume, context)
    if named:
        span = (source.at("secretName") or source.at("name") or source).span
        context.gather(codes.KEYS_BY_NAME, f"{', '.join(f'`{key}`' for key in named)} of Secret `{name}`", span)
    elif companion is None and (source.read("optional") or kind == "configMap" or not items):
        _report_missing(shown, name, source, context)
        return []
    mode = volume.read("defaultMode", default=MODE)
    parts = ("data", "binaryData") if kind == "configMap" else ("data", "stringData")
    keys = keys_of(companion, *parts) if companion is not None else named
    chosen = [(str(each.read("key")), str(each.read("path")), each.read("mode", default=mode), each) for each in items]
    found = []
    for key, path, file_mode, place in chosen or [(key, key, mode, source) for key in keys]:
        if companion is not None and key not in keys:
            if not source.read("optional"):
                unknown_key(shown, companion, name, key, place, context)
        elif kind == "secret":
            variable = variable_name(f"{name}_{key}".upper())
            context.secret(variable, f"key `{key}` of Secret `{name}`", place.span)
            found.append(Entry(path, file_mode, secret=variable))
        elif companion is not None:
            text = _text(companion, key)
            if text is None:
                reason = f"the key `{key}` is no text, and only text goes into a startup script"
                context.refuse(volume, "name", reason, "put the file into the image, a bucket or a volume")
            else:
                found.append(Entry(path, file_mode, text=text))
    return found


def _report_missing(kind: str, name: str, source: Node, context: Context) -> None:
    span = (source.at("name") or source.at("secretName") or source).span
    if source.read("optional"):
        context.gather(codes.LEFT_OUT_OF_ENVIRONMENT, f"the optional {kind} `{name}`", span)
        return
    if kind == "Secret" and context.inputs.flags.move:
        context.gather(moved_codes.FILES_NOT_BROUGHT, f"`{name}`", span)
        for key in ("secretName", "name"):
            context.decide(source, key, "ignored", NOT_HERE, moved_codes.FILES_NOT_BROUGHT)
    elif kind == "Secret":
        help = "name a file that has it (its keys are enough), `--with FILE`, or list them in `items`"
        context.sink.report(codes.SECRET_MISSING, span, help=help, name=name)
    else:
        help = f"name a file with what `kubectl get configmap {name} -o yaml` prints: `--with FILE`"
        context.sink.report(codes.CONFIG_MAP_MISSING, span, help=help, name=name)


def _text(companion: Mapping, key: str) -> str | None:
    """The content of a ConfigMap's key; None where it is binary."""
    pair = pair_of(companion.at("data"), key)
    if pair is not None:
        return text_of(pair)
    import base64

    pair = pair_of(companion.at("binaryData"), key)
    lines = text_of(pair).split() if pair is not None else []
    try:
        return base64.b64decode("".join(lines), validate=True).decode("utf-8")
    except ValueError:  # no base64, or no text
        return None


def _downward(source: Node, volume: Node, container: Mapping, context: Context) -> list[Entry]:
    """Files that say what a pod knows of itself; what only the machine knows cannot be one."""
    found = []
    for each in source.each("items"):
        mode = each.read("mode", default=volume.read("defaultMode", default=MODE))
        path, ref = str(each.read("path", default="")), each.at("fieldRef")
        field = str(ref.read("fieldPath", default="")) if ref is not None else ""
        if ref is not None and field in ("metadata.labels", "metadata.annotations"):
            pairs = context.job.template.pairs_at("metadata", field.partition(".")[2])
            text = "\n".join(f'{pair.key.text}="{_escaped(text_of(pair))}"' for pair in sorted(pairs, key=_key))
            found.append(Entry(path, mode, text=text))
            continue
        if ref is not None:
            value = downward.field(field, ref, context)
        else:
            other = each.at("resourceFieldRef")
            value = downward.resource(other, container, context) if other is not None else None
        if value is None:
            continue
        if value.fact is not None or value.variable is not None:
            context.refuse(
                each, "path", "a file cannot hold what only the machine knows", "take it as a variable: `env`"
            )
        else:
            found.append(Entry(path, mode, text=value.text))
    return found


def _key(pair: Pair) -> str:
    return pair.key.text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
