"""One machine with docker for all cases, and what a case does on it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source

from .local import DEBIAN, USER, Inside, provider
from .machine import BUSYBOX, Machine, missing

STATE = "/var/lib/foundry/flowc"
LOG = "/var/log/foundry/job.log"
# What a case leaves, taken away before the next: its unit, its state, its containers and images of a setup.
CLEAR = f"""\
systemctl stop flowc 2>/dev/null; systemctl disable flowc 2>/dev/null; rm -f /etc/systemd/system/flowc.service
systemctl daemon-reload; systemctl reset-failed 2>/dev/null
docker ps -aq | xargs -r docker rm -fv >/dev/null; docker rmi -f flowc >/dev/null 2>&1
docker volume ls -q | xargs -r docker volume rm >/dev/null
rm -rf {STATE} /run/flowc* /mnt/flowc /var/log/foundry /workspace; true
"""
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL")


class Docker:
    """The machine, and the last job on it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.run = machine.run
        self.read = machine.read

    def image(self, name: str, *changes: str) -> str:
        """An image of busybox that differs in what a Dockerfile's words say; its name."""
        words = " ".join(f"--change {shlex.quote(each)}" for each in ("ENV PATH=/bin", *changes))
        done = self.run(f"tar -C /opt/image -c . | docker import {words} - {name}")
        assert done.returncode == 0, done.stderr
        return name

    def start(
        self,
        text: str,
        *,
        path: str = "job.yaml",
        secrets: dict[str, str] | None = None,
        inputs: Inputs = Inputs(),  # noqa: B008
    ) -> None:
        """Compiles a document and runs its startup script as the provider does; the secrets are there already."""
        found = driver.compile(Source(path, text), inputs)
        scripts = [each.text for each in found.artifacts if each.name.endswith("startup.sh")]
        assert scripts, [(each.code.id, each.message) for each in found.diagnostics]
        self.run(CLEAR)
        lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in (secrets or {}).items())
        self.run("mkdir -p -m 700 /run/flowc; cat >/run/flowc/secrets", input=lines)
        self.machine.run("cat >/root/startup_script.sh", input=scripts[0])
        done = self.run("bash /root/startup_script.sh")
        assert done.returncode == 0, done.stderr

    def status(self) -> dict[str, Any]:
        text = self.read(f"{STATE}/status.json")
        return json.loads(text) if text else {"state": ""}

    def wait(self, *states: str, seconds: float = 60) -> dict[str, Any]:
        """The state file once the job is in one of these states; by default, once it has ended and its unit has too."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            # What it says when nothing more is to come.
            active = self.run("systemctl is-active flowc").stdout.strip()
            found = self.status()
            if found["state"] in (states or ENDED) and (
                states or active not in ("active", "activating", "deactivating")
            ):
                return found
            time.sleep(0.2)
        raise AssertionError(f"{self.status()} {self.output()} {self.run('journalctl -u flowc | tail -n 20').stdout}")

    def wait_for(self, text: str, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if text in self.output():
                return
            time.sleep(0.1)
        raise AssertionError(f"no {text!r} in {self.output()!r}, {self.status()}")

    def output(self) -> str:
        return self.read(LOG)

    def left(self) -> str:
        """Containers of any kind that are still there, by name."""
        return self.run("docker ps -a --format '{{.Names}}'").stdout

    def end(self, text: str, *, path: str = "job.yaml", seconds: float = 60) -> tuple[str, int | None, int | None]:
        """How a job ends. Nothing of it is left then."""
        self.start(text, path=path)
        found = self.wait(seconds=seconds)
        assert self.left() == ""
        return found["state"], found["exit_code"], found["signal"]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("needs root to boot anything")
    if missing():
        pytest.skip(f"needs the Debian packages {' '.join(missing())}")
    found = Machine(tmp_path_factory.mktemp("docker"))
    try:
        found.boot()
        done = found.run(BUSYBOX)
        assert done.returncode == 0, done.stderr
        yield found
    finally:
        found.remove()


@pytest.fixture
def docker(machine: Machine) -> Docker:
    return Docker(machine)


@pytest.fixture(scope="session")
def debian(machine: Machine) -> Machine:
    done = machine.run(DEBIAN)
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture
def here(debian: Machine) -> Iterator[Inside]:
    yield from provider(debian, USER)


@pytest.fixture
def as_root(debian: Machine) -> Iterator[Inside]:
    yield from provider(debian, "root")
