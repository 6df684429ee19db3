"""The way to a server, as bad as a test wants it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Wire:
    """Goes to `address` (host and port) from a port of its own, `port`. `rate` is what goes through, in bytes a second
    (0: as fast as it can). `hold` lets nothing more through, and closes nothing, until `release`. `cut_after`: the next
    connection is cut after so many bytes from the server, `hold_after`: it is held then."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.rate = 0
        self.cut_after: int | None = None
        self.hold_after: int | None = None
        self.connections = 0
        # Bytes from the server.
        self.carried = 0
        self._address = address
        self._open = threading.Event()
        self._open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._ends: list[socket.socket] = []
        self._gates: list[threading.Event] = []
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def hold(self) -> None:
        """Let nothing through that goes through now."""
        self._open.clear()

    def release(self) -> None:
        """Let it through again."""
        self._open.set()

    def close(self) -> None:
        """Cut all, and listen no more. Nothing is closed while a thread still waits for it: its number would be that of
        somebody else."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # nothing is added to these lists any more
        for each in self._ends:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for gate in (self._open, *self._gates):
            gate.set()
        for thread in self._threads:
            thread.join()
        for each in (self._listening, *self._ends):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listening.accept()
                its = socket.socket()
                its.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                its.connect(self._address)
            except OSError:
                return
            # What is underway is no more than this.
            for each in (ours, its):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            self._ends += [ours, its]
            self.connections += 1
            cut, held = self.cut_after, self.hold_after
            self.cut_after = self.hold_after = None
            gate = threading.Event()
            gate.set()
            self._gates.append(gate)
            for words in ((ours, its, gate, None, None), (its, ours, gate, cut, held)):
                self._threads.append(threading.Thread(target=self._carry, args=words, daemon=True))
                self._threads[-1].start()

    def _carry(
        self, one: socket.socket, other: socket.socket, gate: threading.Event, cut: int | None, held: int | None
    ) -> None:
        """`gate` is this connection's own."""
        carried = 0
        try:
            while True:
                most = 65536 if not self.rate else max(1, self.rate // 20)
                for bound in (cut, held):
                    if bound is not None:
                        most = min(most, max(1, bound - carried))
                data = one.recv(most)
                self._open.wait()
                gate.wait()
                if not data:
                    break
                other.sendall(data)
                carried += len(data)
                self.carried += len(data) if one.getpeername() == self._address else 0
                if cut is not None and carried >= cut:
                    break
                if held is not None and carried >= held:
                    gate.clear()
                if self.rate:
                    time.sleep(len(data) / self.rate)
        except OSError:
            pass
        for each in (one, other):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
