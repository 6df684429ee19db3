"""A way to log in to the machines behind the loopback provider: an sshd of its own for each, as long as it is on, whose
sessions are the machine's."""

from __future__ import annotations

import os
import shlex
import threading
from pathlib import Path
from typing import Any

from tests.machines.fleet import ROOT, LocalMachines, Running
from tests.machines.ordinary import NOBODY
from tests.remote.server import Sshd, new_key

# What a machine calls `sudo`; nobody is asked there.
SUDO = '#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nexec "$@"\n'
# What each session of a machine is. It does not end with the job, which here would end all of the machine's processes.
ENTER = """
import os, sys
from flowc.machines.enter import door, enter
from flowc.machines.init import PATH
words = ["bash", "-c", os.environ["SSH_ORIGINAL_COMMAND"]] if "SSH_ORIGINAL_COMMAND" in os.environ else ["bash", "-l"]
pid = door(int(sys.argv[1]))
if pid is None:
    sys.exit(255)
enter(pid, words, {"PATH": PATH, "LANG": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb")}, apart=True)
"""


class Logins:
    """The machines of a test server (`Machines`) that can be logged in to. `folder` gets a folder for each disk's
    sshd; `key` is the private key that all of them take."""

    def __init__(self, folder: Path, machines: LocalMachines, python: str) -> None:
        self.machines = machines
        self._folder = folder
        self.key = new_key(folder / "id_ed25519")
        self._python = python
        self.servers: dict[str, Sshd] = {}
        self._watchers: dict[str, threading.Thread] = {}

    def start(self, bid: Any, instance: Any, startup_script: str | None) -> Running:
        """See the protocol."""
        running = self.machines.start(bid, instance, startup_script)
        server = self.servers.get(instance.disk)
        if server is None:
            folder = self._folder / "sshd" / instance.disk
            folder.mkdir(parents=True)
            enter = folder / "enter"
            enter.write_text(self._enter(folder))
            enter.chmod(0o755)
            server = Sshd(folder, more=f"ForceCommand {enter}\n", key=self.key)
            self.servers[instance.disk] = server
        else:
            self._watchers[instance.disk].join()
            server.start()
        (server.folder / "machine").write_text(str(running.process))
        running.ssh_destination = server.address
        watcher = threading.Thread(target=self._until_off, args=(running, server), daemon=True)
        self._watchers[instance.disk] = watcher
        watcher.start()
        return running

    def _until_off(self, running: Running, server: Sshd) -> None:
        """The machine's sshd ends with it."""
        running.wait()
        server.close()

    def _enter(self, folder: Path) -> str:
        words = ["env", f"PYTHONPATH={ROOT}", self._python, "-B", "-c", ENTER]
        if os.geteuid() == 0:
            words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]
        call = " ".join(map(shlex.quote, words))
        return f'#!/bin/sh\ncd /\nexec {call} "$(cat {shlex.quote(str(folder / "machine"))})"\n'

    def preempt(self, handle: Any, reason: str, until: Any) -> None:
        """See the protocol."""
        self.machines.preempt(handle, reason, until)

    def spare(self, handle: Any) -> None:
        """See the protocol."""
        self.machines.spare(handle)

    def stop(self, handle: Any) -> None:
        """See the protocol."""
        self.machines.stop(handle)

    def forget(self, disk: str) -> None:
        """See the protocol."""
        server = self.servers.pop(disk, None)
        if server is not None:
            server.close()
        self.machines.forget(disk)

    def close(self) -> None:
        """Nobody can log in any more."""
        for server in list(self.servers.values()):
            server.close()
