"""The local provider in the machine with docker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.providers.local.conftest import Here

from .machine import SOURCE, Machine

# An image of Debian that nobody has to pull: the machine's own files, without docker's.
LEFT_OUT = (
    *("proc", "sys", "dev", "run", "opt", "tmp", "var/lib/docker", "var/lib/containerd", "var/lib/apt", "var/lib/dpkg"),
    *("var/cache", "usr/lib/systemd", "usr/bin/docker*", "usr/sbin/dockerd", "usr/bin/containerd*"),
    "usr/lib/x86_64-linux-gnu/perl*",
)
DEBIAN = f"""\
set -e
tar --one-file-system -C / {" ".join(f"--exclude='./{each}'" for each in LEFT_OUT)} -c . | docker import - debian:12
id tim 2>/dev/null || useradd -m -G docker tim
"""
USER = "tim"
# Of the engine; systemd forgets that it was restarted often.
RESTART = "systemctl reset-failed docker; systemctl restart docker"


class Inside(Here):
    """Each call is a process of its own in the machine, of an ordinary user who may use docker."""

    def __init__(self, machine: Machine, folder: str, user: str = USER) -> None:
        super().__init__(folder)
        self.machine = machine
        self.user = user

    def process(self, method: str, *args: object, **options: object) -> subprocess.Popen[str]:
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            **self.environment,
            **self.secrets,
            "SECRET_NAMES": " ".join(self.secrets),
            "NEEDS": json.dumps(self.needs),
        }
        drive = f"{SOURCE}/tests/providers/local/drive.py"
        found = subprocess.Popen(
            [
                *("nsenter", "-t", str(self.machine.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"),
                *("runuser", "-u", self.user, "--", "env", "-i", *(f"{k}={v}" for k, v in environment.items())),
                *("python3", "-B", drive, self.folder, method),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        assert found.stdin is not None
        found.stdin.write(json.dumps({"args": args, "options": options}))
        found.stdin.close()
        found.stdin = None
        return found

    def sh(self, text: str) -> str:
        """What a text for the machine's shell says, as root."""
        done = self.machine.run(text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def left(self) -> list[str]:
        """What the engine has of any task."""
        words = "docker ps -aq --filter label=flowc.task; docker network ls -q --filter label=flowc.task;"
        # A machine's image has the label too, of no task.
        words += "".join(
            f"docker {kind} -q --filter label=flowc.task={task};"
            for task in self.made
            for kind in ("volume ls", "images")
        )
        return self.sh(words).split()

    def state(self, task: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.sh(f"cat {self.folder}/tasks/{task}/state.json"))
        return found

    def supervisor(self, task: str) -> int:
        return int(self.sh(f"cat {self.folder}/tasks/{task}/lock"))


def provider(machine: Machine, user: str) -> Iterator[Inside]:
    """As a fixture: nothing is left on the engine."""
    folder = machine.run(f"runuser -u {user} -- mktemp -d /var/tmp/flowc-XXXXXX").stdout.strip()
    found = Inside(machine, folder, user)
    yield found
    for identity in found.made:
        found.call("end", "bid", identity)
    assert found.left() == []
    machine.run(f"rm -rf {folder}")
