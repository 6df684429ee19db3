"""The first process of a local machine: it boots it, runs the job as its unit says, and stops it.

It listens to whoever started the machine on a pipe, and tells them what happens on another one: lines of JSON. When
the pipe of orders breaks, the power is gone.

Orders: `{"do": "stop"}` (a shutdown; `grace` seconds at most until KILL, else what the unit says), `{"do": "notice",
"text"}` and `{"do": "spare"}` (the provider's file), `{"do": "put", "path", "mode", "text"}`,
`{"do": "run", "id", "argv", "input"}` (a command, as root over SSH would).
Events: `{"is": "up", "kind", "shared", "pid"}`, `{"is": "cannot", "why"}`, `{"is": "started"}`, `{"is": "ended",
"status"}` (of the unit), `{"is": "not installed", "status"}`, `{"is": "no docker"}`, `{"is": "forward", "outer",
"inner"}` (a port, at each boot), `{"is": "ran", "id", "status", "output"}`, `{"is": "lost", "why"}` (it goes off, and
nobody asked for that), `{"is": "off"}`.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import time

from flowc.machines.disk import INSTALL_LOG, NOTICE, UNIT_LOG, UNITS, USER_DATA
from flowc.machines.gpus import nvidia_smi
from flowc.machines.pipes import send
from flowc.machines.programs import ALONE, BOXED, GROUPED, REQUESTS, programs
from flowc.machines.spec import hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from flowc.machines.spec import Spec

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAIN = "flowc"
# A unit beside it, which begins anew when the job's has ended: with that one all processes of the machine end.
BESIDE = "flowc-release"
# What is noted on the disk: that the unit starts at each boot, and that the script has come to its end.
ENABLED = "/var/lib/cloud/instance/enabled"
BOOTED = "/var/lib/cloud/instance/boot-finished"
# Units that lead a port to another one; each that was ever enabled is a file of this folder.
FORWARD = "flowc-forward@"
FORWARDS = "/var/lib/cloud/instance/forwards"
# What systemd waits between TERM and KILL where the unit says nothing.
STOP_S = 90.0
# What a docker engine leaves us where it tells a container to stop is 10 seconds.
TOLD_S = 8.0
# Between looks at processes that are being killed.
POLL_S = 0.002


class Init:
    """`base` is put before each path of the machine (empty where it has a root of its own), `kill_all` sends a signal
    to all processes of the machine but this one. `boxed`: the machine is a container, with a network of its own."""

    def __init__(
        self,
        spec: Spec,
        *,
        orders: int,
        events: int,
        base: str,
        kill_all: Callable[[int], None],
        rewrite: Callable[[str], str] | None = None,
        boxed: bool = False,
    ) -> None:
        self._spec = spec
        self._orders = orders
        self._events = events
        self._base = base
        self._kill_all = kill_all
        self._rewrite = rewrite
        self._boxed = boxed
        self._told = False
        # Ports that are led to others here, by OUTER:INNER.
        self._ports: list[str] = []
        self._unit: int | None = None
        self._beside: int | None = None
        self._install: int | None = None
        # Commands that run, with their ids and outputs.
        self._commands: dict[int, tuple[object, int]] = {}
        self._again = False
        self._deadline: float | None = None
        self._whole_group = True
        self._buffer = b""
        read, self._wake = os.pipe()
        self._woken = read
        os.set_blocking(read, False)
        os.set_blocking(self._wake, False)

    def tell(self, **event: Any) -> None:
        """One event; whoever listened may be gone."""
        try:
            send(self._events, event)
        except OSError:
            self._power_cut()

    def run(self) -> NoReturn:
        """Until the machine is off."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        if self._boxed:
            signal.signal(signal.SIGTERM, self._tell_to_stop)
        # What Python ignores, its children would ignore too.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        self._boot()
        while True:
            wait = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            ready, _, _ = select.select([self._orders, self._woken], [], [], wait)
            if self._woken in ready:
                os.read(self._woken, 4096)
            if self._orders in ready:
                self._read_orders()
            if self._told:
                self._told = False
                self.tell(**{"is": "lost", "why": "its docker engine told it to stop"})
                self._begin_to_stop(TOLD_S)
            self._reap()
            self._look_at_requests()
            self._go_on_stopping()

    # Boot.

    def _boot(self) -> None:
        first = not os.path.exists(self._at(BOOTED))
        os.makedirs(self._at(REQUESTS), exist_ok=True)
        for name in os.listdir(self._at(REQUESTS)):
            os.unlink(self._at(f"{REQUESTS}/{name}"))
        for name in (UNITS, "/var/log/foundry", "/var/lib/cloud/instance/scripts", "/usr/local/sbin"):
            os.makedirs(self._at(name), exist_ok=True)
        spec = self._spec
        own = programs(
            os.getpid(),
            blocks=any(share.disk is not None for share in spec.shares),
            docker=spec.box is not None and spec.box.jobs,
            kind=BOXED if self._boxed else ALONE if not self._base else GROUPED,
        )
        if spec.gpus:
            own["nvidia-smi"] = nvidia_smi(spec.instance_type, spec.gpus)
        for name, text in own.items():
            text = text.replace("@NAME@", spec.name)
            self.put(f"/usr/local/sbin/{name}", 0o755, text if self._rewrite is None else self._rewrite(text))
        self.put("/etc/hostname", 0o644, f"{spec.name}\n")
        self.put("/etc/hosts", 0o644, hosts(spec))
        for file in spec.files:
            self.put(file.path, file.mode, file.text)
        if first and spec.script is not None and not os.path.exists(self._at(USER_DATA)):
            self.put(USER_DATA, 0o700, spec.script if self._rewrite is None else self._rewrite(spec.script))
        if os.path.isdir(self._at(FORWARDS)):
            for name in os.listdir(self._at(FORWARDS)):
                self._forward(name)
        if first and os.path.exists(self._at(USER_DATA)):
            self._install = self._spawn([self._at(USER_DATA)], self._at(INSTALL_LOG))
        elif os.path.exists(self._at(ENABLED)):
            self._start_unit()
            self._start_beside()

    def put(self, path: str, mode: int, text: str) -> None:
        """Write a file as a whole; never is there a part of it, nor is it open to more than `mode` says."""
        path = self._at(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        new = f"{path}.new"
        if os.path.lexists(new):
            os.unlink(new)
        out = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(out, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            os.fchmod(out, mode)
        try:
            os.replace(new, path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            # In a container some files are mounts, such as /etc/hosts.
            os.unlink(new)
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)

    def _forward(self, pair: str) -> None:
        """`OUTER:INNER`. Whoever started the machine does it, where its network is theirs."""
        outer, _, inner = pair.partition(":")
        if not (outer.isdigit() and inner.isdigit()):
            return
        if not self._boxed:
            self.tell(**{"is": "forward", "outer": int(outer), "inner": int(inner)})
            return
        self._ports.append(pair)
        if self._unit is not None:
            _lead(pair)

    def _start_unit(self) -> None:
        if self._unit is not None or self._deadline is not None:
            return
        lines = self._lines(MAIN)
        if lines is None:
            return
        self._whole_group = lines.get("KillMode", "control-group") == "control-group"
        stop = lines.get("TimeoutStopSec", "")
        self._stop_s = float(stop) if stop.isdigit() else STOP_S
        for pair in self._ports:
            # What led them before was killed with the rest of the last start.
            _lead(pair)
        self._unit = self._spawn(_words(lines["ExecStart"]), self._at(UNIT_LOG))
        self.tell(**{"is": "started"})

    def _start_beside(self) -> None:
        lines = self._lines(BESIDE)
        if lines is not None and self._beside is None and self._deadline is None:
            self._beside = self._spawn(_words(lines["ExecStart"]), self._at(UNIT_LOG))

    def _lines(self, unit: str) -> dict[str, str] | None:
        """What a unit's file says, None where there is none."""
        try:
            with open(self._at(f"{UNITS}/{unit}.service"), encoding="utf-8") as file:
                return dict(line.rstrip("\n").partition("=")[::2] for line in file if "=" in line)
        except OSError:
            return None

    def _run_command(self, order: dict[str, Any]) -> None:
        given, output = os.memfd_create("input"), os.memfd_create("output")
        with open(given, "wb", closefd=False) as file:
            file.write(order["input"].encode("utf-8", "surrogateescape"))
        os.lseek(given, 0, os.SEEK_SET)
        self._commands[self._spawn(order["argv"], output, given)] = (order["id"], output)
        os.close(given)

    def _spawn(self, argv: list[str], log: str | int, given: int | None = None) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            os.chdir(self._at("/"))
            os.umask(0o022)
            source = os.open("/dev/null", os.O_RDONLY) if given is None else given
            out = log if isinstance(log, int) else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
            os.dup2(source, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            environment = {"PATH": PATH, "LANG": "C.UTF-8"}
            if self._base:
                environment.update(PATH=f"{self._base}/usr/local/sbin:{PATH}", HOSTNAME=self._spec.name)
            os.execvpe(argv[0], argv, environment)
        except OSError as error:
            os.write(2, f"flowc: {argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    # What happens.

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            code = code if code >= 0 else 128 - code
            if pid == self._install:
                self._install = None
                # One that was cut short is run again at the next boot.
                self.put(BOOTED, 0o644, "")
                if code:
                    self.tell(**{"is": "not installed", "status": code})
            elif pid in self._commands:
                number, output = self._commands.pop(pid)
                with open(output, "rb") as file:
                    file.seek(0)
                    text = file.read().decode("utf-8", "surrogateescape")
                self.tell(**{"is": "ran", "id": number, "status": code, "output": text})
            elif pid == self._unit:
                self._unit = self._beside = None
                # As systemd does: what the main process leaves behind ends with it.
                self._kill_rest()
                self._start_beside()
                if self._again and self._deadline is None:
                    self._again = False
                    self._start_unit()
                else:
                    self.tell(**{"is": "ended", "status": code})

    def _look_at_requests(self) -> None:
        for name in os.listdir(self._at(REQUESTS)):
            os.unlink(self._at(f"{REQUESTS}/{name}"))
            verb, _, unit = name.partition(":")
            if verb == "off":
                self._begin_to_stop(None)
            elif verb == "fail":
                self.tell(**{"is": "no docker"})
            elif verb == "enable" and unit.startswith(FORWARD):
                pair = unit.removeprefix(FORWARD)
                if not os.path.exists(self._at(f"{FORWARDS}/{pair}")):
                    self.put(f"{FORWARDS}/{pair}", 0o644, "")
                    self._forward(pair)
            elif unit == BESIDE and verb == "start":
                self._start_beside()
            elif unit != MAIN:
                continue
            elif verb == "enable":
                self.put(ENABLED, 0o644, "")
            elif verb == "start" or self._unit is None:
                self._start_unit()
            else:
                self._again = verb == "restart"
                self._kill_unit()

    def _read_orders(self) -> None:
        data = os.read(self._orders, 65536)
        if not data:
            self._power_cut()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            what = order["do"]
            if what == "stop":
                self._begin_to_stop(order.get("grace"))
            elif what == "notice":
                self.put(NOTICE, 0o644, order["text"])
            elif what == "spare":
                if os.path.lexists(self._at(NOTICE)):
                    os.unlink(self._at(NOTICE))
            elif what == "run":
                self._run_command(order)
            elif what == "put":
                self.put(order["path"], order["mode"], order["text"])

    # The end.

    def _tell_to_stop(self, *_: object) -> None:
        self._told = True

    def _begin_to_stop(self, grace: float | None) -> None:
        if self._deadline is not None:
            # A second one may only shorten it.
            if grace is not None:
                self._deadline = min(self._deadline, time.monotonic() + grace)
            return
        limit = self._stop_s if self._unit is not None else 0.0
        self._deadline = time.monotonic() + (limit if grace is None else min(limit, grace))
        if self._unit is not None:
            self._kill_unit()

    def _kill_unit(self) -> None:
        if self._unit is None:
            return
        if self._whole_group:
            self._kill_all(signal.SIGTERM)
            self._kill_all(signal.SIGCONT)
        else:
            os.kill(self._unit, signal.SIGTERM)
            os.kill(self._unit, signal.SIGCONT)

    def _go_on_stopping(self) -> None:
        if self._deadline is None:
            return
        if self._unit is None or time.monotonic() >= self._deadline:
            self._kill_rest()
            self.tell(**{"is": "off"})
            os._exit(0)

    def _power_cut(self) -> NoReturn:
        self._kill_rest()
        os._exit(0)

    def _kill_rest(self) -> None:
        """Kill all processes, and wait until they are gone: orphans are children of this one."""
        while True:
            self._kill_all(signal.SIGKILL)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            time.sleep(POLL_S)

    def _at(self, path: str) -> str:
        return self._base + path


def _words(command: str) -> list[str]:
    """`/bin/bash PATH job`, where the path may have spaces in it."""
    program, _, rest = command.partition(" ")
    path, _, last = rest.rpartition(" ")
    return [word for word in (program, path, last) if word]


def _lead(pair: str) -> None:
    from flowc.machines import forward

    outer, _, inner = pair.partition(":")
    forward.start(["0.0.0.0"], int(outer), ["127.0.0.1", "::1"], int(inner))
