"""Where a machine is, how the system's ssh is called for it, and what it says when it fails.

Host keys are kept for each task apart, under the name of the machine: addresses come back with other machines behind
them, and a task may get another machine. One that shows another key than before is an error that is told.

The user's own configuration of ssh holds, since it may be the only way out of his network, but for what would change
what is run, or lend something of this computer to the machine. Nothing is ever asked for.
"""

from __future__ import annotations

import os

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CONNECT_S = 10
# A connection on which nothing arrives is cut after the product of these.
ALIVE_S, ALIVE_COUNT = 15, 4
USER, PORT = "ubuntu", 22

# What holds against any configuration. Older programs do not know the last ones; what the user lets them ignore is in
# his configuration, where this would hide it.
_FIXED = {
    "IgnoreUnknown": "*",
    "BatchMode": "yes",
    "ConnectTimeout": str(CONNECT_S),
    "ServerAliveInterval": str(ALIVE_S),
    "ServerAliveCountMax": str(ALIVE_COUNT),
    "StrictHostKeyChecking": "accept-new",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "VerifyHostKeyDNS": "no",
    "HashKnownHosts": "no",
    "CheckHostIP": "no",
    "LogLevel": "ERROR",
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "Tunnel": "no",
    "StdinNull": "no",
    "ForkAfterAuthentication": "no",
    "SessionType": "default",
    "KnownHostsCommand": "none",
}


class UnreachableError(Exception):
    """A machine that does not answer, or not to us: in one sentence."""


class ChangedHostKeyError(UnreachableError):
    """Another machine answers than the one that this task had."""


class RefusedKeyError(UnreachableError):
    """A machine takes none of the keys that it was shown."""


class Place(Record):
    """Where a machine is reached: `keys` is the file with the host keys of its task, `name` what the machine is called
    in it; `identities` are files with private keys that are offered before others."""

    host: str
    port: int
    keys: str
    name: str
    user: str = USER
    identities: tuple[str, ...] = ()


def place_of(address: str, keys: str, *, name: str = "", identities: Iterable[str] = ()) -> Place:
    """`address` is `host`, `host:port`, or `[v6]:port`, maybe with a user and `@` before it. Raises UnreachableError
    for what is none; what begins with a dash would be an option."""
    user, _, rest = address.rpartition("@")
    host, text = rest, ""
    if rest.startswith("["):
        host, closed, tail = rest[1:].partition("]")
        text = tail.removeprefix(":")
        if not closed or (tail and not tail.startswith(":")):
            host = ""
    elif rest.count(":") == 1:
        host, _, text = rest.partition(":")
    port = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0 if text else PORT
    if not 0 < port < 65536 or not _is_word(host, ".:-_%") or (user and not _is_word(user, ".-_")):
        raise UnreachableError(f"the provider gives an address that is none: {address[:100]!r}")
    return Place(host=host, port=port, keys=keys, name=name or host, user=user or USER, identities=tuple(identities))


def _is_word(text: str, others: str) -> bool:
    return bool(text) and not text.startswith("-") and all(c.isalnum() or c in others for c in text)


def public_key(path: str) -> str:
    """Kind and text of the public key that a file of the user holds, or the file beside a private key. Raises OSError,
    and ValueError for what is none."""
    path = os.path.expanduser(path)
    with open(path if path.endswith(".pub") else f"{path}.pub", encoding="ascii", errors="strict") as file:
        words = file.read(20_000).split()
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError(f"{path} holds no public key")
    return f"{words[0]} {words[1]}"


def options(place: Place, **more: str) -> list[str]:
    """The program and its options for a machine; `more` are further ones by their names, such as ControlPath."""
    values = {
        **_FIXED,
        "HostKeyAlias": place.name,
        # A path with a space, or a percent sign, is a path.
        "UserKnownHostsFile": '"' + place.keys.replace("%", "%%") + '"',
        **more,
    }
    flags = [each for name, value in values.items() for each in ("-o", f"{name}={value}")]
    keys = [each for path in place.identities for each in ("-i", path)]
    return ["ssh", *flags, *keys, "-p", str(place.port), "-l", place.user]


def as_root(*words: str) -> str:
    """The text that a machine is given to run `words` as root."""
    from flowc.shell.quote import sh

    return " ".join(sh(word) for word in ("sudo", "-n", *words))


def trouble(place: Place, said: str) -> UnreachableError:
    """What ssh says where it fails, in a sentence. It may be said by one that goes to a host on the way."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if "IDENTIFICATION HAS CHANGED" in said and place.keys in said:
        return ChangedHostKeyError(
            f"another machine answers at {place.host} than {place.name} was before: its host key has changed; if that "
            f"is right, remove {place.keys}"
        )
    if "Host key verification failed" in said:
        how = "another host key than before" if "IDENTIFICATION HAS CHANGED" in said else "a host key that is not known"
        return UnreachableError(
            f"a host on the way to {place.host}, by your configuration of ssh, has {how}: `ssh {place.host}` tells more"
        )
    for line in lines:
        who, denied, _ = line.partition(": Permission denied (")
        if denied and " " not in who:
            way = "" if who.rpartition("@")[2] == place.host else f", on the way to {place.host},"
            return RefusedKeyError(
                f"{who if way else place.host}{way} does not take your SSH key: is it the one of the bid? One with a "
                "passphrase must be in the agent (`ssh-add`)"
            )
    if "Too many authentication failures" in said:
        return RefusedKeyError(
            f"{place.host} was shown too many keys of your agent before the right one: name that one's file "
            "(`ssh_keys` of the settings, MITHRIL_SSH_KEYS)"
        )
    if "sudo:" in said:
        return UnreachableError(f"{place.user} may not become root on {place.host}")
    # The last of them says why, but where one before it says why it was closed.
    why = [line for line in lines if not line.startswith("kex_exchange_identification")] or lines
    return UnreachableError(f"{place.host}: {why[-1][:200]}" if why else f"{place.host} cannot be reached")
