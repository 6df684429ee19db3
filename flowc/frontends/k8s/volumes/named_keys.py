"""Which keys of a Secret that lies in the cluster a pod surely reads: those whose files its own words name."""

from __future__ import annotations

from flowc.frontends.k8s.volumes.mounts import source_of, target_of
from flowc.yamldoc.node import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.frontends.k8s.context import Context
    from flowc.yamldoc.node import Node

_OTHERS = "-._"  # beside letters and digits, in a key


def named_keys(volume: Node, context: Context) -> list[str]:
    """The keys, each once: a mount of one file names it, and so does a command or variable with its path."""
    found, folders, texts = list[str](), list[str](), list[str]()
    for container in (*context.job.pod_spec.each("containers"), *context.job.pod_spec.each("initContainers")):
        for mount in container.each("volumeMounts"):
            if not _is_of(volume, mount, context):
                continue
            sub = str(mount.read("subPath", default="")).strip("/")
            if sub:
                found.append(sub)
            else:
                folders.append(target_of(mount).rstrip("/") + "/")
        texts += [str(word.value or "") for key in ("command", "args") for word in container.each(key)]
        texts += [str(each.read("value", default="")) for each in container.each("env")]
    found += [key for folder in folders for text in texts for key in _below(folder, text)]
    return [key for key in dict.fromkeys(found) if "/" not in key]


def _is_of(volume: Node, mount: Node, context: Context) -> bool:
    name = mount.read("name")
    volumes = [each for each in context.job.pod_spec.each("volumes") if each.read("name") == name]
    return any(isinstance(each, Mapping) and source_of(each)[1] is volume for each in volumes)


def _below(folder: str, text: str) -> Iterator[str]:
    """The names of files that a text has right below a folder."""
    at = -1
    while (at := text.find(folder, at + 1)) >= 0:
        before, end = text[at - 1 : at], at + len(folder)
        start = end
        while end < len(text) and (text[end].isalnum() or text[end] in _OTHERS):
            end += 1
        name = text[start:end].rstrip(".")
        if name and not (before.isalnum() or before in ("-", "_", ".", "/")) and text[end : end + 1] not in ("/", "$"):
            yield name
