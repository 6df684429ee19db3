"""A command in a local machine, with the input and output of whoever asks for it."""

from __future__ import annotations

import os
import signal
import sys

from flowc.machines.boot import NAMESPACES
from flowc.providers.errors import UnavailableError
from flowc.remote.session import Session, in_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowc.providers.local.tasks import Folder


def session(folder: Folder, machine: str, words: Sequence[str], *, terminal: str) -> Session:
    """See Provider. Raises UnavailableError where the machine is off, or has no place of its own."""
    supervisor, kind = folder.supervisor(), folder.state().kind
    if supervisor is None:
        raise UnavailableError(f"{machine} is off", help="its task has ended, or waits for its machines")
    if kind not in ("", NAMESPACES):
        raise UnavailableError(
            f"{machine} is {'a container' if kind == 'docker' else 'a group of processes'} of this computer",
            help="`docker exec` opens it" if kind == "docker" else f"its disk is in {folder.path}/machines",
        )
    from flowc.machines.enter import door

    pid = door(supervisor, machine)
    if pid is None:
        raise UnavailableError(f"{machine} is off")
    orders, orderer = os.pipe()
    argv = (sys.executable, "-m", "flowc.machines.enter", str(pid), str(orders), terminal, *in_place(words))

    def tell(name: str) -> None:
        os.write(orderer, bytes([getattr(signal, f"SIG{name}")]))

    return Session(argv=argv, tell=tell, stands=lambda: True, beat=lambda: None, pass_fds=(orders,))
