"""What a machine writes, until it is here: `flowc logs -f` over the system's own sshd, on a loopback address."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from flowc.providers.mithril.following import Following
from flowc.remote.link import Link
from flowc.remote.ssh import place_of
from flowc.remote.tail import Mark, Tail
from tests.remote.server import Sshd

# The bar of the project, in seconds.
BAR_S = 0.3


def measure(rounds: int) -> list[float]:
    """Seconds between the writing of a line and its coming, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_text("begins\n")
        server = Sshd(Path(folder) / "sshd")
        link = Link(place_of(server.address, f"{folder}/hosts", identities=(str(server.key),)), environ=os.environ)
        come = threading.Event()
        following = Following(link, Tail(str(path), lambda data, anew: come.set(), mark=Mark()))
        found = []
        try:
            following.more()
            come.wait()
            for number in range(rounds):
                # A line that comes right behind another one has less to wait for.
                time.sleep(0.1 + 0.013 * (number % 7))
                come.clear()
                begun = time.monotonic()
                with path.open("ab") as file:
                    file.write(b"line\n")
                come.wait()
                found.append(time.monotonic() - begun)
        finally:
            following.stop()
            link.close()
            server.close()
        return sorted(found)


def report(seconds: list[float]) -> str:
    """A table."""
    median, worst = statistics.median(seconds), seconds[-1]
    lines = [f"{'delay of logs -f, ms':<34}{'median':>10}{'worst':>8}   bar"]
    return "\n".join(
        [*lines, f"{f'{len(seconds)} lines':<34}{median * 1000:>10.1f}{worst * 1000:>8.1f}   {BAR_S * 1000:.0f}"]
    )
