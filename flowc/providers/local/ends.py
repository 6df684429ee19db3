"""What a supervisor says of the end of a job, and which addresses its machines have."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

AGENT_PORT = 6818


def reason(status: Mapping[str, Any]) -> str:
    if status["state"] == "TIMEOUT":
        return "its time limit was up"
    if status["state"] == "CANCELLED":
        return "it cancelled itself"
    if status["state"] == "NODE_FAIL":
        return "its machine was taken away, and it must not be started twice"
    if status["signal"]:
        return f"killed by signal {status['signal']}"
    return f"exit status {status['exit_code']}"


def computer_stops() -> bool:
    """Whether this computer is being shut down: then everything that runs is told to end, and nobody means one task."""
    import subprocess

    try:
        words = ["systemctl", "is-system-running"]
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == "stopping"


def free_addresses(identity: str, count: int) -> list[str]:
    """Addresses of this computer that no other task has: 127.A.B.1 and on."""
    import socket

    number = int(identity.rpartition("-")[2][:4], 16)
    for step in range(64):
        one, two = divmod((number + step) % 0xFA00, 256)
        found = [f"127.{one + 2}.{two}.{last + 1}" for last in range(count)]
        try:
            with socket.create_server((found[0], AGENT_PORT)):
                return found
        except OSError:
            continue
    return found
