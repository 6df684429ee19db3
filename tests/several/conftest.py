"""Jobs on several machines: what would be sent, run on local machines (namespaces) as the provider would run it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from flowc import driver
from flowc.source import Source
from tests.corpus import told
from tests.same_as_slurm.machines import NETWORK, Machine, Machines
from tests.same_as_slurm.rented import ENDED, SLURM_PROGRAMS, STATUS, SYSTEMCTL

SCRIPT = "var/lib/foundry/startup_script.sh"


class Rented:
    """The machines of one bid, n1 (the head) and others, not yet started."""

    def __init__(self, machines: Machines, script: str) -> None:
        self.machines = machines
        self.names = machines.names
        for name in self.names:
            for program in SLURM_PROGRAMS.split():
                (machines[name].root / "usr/bin" / program).unlink(missing_ok=True)
            self.program(name, "systemctl", SYSTEMCTL)
            self.put(name, SCRIPT, script)

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def program(self, name: str, program: str, text: str) -> None:
        self.put(name, f"usr/local/bin/{program}", text)

    def put(self, name: str, path: str, text: str) -> None:
        """A file that appears as a whole."""
        place = self[name].root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(place.name + ".new")
        new.write_text(text)
        new.chmod(0o755)
        new.rename(place)

    def read(self, name: str, path: str) -> str:
        place = self[name].root / path
        return place.read_text() if place.exists() else ""

    def start(self, *names: str) -> None:
        """As cloud-init does on the first boot."""
        for name in names or self.names:
            (self[name].root / "var/log/foundry").mkdir(parents=True, exist_ok=True)
            log = self[name].root / "var/log/foundry/startup_script.log"
            self[name].start(["bash", "/" + SCRIPT], log).wait(timeout=600)

    def status(self, name: str = "n1") -> dict[str, Any]:
        text = self.read(name, STATUS)
        found: dict[str, Any] = json.loads(text) if text else {"state": None, "exit_code": None}
        return found

    def wait(self, name: str = "n1", seconds: float = 600) -> tuple[str, int | None]:
        """State and exit status once the job has ended there."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            found = self.status(name)
            if found["state"] in ENDED:
                return found["state"], found["exit_code"]
            time.sleep(0.1)
        return "HANGS", None

    def wait_for(self, name: str, path: str, text: str, seconds: float = 600) -> None:
        """Until the file has the text."""
        limit = time.monotonic() + seconds
        while text not in self.read(name, path):
            assert time.monotonic() < limit, f"{name}: no {text!r} in {path}: {self.read(name, path)!r}"
            time.sleep(0.1)


Rent = Callable[..., Rented]


@pytest.fixture(scope="session")
def local_machines(program: Callable[[str, str], str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root for namespaces")
    for name, package in {"unshare": "util-linux", "setpriv": "util-linux", "ip": "iproute2"}.items():
        program(name, package)
    try:
        with Machines(["n1", "n2"]):
            pass
    except OSError as problem:
        pytest.skip(f"no namespaces here: {problem}")


@pytest.fixture
def rent(local_machines: None) -> Iterator[Rent]:
    """`rent(path, text, *flags)`: compiles it and rents machines for its one bid."""
    with ExitStack() as stack:

        def rented(path: str, text: str, *flags: str) -> Rented:
            result = driver.compile(Source(path, text), told(flags))
            assert not result.failed, result.diagnostics
            (request,) = json.loads({each.name: each.text for each in result.artifacts}["request.json"])["requests"]
            bid = request["body"]
            names = [f"n{number}" for number in range(1, bid["instance_quantity"] + 1)]
            lines = [f"{NETWORK}.{number} {name}" for number, name in enumerate(names, 1)]
            hosts = "\n".join(["127.0.0.1 localhost", *reversed(lines)]) + "\n"
            machines = stack.enter_context(Machines(names, hosts=hosts))
            return Rented(machines, bid["launch_specification"]["startup_script"])

        yield rented
