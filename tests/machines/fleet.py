"""Local machines behind the instances of the test server: see `tests/mithril/machines.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from flowc.machines.disk import outside, remove
from flowc.machines.spec import File, Node, Share, Spec, encoded

ROOT = Path(__file__).resolve().parents[2]


class Running:
    """A machine that was started. `events` are what it has told so far."""

    def __init__(self, spec: Spec, address: str, python: str, options: dict[str, Any]) -> None:
        self.spec = spec
        self.ssh_destination = address
        self.events: list[dict[str, Any]] = []
        self._news = threading.Event()
        self._number = 0
        self._process = subprocess.Popen(
            [python, "-B", "-m", "flowc.machines"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", "")},
            **options,
        )
        self._write(encoded(spec))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def process(self) -> int:
        """The process below which it runs."""
        return self._process.pid

    @property
    def on(self) -> bool:
        """Whether it has power."""
        return self._process.poll() is None

    def order(self, do: str, **values: object) -> None:
        """See `flowc.machines.init`."""
        self._write({"do": do, **values})

    def put(self, path: str, text: str, mode: int = 0o600) -> None:
        """Write a file there, as somebody would over SSH."""
        self.order("put", path=path, mode=mode, text=text)

    def run(self, argv: list[str], given: str = "") -> tuple[int, str]:
        """Run a command there, as somebody would over SSH: its exit status and its output. Raises OSError where the
        machine goes off meanwhile."""
        self._number += 1
        number = self._number
        self.order("run", id=number, argv=argv, input=given)
        while True:
            off = not self._reader.is_alive()  # then all that it has told is there
            for event in list(self.events):
                if event["is"] == "ran" and event["id"] == number:
                    return event["status"], event["output"]
            if off:
                raise OSError("the machine is off")
            self._news.wait(0.1)
            self._news.clear()

    def cut(self) -> None:
        """Take its power away, and wait until nothing is left of it."""
        self._close()
        self.wait()

    def wait(self) -> None:
        """Until it is off by itself."""
        self._process.wait()
        self._reader.join()
        self._close()

    def _close(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def text(self, path: str) -> str | None:
        """What stands in a file of its disk, None where there is none."""
        try:
            return Path(outside(self.spec.disk, path, self.spec.shares)).read_text()
        except OSError:
            return None

    def told(self, what: str) -> bool:
        """Whether it has told such an event."""
        return any(event["is"] == what for event in list(self.events))

    def _write(self, values: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(values).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return  # it is off

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))
            self._news.set()
        self._process.stdout.close()


class LocalMachines:
    """The instances of a test server as local machines, with disks below `folder` (absolute). `secrets` are there at
    each boot, `programs` before all others. `running` are the machines by the names of their disks; leave with
    `close`."""

    def __init__(
        self,
        folder: str,
        *,
        secrets: dict[str, str] | None = None,
        programs: dict[str, str] | None = None,
        python: str = sys.executable,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._files = tuple(
            File(path=f"/usr/local/sbin/{name}", mode=0o755, text=text) for name, text in (programs or {}).items()
        )
        if secrets:
            lines = "".join(f"{name}='" + value.replace("'", "'\\''") + "'\n" for name, value in secrets.items())
            self._files += (File(path="/run/flowc/secrets", mode=0o600, text=lines),)
        self._python = python
        self._options = options or {}
        self._numbers: dict[str, int] = {}
        self.running: dict[str, Running] = {}

    def start(self, bid: Any, instance: Any, startup_script: str | None) -> Running:
        """See the protocol. Instances of a bid have an address of 127 each, which the task's machines know."""
        before = self.running.get(instance.disk)
        if before is not None:
            before.wait()
        number = self._numbers.setdefault(bid.fid, os.getpid() % 200 * 250 + len(self._numbers))
        addresses = [f"127.{2 + number // 250 % 250}.{number % 250}.{rank + 1}" for rank in range(bid.quantity)]
        names = [bid.name if bid.quantity == 1 else f"{bid.name}-{rank}" for rank in range(bid.quantity)]
        several = tuple(Node(name=name, address=address) for name, address in zip(names, addresses, strict=True))
        spec = Spec(
            disk=os.path.join(self._folder, instance.disk),
            name=instance.name,
            nodes=several if bid.quantity > 1 else (),
            shares=tuple(self._share(volume) for volume in bid.volumes),
            files=self._files,
            gpus=bid.market.type.gpus,
            instance_type=bid.market.type.name,
            script=startup_script,
            skeleton=os.path.join(self._folder, "skeleton"),
        )
        found = Running(spec, addresses[instance.rank], self._python, self._options)
        self.running[instance.disk] = found
        return found

    def preempt(self, handle: Running, reason: str, until: Any) -> None:
        """See the protocol."""
        handle.order("notice", text=f"status: {reason}\nend_time: {until.isoformat()}\n")

    def spare(self, handle: Running) -> None:
        """See the protocol."""
        handle.order("spare")

    def stop(self, handle: Running) -> None:
        """See the protocol. The machine is told to shut down; KILL comes 2 seconds later."""
        handle.order("stop", grace=2.0)

    def forget(self, disk: str) -> None:
        """See the protocol."""
        machine = self.running.pop(disk, None)
        if machine is not None:
            machine.cut()
        remove(os.path.join(self._folder, disk))

    def close(self) -> None:
        """Cut off all machines."""
        for machine in [*self.running.values()]:
            machine.cut()

    def _share(self, volume: str) -> Share:
        source = os.path.join(self._folder, "volumes", volume)
        os.makedirs(source, exist_ok=True)
        return Share(source=source, place=f"/mnt/{volume}")
