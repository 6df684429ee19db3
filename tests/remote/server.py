"""The system's own sshd on a loopback address, for whoever runs the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

# With SHLVL a shell is around each command: bash would read the account's own ~/.bashrc for it, whatever that costs.
CONFIG = """\
ListenAddress {host}:{port}
HostKey {folder}/{key}
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
PrintMotd no
LogLevel ERROR
KexAlgorithms curve25519-sha256
SetEnv PATH={folder}/bin:{path} SHLVL=1
"""
SUDO = '#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nexec "$@"\n'


class Sshd:
    """A server below `folder`; `address` is what a provider would say of it. `sudo` there is one who is asked
    nothing. `more` are further lines of its configuration; `key` is the private key that it takes."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", more: str = "", key: Path | None = None) -> None:
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            if os.environ.get("CI"):
                pytest.fail("needs the Debian package openssh-server")
            pytest.skip("needs the Debian package openssh-server")
        self.folder = folder
        self.host = host
        self.user = getpass.getuser()
        self._program = program
        self._more = more
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bin").mkdir(exist_ok=True)
        sudo = folder / "bin" / "sudo"
        sudo.write_text(SUDO)
        sudo.chmod(0o755)
        self.key = new_key(key or folder / "key")
        (folder / "authorized_keys").write_text(self.key.with_suffix(".pub").read_text())
        new_key(folder / "host")
        self.port = free_port(host)
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None
        for _ in range(5):
            if self._listens("host"):
                return
            # Another test has taken the port meanwhile.
            self.port = free_port(host)
        pytest.fail((folder / "log").read_text())

    @property
    def address(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"

    def start(self, key: str = "host") -> None:
        """Listen, with a host key of this name; nothing where it does."""
        if self.process is None or self.process.poll() is not None:
            assert self._listens(key), (self.folder / "log").read_text()

    def _listens(self, key: str) -> bool:
        """Whether the program that is started does; it ends at once where the port is taken."""
        path = os.environ["PATH"]
        values = {"host": self.host, "port": self.port, "folder": self.folder, "path": path, "key": key}
        (self.folder / "config").write_text(CONFIG.format(**values) + self._more)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, "-D", "-e", "-f", str(self.folder / "config")],
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 300
        while True:
            try:
                socket.create_connection((self.host, self.port), 5).close()
                return self.process.poll() is None
            except OSError:
                if self.process.poll() is not None:
                    return False
                assert time.monotonic() < end
                time.sleep(0.02)

    def connections(self) -> list[int]:
        """The processes that serve one connection each."""
        process = self.process
        return children(process.pid) if process is not None else []

    def cut(self) -> None:
        """Cut all connections, as where the network or the machine is gone; it goes on listening."""
        for pid in self.connections():
            for each in [pid, *children(pid)]:
                if b"sshd" in command_of(each):
                    kill(each, signal.SIGKILL)

    def stop(self) -> None:
        """Listen no more. The end of a machine and that of a test may both ask for it."""
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait()

    def close(self) -> None:
        """Cut all, too."""
        self.cut()
        self.stop()


def new_key(path: Path, passphrase: str = "") -> Path:
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)
    return path


def free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(name))
        except OSError:
            continue
    return found


def command_of(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
