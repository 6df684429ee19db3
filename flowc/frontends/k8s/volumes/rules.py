"""The API server's rules for volumes and for what containers mount of them."""

from __future__ import annotations

from flowc.frontends.k8s import names
from flowc.frontends.k8s.findings import given, int_at, key_span, text_at
from flowc.frontends.k8s.machine import rules as resource_rules
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

_PROJECTIONS = ("configMap", "secret", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
_ACCESS = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
LEAST_TOKEN = 600  # seconds that a token is good for
_FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations")


def sources() -> list[str]:
    """The kinds of volumes: all fields of a volume but its name."""
    from flowc._compiled.k8s_fields import TYPES

    return [name for name in TYPES["Volume"] if name != "name"]


def check(findings: Findings, pod: Mapping, path: str) -> dict[str, Node]:
    """Check the volumes of a pod; gives their names."""
    found: dict[str, Node] = {}
    kinds = sources() if pod.at("volumes") is not None else []
    for index, volume in enumerate(pod.each("volumes")):
        where = f"{path}.volumes[{index}]"
        name = volume.at("name")
        if name is not None and isinstance(name.value, str) and names.dns_label(findings, name, f"{where}.name"):
            if name.value in found:
                findings.duplicate(name, found[name.value], f"{where}.name")
            found.setdefault(name.value, name)
        used = given(volume, kinds)
        for kind in used[1:]:
            detail = "may not specify more than 1 volume type"
            findings.forbidden(key_span(volume, kind), f"{where}.{kind}", detail, f"`{used[0]}` is given too")
        for kind in used:
            source = volume.at(kind)
            if isinstance(source, Mapping) and kind in _RULES:
                _RULES[kind](findings, source, f"{where}.{kind}")
    return found


def _empty_dir(findings: Findings, source: Mapping, path: str) -> None:
    medium, size = source.at("medium"), source.at("sizeLimit")
    if medium is not None and isinstance(medium.value, str):
        known = ("", "Memory", "HugePages")
        if medium.value not in known and not medium.value.startswith("HugePages-"):
            findings.unsupported(medium, f"{path}.medium", known)
    if size is not None:
        amount = resource_rules.read(findings, size, f"{path}.sizeLimit")
        if amount is not None and amount < 0:
            findings.bounds(size, f"{path}.sizeLimit", "a non-negative quantity")


def _host_path(findings: Findings, source: Mapping, path: str) -> None:
    folder = source.at("path")
    if folder is not None and folder.value == "":
        findings.required(source, f"{path}.path")
    elif folder is not None and isinstance(folder.value, str) and ".." in folder.value.split("/"):
        findings.invalid(folder, f"{path}.path", "must not contain '..'")


def _token(findings: Findings, source: Mapping, path: str) -> None:
    seconds = source.at("expirationSeconds")
    if seconds is not None and (number := int_at(seconds)) is not None and not LEAST_TOKEN <= number <= 1 << 32:
        findings.bounds(seconds, f"{path}.expirationSeconds", f"{LEAST_TOKEN} to {1 << 32}")
    _relative(findings, source, "path", f"{path}.path", file=True)


def _claim(findings: Findings, source: Mapping, path: str) -> None:
    name = source.at("claimName")
    if name is not None and isinstance(name.value, str):
        names.dns_subdomain(findings, name, f"{path}.claimName")


def _nfs(findings: Findings, source: Mapping, path: str) -> None:
    folder = source.at("path")
    if folder is not None and isinstance(folder.value, str) and not folder.value.startswith("/"):
        findings.invalid(folder, f"{path}.path", "must be an absolute path")


def _keys(findings: Findings, source: Mapping, path: str) -> None:
    """A ConfigMap or Secret as files."""
    for index, item in enumerate(source.each("items")):
        key = item.at("key")
        if key is not None and isinstance(key.value, str) and not names.is_config_key(key.value):
            findings.form(key, f"{path}.items[{index}].key", "letters, digits, `-`, `_` and `.`")
        _relative(findings, item, "path", f"{path}.items[{index}].path", file=True)


def _downward(findings: Findings, source: Mapping, path: str) -> None:
    for index, item in enumerate(source.each("items")):
        where = f"{path}.items[{index}]"
        _relative(findings, item, "path", f"{where}.path", file=True)
        used = given(item, ("fieldRef", "resourceFieldRef"))
        if not used:
            findings.required(item, f"{where}.fieldRef", "one of fieldRef and resourceFieldRef is needed")
        elif len(used) > 1:
            findings.forbidden(key_span(item, used[1]), f"{where}.{used[1]}", f"may not stand beside {used[0]}")
        field = item.at("fieldRef", "fieldPath")
        if field is not None and isinstance(field.value, str) and field.value.partition("[")[0] not in _FIELDS:
            findings.unsupported(field, f"{where}.fieldRef.fieldPath", _FIELDS)


def _projected(findings: Findings, source: Mapping, path: str) -> None:
    for index, each in enumerate(source.each("sources")):
        where = f"{path}.sources[{index}]"
        used = given(each, _PROJECTIONS)
        if not used:
            findings.required(each, where, f"one of {', '.join(_PROJECTIONS[:4])} is needed")
        for kind in used[1:]:
            detail = "may not specify more than 1 volume type per source"
            findings.forbidden(key_span(each, kind), f"{where}.{kind}", detail, "make it an item of its own")
        for kind in used:
            inner = each.at(kind)
            if isinstance(inner, Mapping) and kind in _RULES:
                _RULES[kind](findings, inner, f"{where}.{kind}")


def _ephemeral(findings: Findings, source: Mapping, path: str) -> None:
    template = source.at("volumeClaimTemplate")
    if template is None:
        findings.required(source, f"{path}.volumeClaimTemplate")
    elif isinstance(template.at("spec"), Mapping):
        claim(findings, template.at("spec"), f"{path}.volumeClaimTemplate.spec")


def claim(findings: Findings, spec: Node | None, path: str) -> None:
    """The spec of a PersistentVolumeClaim."""
    if not isinstance(spec, Mapping):
        return
    modes = spec.each("accessModes")
    if not modes:
        findings.required(spec, f"{path}.accessModes", "at least 1 access mode is required, such as [ReadWriteOnce]")
    for index, mode in enumerate(modes):
        if isinstance(mode.value, str) and mode.value not in _ACCESS:
            findings.unsupported(mode, f"{path}.accessModes[{index}]", _ACCESS)
    size = spec.at("resources", "requests", "storage")
    where = f"{path}.resources[storage]"
    if size is None:
        findings.required(spec, where, "write `resources: {requests: {storage: 100Gi}}`, or the size that it takes")
    else:
        amount = resource_rules.read(findings, size, f"{path}.resources.requests[storage]")
        if amount is not None and amount <= 0:
            findings.invalid(size, where, "must be greater than zero")


_RULES = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "configMap": _keys,
    "secret": _keys,
    "downwardAPI": _downward,
    "projected": _projected,
    "serviceAccountToken": _token,
    "ephemeral": _ephemeral,
}


