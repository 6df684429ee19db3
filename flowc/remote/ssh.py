"""Reads and writes files of a task's machines by the system's ssh: one call each, bounded in time, asking nothing.

Host keys are kept for each task apart: addresses come back with other machines behind them, and a changed key within
one task is an error that is told.
"""

from __future__ import annotations

import os
import subprocess

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_S = 10
CALL_S = 60
# The longest piece of a file that one call brings.
MOST_BYTES = 4_000_000
USER, PORT = "ubuntu", 22


class UnreachableError(Exception):
    """A machine that does not answer, or not to us: in one sentence."""


class ChangedHostKeyError(UnreachableError):
    """Another machine answers than the one that this task had."""


class Place(Record):
    """Where a machine is reached: `keys` is the file with the host keys of its task."""

    host: str
    port: int
    keys: str


def place_of(address: str, keys: str) -> Place:
    """`address` is `host`, `host:port`, or `[v6]:port`, maybe with a user before it that is ours anyway. Raises
    UnreachableError for what is none; what begins with a dash would be an option."""
    _, _, rest = address.rpartition("@")
    host, port = rest, PORT
    if rest.startswith("["):
        host, _, tail = rest[1:].partition("]")
        text = tail.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, text = rest.partition(":")
    else:
        text = ""
    if text:
        if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
            raise UnreachableError(f"the provider gives an address that is none: {address[:100]!r}")
        port = int(text)
    if not host or host.startswith("-") or not all(c.isalnum() or c in ".:-_%" for c in host):
        raise UnreachableError(f"the provider gives an address that is none: {address[:100]!r}")
    return Place(host=host, port=port, keys=keys)


def public_key(path: str) -> str:
    """Kind and text of the public key that a file of the user holds, or the file beside a private key. Raises OSError,
    and ValueError for what is none."""
    path = os.path.expanduser(path)
    with open(path if path.endswith(".pub") else f"{path}.pub", encoding="ascii", errors="strict") as file:
        words = file.read(20_000).split()
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError(f"{path} holds no public key")
    return f"{words[0]} {words[1]}"


def command(place: Place, *words: str, user: str = USER) -> list[str]:
    """The ssh command that runs `words` as root there."""
    from flowc.shell.quote import sh

    options = {
        "BatchMode": "yes",
        "ConnectTimeout": str(CONNECT_S),
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": place.keys,
        "LogLevel": "ERROR",
    }
    flags = [each for name, value in options.items() for each in ("-o", f"{name}={value}")]
    remote = " ".join(sh(word) for word in ("sudo", "-n", *words))
    return ["ssh", *flags, "-p", str(place.port), "-l", user, "--", place.host, remote]


def read(place: Place, path: str, *, offset: int = 0, environ: Mapping[str, str] | None = None) -> bytes | None:
    """Bytes of a file on the machine from `offset` on, at most MOST_BYTES; None where there is no such file. Raises
    UnreachableError."""
    script = 'test -e "$1" || exit 44; tail -c +"$2" -- "$1" | head -c "$3"'
    done = _run(place, script, path, str(offset + 1), str(MOST_BYTES), environ=environ)
    if done.returncode == 44:
        return None
    return done.stdout


def write(place: Place, path: str, data: bytes, *, environ: Mapping[str, str] | None = None) -> None:
    """Put a file there that root alone may read, as a whole. The data go through the connection alone, and stand in no
    list of processes. Raises UnreachableError."""
    script = 'umask 077; mkdir -p -- "${1%/*}" && cat >"$1.new" && mv -- "$1.new" "$1"'
    _run(place, script, path, data=data, environ=environ)


def _run(
    place: Place, script: str, *words: str, data: bytes = b"", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a script of sh as root there. Raises UnreachableError where that fails, but for status 44."""
    os.makedirs(os.path.dirname(place.keys), mode=0o700, exist_ok=True)
    try:
        done = subprocess.run(
            command(place, "sh", "-c", script, "sh", *words),
            input=data,
            capture_output=True,
            timeout=CALL_S,
            env=environ,
            check=False,
        )
    except FileNotFoundError:
        raise UnreachableError("there is no ssh here: install openssh-client") from None
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{place.host} did not answer within {CALL_S} seconds") from None
    if done.returncode not in (0, 44):
        raise _trouble(place, done.stderr.decode("utf-8", "replace"))
    return done


def _trouble(place: Place, said: str) -> UnreachableError:
    """What ssh says, in a sentence."""
    if "IDENTIFICATION HAS CHANGED" in said or "Host key verification failed" in said:
        return ChangedHostKeyError(f"another machine answers at {place.host} than the one that this task had")
    if "Permission denied" in said:
        return UnreachableError(f"{place.host} does not take your SSH key: is it the one of the bid?")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return UnreachableError(f"{place.host}: {lines[-1][:200]}" if lines else f"{place.host} cannot be reached")
