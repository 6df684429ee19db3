"""Leads a port of a machine to another one, as `flowc-forward@OUTER:INNER` does on a rented machine."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# Between attempts at a port that is taken, as the unit has it.
AGAIN_S = 5.0
PIECE = 65536


def start(places: Sequence[str], outer: int, targets: Sequence[str], inner: int) -> int:
    """A process that leads port `outer` of the addresses `places` to `inner` of the first of `targets` that takes it.
    Its id; it ends with its parent, or by KILL: like a unit of its own it does not hear what the job is told."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        from flowc.machines import linux

        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        linux.die_with_parent()
        linux.be_called("flowc-forward")
        if os.getppid() == parent:
            os.closerange(3, 4096)
            _serve(places, outer, targets, inner)
    finally:
        os._exit(1)


def _serve(places: Sequence[str], outer: int, targets: Sequence[str], inner: int) -> NoReturn:
    for place in places[1:]:
        threading.Thread(target=_listen, args=(place, outer, targets, inner), daemon=True).start()
    while True:
        _listen(places[0], outer, targets, inner)


def _listen(place: str, outer: int, targets: Sequence[str], inner: int) -> None:
    while True:
        try:
            with socket.create_server((place, outer)) as server:
                while True:
                    near, _ = server.accept()
                    threading.Thread(target=_lead, args=(near, targets, inner), daemon=True).start()
        except OSError:
            time.sleep(AGAIN_S)


def _lead(near: socket.socket, targets: Sequence[str], inner: int) -> None:
    with near:
        for target in targets:
            try:
                far = socket.create_connection((target, inner))
            except OSError:
                continue
            with far:
                back = threading.Thread(target=_copy, args=(far, near), daemon=True)
                back.start()
                _copy(near, far)
                back.join()
            return


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """What comes, until its end, which is passed on."""
    try:
        while data := source.recv(PIECE):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: so is the other.
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
