"""References of a request to what only the provider's API knows."""

from __future__ import annotations


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