def mounts(findings: Findings, container: Mapping, path: str, volumes: dict[str, Node]) -> None:
    """Check what a container mounts of the pod's `volumes`."""
    seen: dict[str, Node] = {}
    for index, mount in enumerate(container.each("volumeMounts")):
        where = f"{path}.volumeMounts[{index}]"
        name, target = mount.at("name"), mount.at("mountPath")
        if name is not None and isinstance(name.value, str) and name.value not in volumes:
            findings.not_found(name, f"{where}.name", volumes, "volumes")
        if target is not None and isinstance(target.value, str):
            if not target.value:
                findings.required(mount, f"{where}.mountPath")
            elif target.value in seen:
                findings.invalid(target, f"{where}.mountPath", "must be unique", "two mounts cannot share a path")
            elif ":" in target.value:
                findings.invalid(target, f"{where}.mountPath", "must not contain ':'")
            seen.setdefault(target.value, target)
        if len(given(mount, ("subPath", "subPathExpr"))) > 1:
            findings.invalid(mount, f"{where}.subPathExpr", "subPathExpr and subPath are mutually exclusive")
        _relative(findings, mount, "subPath", f"{where}.subPath")
        _relative(findings, mount, "subPathExpr", f"{where}.subPathExpr")
        _propagation(findings, container, mount, where)


def _propagation(findings: Findings, container: Mapping, mount: Node, path: str) -> None:
    """What is mounted below a mount, on which side."""
    both = mount.at("mountPropagation")
    privileged = container.read("securityContext", "privileged") is True
    if both is not None and both.value == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        findings.forbidden(both.span, f"{path}.mountPropagation", detail)
    deep = mount.at("recursiveReadOnly")
    if deep is not None and deep.value in ("Enabled", "IfPossible"):
        if mount.read("readOnly") is not True:
            detail = "may only be specified when readOnly is true"
            findings.forbidden(deep.span, f"{path}.recursiveReadOnly", detail)
        if both is not None and both.value != "None":
            detail = "may only be specified when mountPropagation is None or not specified"
            findings.forbidden(deep.span, f"{path}.recursiveReadOnly", detail)


def _relative(findings: Findings, parent: Node, key: str, path: str, *, file: bool = False) -> None:
    """A path that may not leave its folder; that of a file is not empty, and `..` is for who writes the files."""
    text, node = text_at(parent, key), parent.at(key)
    if node is not None and text == "" and file:
        findings.required(parent, path)
    if node is None or not text:
        return
    if text.startswith("/"):
        findings.invalid(node, path, "must be a relative path")
    elif ".." in text.split("/"):
        findings.invalid(node, path, "must not contain '..'")
    elif file and text.startswith(".."):
        findings.invalid(node, path, "must not start with '..'")
