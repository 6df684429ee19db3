"""Runs a command in a machine that is on, as its root, with this process's own input, output and terminal."""

from __future__ import annotations

import os
import signal

from flowc.machines.linux import die_with_parent, set_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_NAMESPACES = ("user", "mnt", "uts", "ipc", "pid_for_children")


def door(top: int) -> int | None:
    """The process below `top` that holds a machine's namespaces, None where there is none: it is off, or has none."""
    own = _rooms("self")
    return next((pid for pid in _below(top) if _rooms(str(pid)) not in (None, own)), None)


def enter(pid: int, argv: list[str], environ: dict[str, str], *, apart: bool = False) -> NoReturn:
    """Go to the machine whose door a process is, run a command there, and end as it does. `apart`: the command is none
    of the machine's processes, and does not end with its job. Raises OSError."""
    names = _NAMESPACES[:-1] if apart else _NAMESPACES
    for file in [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in names]:
        set_namespace(file)
    os.chdir("/")
    child = os.fork()
    if child == 0:
        try:
            die_with_parent()
            os.execvpe(argv[0], argv, environ)
        except OSError as error:
            os.write(2, f"flowc: {argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        # The command is told too, by the terminal or by whoever knows it.
        signal.signal(number, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _rooms(process: str) -> str | None:
    try:
        return os.readlink(f"/proc/{process}/ns/mnt")
    except OSError:
        return None


def _below(top: int) -> list[int]:
    """The processes of which `top` is an ancestor, the nearest first."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
    found = [top]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]
