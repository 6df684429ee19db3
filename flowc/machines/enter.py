"""Runs a command in a machine that is on, as its root, with this process's own input and output.

`python -m flowc.machines.enter DOOR ORDERS TERM WORDS…`: DOOR is a process (see `door`). ORDERS is an open file:
each of its bytes is a signal for the command, and its end the command's end. TERM is the kind of
terminal that its streams are. Where it is empty the command has none: what a terminal is of our own streams reaches it
through pipes, as with `ssh -T`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

from flowc.machines.init import PATH
from flowc.machines.linux import die_with_parent, set_namespace
from flowc.remote.place import processes_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_NAMESPACES = ("user", "mnt", "uts", "ipc", "pid_for_children")


# How long a command may take to end when it is told to.
END_S = 5.0


def door(top: int, name: str | None = None) -> int | None:
    """The process below `top` that holds the namespaces of a machine (of that name); None where there is none: it is
    off, or has none."""
    own = _rooms("self")
    for pid in processes_below(top):
        if _rooms(str(pid)) not in (None, own) and name in (None, _name(pid)):
            return pid
    return None


def enter(pid: int, argv: list[str], environ: dict[str, str], *, apart: bool = False) -> NoReturn:
    """Go to the machine whose door a process is, run a command there, and end as it does. `apart`: the command is none
    of the machine's processes, and does not end with its job. Raises OSError."""
    _go(pid, apart=apart)
    child = _start(argv, environ)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        # The command is told too, by the terminal or by whoever knows it.
        signal.signal(number, signal.SIG_IGN)
    _end_as(os.waitpid(child, 0)[1])


def _go(pid: int, *, apart: bool) -> None:
    names = _NAMESPACES[:-1] if apart else _NAMESPACES
    for file in [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in names]:
        set_namespace(file)
    os.chdir("/")


def _start(argv: list[str], environ: dict[str, str], *, alone: bool = False) -> int:
    """The child; `alone`: with a session of its own."""
    child = os.fork()
    if child:
        return child
    try:
        die_with_parent()
        if alone:
            os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            # Python ignores these, and so would the command.
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(argv[0], argv, environ)
    except OSError as error:
        os.write(2, f"flowc: {argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _end_as(status: int) -> NoReturn:
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _hide_terminals() -> list[int]:
    """Put a pipe in the place of each stream that is a terminal. The processes that bring on what is said."""
    pipes = {stream: os.pipe() for stream in (0, 1, 2) if os.isatty(stream)}
    heard = []
    for stream, (read, write) in pipes.items():
        from_, to = (stream, write) if stream == 0 else (read, stream)
        pump = os.fork()
        if not pump:
            die_with_parent()
            for file in {0, 1, 2}.union(*pipes.values()) - {from_, to}:
                os.close(file)
            _pump(from_, to)
        if stream:
            heard.append(pump)
    for stream, (read, write) in pipes.items():
        os.dup2(write if stream else read, stream)
        os.close(read)
        os.close(write)
    return heard


def _pump(from_: int, to: int) -> NoReturn:
    try:
        while data := os.read(from_, 65_536):
            while data:
                data = data[os.write(to, data) :]
    except OSError:
        pass  # whoever read it is gone
    finally:
        os._exit(0)


def _watch(child: int, orders: int, heard: list[int]) -> NoReturn:
    """Until the command has ended: hands it the signals that are ordered, and ends it where nobody orders any more.
    `heard`: processes that bring on what is said, by what the command leaves running too; as ssh, we wait for them."""
    read, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waits, end, closed = [orders, read], None, False
    while True:
        # It is not forgotten yet: its number stays its own as long as what it has left running may be told something.
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended and heard and not closed:
            closed = True
            os.close(1)
            os.close(2)
        late = end is not None and time.monotonic() >= end
        if late:
            _signal(child, signal.SIGKILL)
        heard = [pump for pump in heard if os.waitpid(pump, os.WNOHANG) == (0, 0)]
        if ended and (late or not heard):
            _end_as(os.waitpid(child, 0)[1])
        ready, _, _ = select.select(waits, [], [], None if end is None else 0.05)
        if read in ready:
            os.read(read, 4096)
        if orders in ready:
            data = os.read(orders, 64)
            for number in data:
                _signal(child, number)
            if not data:
                waits, end = [read], time.monotonic() + END_S
                for number in (signal.SIGHUP, signal.SIGCONT, signal.SIGTERM):
                    _signal(child, number)


def _signal(child: int, number: int) -> None:
    try:
        os.killpg(child, number)
    except ProcessLookupError:
        return


def _rooms(process: str) -> str | None:
    try:
        return os.readlink(f"/proc/{process}/ns/mnt")
    except OSError:
        return None


def _name(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/root/etc/hostname", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def main() -> NoReturn:
    """Raises OSError."""
    pid, orders, term, *argv = sys.argv[1:]
    heard = [] if term else _hide_terminals()
    _go(int(pid), apart=False)
    environ = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root"}
    if term:
        environ["TERM"] = term
    _watch(_start(argv, environ, alone=True), int(orders), heard)


if __name__ == "__main__":
    main()
