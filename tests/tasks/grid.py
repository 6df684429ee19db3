"""A way to log in to the machines behind the loopback provider: a program `ssh` that hands what it is asked to the
process of the test, which runs it on the machine of that address, as root over SSH would."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any

from tests.machines.fleet import LocalMachines

# Options are looked at no closer than that none of them asks for less safety than flowc does.
PROGRAM = """#!{python} -S
import json, os, socket, sys
words = sys.argv[1:]
assert "BatchMode=yes" in words and "StrictHostKeyChecking=accept-new" in words, words
host, command = words[words.index("--") + 1 :]
link = socket.socket(socket.AF_UNIX)
link.connect({path!r})
given = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
link.sendall(json.dumps([host, command, given]).encode() + b"\\n")
status, output = json.loads(link.makefile("rb").readline())
out = sys.stderr if status == 255 else sys.stdout
out.buffer.write(output.encode("utf-8", "surrogateescape"))
sys.exit(status)
"""


class Logins:
    """`folder` gets `bin/ssh`. `seen` are the commands that were run."""

    def __init__(self, folder: Path, machines: LocalMachines) -> None:
        self.machines = machines
        self.seen: list[str] = []
        self.path = folder / "bin"
        self.path.mkdir()
        address = str(folder / "logins")
        program = self.path / "ssh"
        program.write_text(PROGRAM.format(python=sys.executable, path=address))
        program.chmod(0o755)
        self._locks: dict[int, threading.Lock] = {}
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(json.dumps(owner.run(*json.loads(self.rfile.readline()))).encode() + b"\n")

        self._server = socketserver.ThreadingUnixStreamServer(address, Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def run(self, host: str, command: str, given: str) -> tuple[int, str]:
        self.seen.append(command)
        machine: Any = next((each for each in self.machines.running.values() if each.ssh_destination == host), None)
        if machine is None or not machine.on:
            return 255, f"ssh: connect to host {host} port 22: Connection refused\n"
        assert command.startswith("sudo -n sh -c "), command
        with self._locks.setdefault(id(machine), threading.Lock()):
            try:
                found: tuple[int, str] = machine.run(["sh", "-c", command.removeprefix("sudo -n ")], given)
            except OSError:
                return 255, "client_loop: send disconnect: Broken pipe\n"
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
