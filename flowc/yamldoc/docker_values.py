"""Values of docker's options as docker itself takes them: what its client and its daemon would refuse before the
container starts is known here, and not on a machine that is paid for."""

from __future__ import annotations

from flowc._compiled.docker_options import BOUNDS, CHOICES, FORMS
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    # Each option's name and value, with what else belongs to it.
    Given = tuple[str, str, str, Any]

_forms: dict[str, Callable[..., Any]] = {name: at_first_use(like, "fullmatch") for name, (like, _) in FORMS.items()}
TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
_volume_name = at_first_use(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", "fullmatch")
_size = at_first_use(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)", "match")
_LEAST_MEMORY = 6 << 20
_MODES = (
    ("ro", "rw"),
    ("z", "Z"),
    ("private", "rprivate", "shared", "rshared", "slave", "rslave"),
    ("nocopy",),
    ("consistent", "cached", "delegated", "default"),
)
_MOUNT_TYPES = ("bind", "volume", "tmpfs", "image", "cluster")
_MOUNT_KEYS = {
    *("type", "source", "src", "target", "dst", "destination", "readonly", "ro", "consistency", "bind-propagation"),
    *("bind-nonrecursive", "bind-recursive", "bind-create-src", "volume-nocopy", "volume-subpath", "volume-label"),
    *("volume-driver", "volume-opt", "tmpfs-size", "tmpfs-mode", "image-subpath"),
}
_SWITCHES = ("readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src")
_TARGETS = ("target", "dst", "destination")
_SEVERAL = "--gpus '\"device=0,1\"'"


def unlike(name: str, value: str) -> str | None:
    """Why docker would not take this value of an option, None where it would."""
    if name in FORMS and not _forms[name](value):
        return f"`{value}` is not {FORMS[name][1]}"
    if name in CHOICES:
        words = [word for word in CHOICES[name] if word]
        return None if value in CHOICES[name] else f"`{value}` is none of {', '.join(words)}"
    if name in BOUNDS:
        least, most = BOUNDS[name]
        return None if least <= int(value, 0) <= most else f"it must be {least} to {most}"
    check = _CHECKS.get(name)
    return check(value) if check is not None else None


def together(given: list[Given]) -> Iterator[tuple[Given, str]]:
    """Those of the options that docker refuses beside others, and why."""
    values = {name: value for name, value, _, _ in given}
    networks, targets = False, dict[str, tuple[str, str]]()
    for each in given:
        name, value, _, _ = each
        if name == "network":
            if networks:
                yield each, "a container has one of these networks, and another one is given before"
            networks = True
        elif name == "no-healthcheck" and value in TRUE:
            other = next((key for key, text in values.items() if key.startswith("health-") and text), None)
            if other is not None:
                yield each, f"it contradicts `--{other}`"
        elif name in ("cpu-period", "cpu-quota") and "cpus" in values:
            yield each, "`--cpus` says the same in another way"
        elif name == "memory-swap" and value not in ("-1", "0") and not _bytes(values.get("memory", "0")):
            yield each, "it goes with `--memory`, which is missing"
        elif name == "memory-swap" and value != "-1" and 0 < _bytes(value) < _bytes(values.get("memory", "0")):
            yield each, "it counts `--memory` in, so it is not less"
        elif name == "memory-reservation" and 0 < _bytes(values.get("memory", "0")) < _bytes(value):
            yield each, "it is not more than `--memory`"
        elif name in ("volume", "mount", "tmpfs"):
            target = _target(name, value)
            before = targets.setdefault(target, (name, value))
            if before != (name, value) and not before[0] == name == "tmpfs":
                yield each, f"`{target}` is mounted by another option before"


def _bytes(value: str) -> int:
    found = _size(value.lower())
    return int(float(found[1]) * 1024 ** " kmgtp".find(found[2] or " ")) if found else 0


def _memory(value: str) -> str | None:
    return f"`{value}` is less than the 6 MB that docker asks for" if 0 < _bytes(value) < _LEAST_MEMORY else None


def _cpus(value: str) -> str | None:
    from fractions import Fraction

    return "the least that docker gives is 0.01" if 0 < Fraction(value) < Fraction(1, 100) else None


def _ulimit(value: str) -> str | None:
    soft, _, hard = value.partition("=")[2].partition(":")
    return f"the soft limit {soft} is above the hard one" if hard and -1 < int(hard) < int(soft) else None


def _volume(value: str) -> str | None:
    parts = value.split(":")
    if len(parts) == 1:
        return None if parts[0] not in ("", "/") else f"`{value}` is no folder of the container"
    source, target, *rest = parts
    if len(rest) > 1 or not target.startswith("/") or not target.strip("/"):
        return f"`{value}` is not `SOURCE:/FOLDER`, maybe with `:ro` behind it"
    if source.startswith((".", "~")):
        return f"the machine has none of your files, so none at `{source}`; name a folder of it by its full path"
    if source and not source.startswith("/") and not _volume_name(source):
        return f"`{source}` is neither a full path nor a name of a volume, of two or more letters and digits"
    for mode in rest[0].split(",") if rest else ():
        if sum(mode in group for group in _MODES) != 1:
            return f"docker knows no mode `{mode}` of a mount"
        if mode == "nocopy" and source.startswith("/"):
            return "`nocopy` is for volumes, not for folders of the machine"
    modes = rest[0].split(",") if rest else []
    crowded = next((group for group in _MODES if sum(mode in group for mode in modes) > 1), None)
    return f"`{rest[0]}` says two things at once" if crowded else None


def _mount(value: str) -> str | None:
    fields: dict[str, str] = {}
    for part in _csv(value):
        key, equals, text = part.partition("=")
        key = key.lower()
        if key not in _MOUNT_KEYS:
            return f"docker knows no `{part}` in a mount"
        if not equals and key not in _SWITCHES:
            return f"`{part}` is not `KEY=VALUE`"
        if equals and key in _SWITCHES and text not in TRUE + FALSE:
            return f"`{text}` is not `true` or `false`"
        if key == "tmpfs-size" and not _size(text.lower()):
            return f"`{text}` is not a size"
        fields[key] = text
    kind = fields.get("type", "volume").lower()
    source, target = fields.get("source", fields.get("src", "")), _target("mount", value)
    if kind not in _MOUNT_TYPES:
        return f"docker knows no mount of type `{kind}`"
    if not target.startswith("/") or not target.strip("/"):
        return "`target` is missing, or no full path of a folder"
    if kind == "bind" and not source.startswith("/"):
        return "`source` of a bind mount is the full path of something on the machine"
    if kind == "volume" and source and not _volume_name(source):
        return f"`{source}` is no name of a volume; `type=bind` mounts a path of the machine"
    return "a tmpfs has no `source`" if kind == "tmpfs" and source else None


def _target(name: str, value: str) -> str:
    """Where a mount goes."""
    if name == "mount":
        fields = dict(part.partition("=")[::2] for part in _csv(value))
        found = next((text for key, text in fields.items() if key.lower() in _TARGETS), "")
    else:
        parts = value.split(":")
        found = parts[0] if len(parts) == 1 or name == "tmpfs" else parts[1]
    return found.rstrip("/") or found


def _gpus(value: str) -> str | None:
    counted, by_name = False, False
    for part in _csv(value):
        key, equals, text = part.partition("=")
        if not equals or key == "count":
            text = text if equals else part
            if text != "all" and not text.lstrip("-").isdecimal():
                return f"`{text}` is neither `all` nor a number of GPUs"
            counted = True
        elif key == "device":
            by_name = True
        elif key not in ("driver", "capabilities", "options"):
            return f"docker knows no `{key}` of GPUs"
    if counted and by_name:
        return f"docker takes what stands behind the comma for a number of GPUs; write `{_SEVERAL}`"
    return None if value else "its value is empty"


def _csv(value: str) -> list[str]:
    import csv

    return next(csv.reader([value]), [])


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "gpus": _gpus,
    "mount": _mount,
    "volume": _volume,
    "ulimit": _ulimit,
    "memory": _memory,
    "memory-reservation": _memory,
    "cpus": _cpus,
}
