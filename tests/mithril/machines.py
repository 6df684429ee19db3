"""What stands behind an instance: machines that a test hands in, or `NoMachines`, which only lets statuses change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from tests.mithril.parts.model import Bid, Instance

Notice = Literal["STATUS_PREEMPTING", "STATUS_RELOCATING"]


class Handle(Protocol):
    """A machine that was started. `ssh_destination` is `HOST` or `HOST:PORT`."""

    @property
    def ssh_destination(self) -> str: ...


class Machines(Protocol):
    """Starts and stops machines. Each call returns at once: the provider answers no request meanwhile.

    What an implementation needs is in the records: `instance.name` (its host name), `rank`, `private_ip` and `disk`;
    `bid.instances` (all nodes with their addresses, known before the first one starts), `bid.volumes`, `bid.ssh_keys`.
    """

    def start(self, bid: Bid, instance: Instance, startup_script: str | None) -> Handle:
        """Boots `instance` from `instance.disk`. The script is given at the first boot of that disk only: later ones
        find what the first has left. An exception makes the instance `STATUS_ERROR`."""
        ...

    def preempt(self, handle: Handle, reason: Notice, until: datetime) -> None:
        """Tells the machine that it ends at `until`, of the provider's clock (`MITHRIL_SIGNAL.yml`)."""
        ...

    def spare(self, handle: Handle) -> None:
        """Takes the notice back: the bid has won again."""
        ...

    def stop(self, handle: Handle) -> None:
        """Takes the power away. The disk stays."""
        ...

    def forget(self, disk: str) -> None:
        """The bid has ended: the disk is gone."""
        ...


@dataclass
class Nothing:
    """The handle of a machine that does not exist."""

    ssh_destination: str


class NoMachines:
    """Keeps a list of what it was asked to do, as `(what, disk or address)`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def start(self, bid: Bid, instance: Instance, startup_script: str | None) -> Handle:
        self.asked.append(("first start" if startup_script is not None else "start", instance.disk))
        return Nothing("203.0.113." + instance.private_ip.rpartition(".")[2])

    def preempt(self, handle: Handle, reason: Notice, until: datetime) -> None:
        self.asked.append((reason, handle.ssh_destination))

    def spare(self, handle: Handle) -> None:
        self.asked.append(("spare", handle.ssh_destination))

    def stop(self, handle: Handle) -> None:
        self.asked.append(("stop", handle.ssh_destination))

    def forget(self, disk: str) -> None:
        self.asked.append(("forget", disk))
