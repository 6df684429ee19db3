"""A local machine as whoever starts it sees it."""

from __future__ import annotations

import json
import os
import signal

from flowc.machines import boot
from flowc.machines.pipes import send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.machines.spec import Spec


class Machine:
    """One machine, from its start to its end; it can be started again from its disk. The process that started it is
    its power: when that dies, the machine is gone. Not for processes with several threads: it forks. `only`: where it
    cannot be of its kind, it is none."""

    def __init__(self, spec: Spec, kind: str = boot.NAMESPACES, *, only: bool = False) -> None:
        self.spec = spec
        self.kind = kind
        self._only = only
        self.shared: tuple[str, ...] = ()
        self.events = -1
        self._orders = -1
        self._pid = -1
        self._buffer = b""
        self._forwarders: list[int] = []

    @property
    def on(self) -> bool:
        """Whether it has power."""
        return self._pid > 0

    def start(self) -> None:
        """Boot it. `read` tells when it is up."""
        assert not self.on
        os.makedirs(self.spec.disk, mode=0o700, exist_ok=True)
        orders, self._orders = os.pipe()
        self.events, events = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                for fd in (self._orders, self.events):
                    os.close(fd)
                _close_all_but(orders, events)
                signal.set_wakeup_fd(-1)
                for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP):
                    signal.signal(number, signal.SIG_DFL)
                boot.run(self.spec, self.kind, orders, events)
                os._exit(0)
            finally:
                import traceback

                traceback.print_exc()
                os._exit(1)
        os.close(orders)
        os.close(events)
        self._pid = pid
        self._buffer = b""

    def read(self) -> list[dict[str, Any]]:
        """What has happened, waiting for it; `events` is the file to wait for elsewhere. Empty: it is off, and nothing
        is left of it. Where namespaces are refused, it has been started again as a group."""
        data = os.read(self.events, 65536)
        if not data:
            self._gone()
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        found = [json.loads(line) for line in lines]
        for event in found:
            if event["is"] == "cannot" and self.kind == boot.NAMESPACES and not self._only:
                self.cut()
                self.kind = boot.GROUP
                self.start()
                return [{**event, "again": True}]
            if event["is"] == "up":
                self.shared = tuple(event["shared"])
            elif event["is"] == "forward":
                self._forward(event["outer"], event["inner"])
        return found

    def order(self, do: str, **values: Any) -> None:
        """See `flowc.machines.init`. Nothing where it is off."""
        if self.on:
            try:
                send(self._orders, {"do": do, **values})
            except BrokenPipeError:
                return

    def cut(self) -> None:
        """Take its power away, and wait until nothing is left of it."""
        if self.on:
            os.close(self._orders)
            self._orders = -1
            self._gone()

    def _forward(self, outer: int, inner: int) -> None:
        """Lead a port to another one: this computer's, as its network is."""
        from flowc.machines import forward

        own = [node.address for node in self.spec.nodes if node.name == self.spec.name]
        is_head = not own or self.spec.nodes[0].address == own[0]
        places = [*own, *(["127.0.0.1"] if is_head else [])]
        self._forwarders.append(forward.start(places, outer, [*own, "127.0.0.1", "::1"], inner))

    def _gone(self) -> None:
        for process in self._forwarders:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        self._forwarders = []
        if self._orders >= 0:
            os.close(self._orders)
        os.close(self.events)
        self._orders = self.events = -1
        os.waitpid(self._pid, 0)
        self._pid = -1


def _close_all_but(*kept: int) -> None:
    """A machine holds nothing of whoever started it: a pipe or a lock would outlive them."""
    last = 3
    for fd in sorted(kept):
        os.closerange(last, fd)
        last = fd + 1
    os.closerange(last, 4096)
