"""Names of bids, and references to what only the provider's API knows."""

from __future__ import annotations

from flowc._compiled.limits import NAME_LENGTH

DEFAULT_NAME = "job"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")


class _Others(dict[int, str]):
    """For `translate`: a blank for each character that is not allowed."""

    def __missing__(self, character: int) -> str:
        return " "


_ALLOWED = _Others((ord(char), char) for char in (*_LETTERS, *"0123456789"))


def safe_name(name: str, suffix: str = "") -> str:
    """`name` as `^[a-z]([a-z0-9-]{0,58}[a-z0-9])?$`, with `suffix` (small letters, digits, dashes) at its
    end."""
    base = "-".join(name.lower().translate(_ALLOWED).split())
    if not base or base[0] not in _LETTERS:
        base = f"{DEFAULT_NAME}-{base}" if base else DEFAULT_NAME
    return base[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix


def unique_name(name: str, taken: set[str]) -> str:
    """`name`, or the name with the first free number at its end; it is taken from then on."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = safe_name(name, f"-{number}")
    taken.add(found)
    return found


class References:
    """Gives an id as it stands and a name as a reference, and collects the references in order."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[str, None] = {}

    def project(self, name: str | None) -> str:
        return self._fid("proj_", name) or self._reference("project", name or "default")

    def ssh_key(self, name: str | None) -> str:
        return self._fid("sshkey_", name) or self._reference("ssh_key", name or "default")

    def volume(self, name: str) -> str:
        return self._fid("vol_", name) or self._reference("volume", name)

    def cluster(self, name: str) -> str:
        return self._fid("clust_", name) or self._reference("kubernetes_cluster", name)

    def instance_type(self, fid: str | None, name: str, region: str | None) -> str:
        return fid or self._reference("instance_type", f"{name}@{region}")

    def _fid(self, prefix: str, name: str | None) -> str | None:
        rest = name.removeprefix(prefix) if name is not None and name.startswith(prefix) else ""
        return name if rest.isascii() and rest.isalnum() else None

    def _reference(self, kind: str, name: str) -> str:
        reference = f"${{{kind}:{name}}}"
        self.found[reference] = None
        return reference
