"""How a container of a job is kept apart from its machine, and found to be dead."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.parts import Probe


class Isolation(Record):
    """How a container is kept apart from its machine: what `docker run` can say of it. None: its default.

    `user` is `UID[:GID]` or a name, `groups` are supplementary. `cpus` is a decimal number, limits are in bytes and
    seconds. `pull_secrets` are the names of logins for registries, `pull_parts` what of these is no secret
    (NAME_USERNAME, NAME_SERVER) and its text. `options` are words for `docker run` that the user wrote as such.
    """

    user: str | None = None
    groups: tuple[str, ...] = ()
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    read_only_root: bool = False
    no_new_privileges: bool = False
    seccomp: str | None = None
    apparmor: str | None = None
    network_host: bool = False
    ipc_host: bool = False
    pid_host: bool = False
    hostname: str | None = None
    hosts: tuple[tuple[str, str], ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    sysctls: tuple[tuple[str, str], ...] = ()
    pull: str | None = None
    pull_secrets: tuple[str, ...] = ()
    pull_parts: tuple[tuple[str, str], ...] = ()
    cpus: str | None = None
    memory_bytes: int | None = None
    stop_grace_s: int | None = None
    stop_signal: str | None = None
    before_stop: tuple[str, ...] = ()
    liveness: Probe | None = None
    options: tuple[str, ...] = ()
