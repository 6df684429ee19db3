"""Local machines: namespaces (mounts, network, process ids, host name) over a throw-away copy of this machine's files.

All machines of one group reach each other by address and by name over a bridge of their own; nothing of this machine
(its network, its files) is changed, and everything vanishes when the first process of each is killed. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

NETWORK = "10.77.0"
# The first process: makes the file tree, waits for its network, then only reaps what is left behind.
INIT = r"""
set -e
top=$1 name=$2 hosts=$3
shift 3
hostname "$name"
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" overlay "$top/root"
r=$top/root
mount -t proc proc "$r/proc"
mount --rbind /sys "$r/sys"
mount --rbind /dev "$r/dev"
mount -t tmpfs tmpfs "$r/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$r/run"
mount -t tmpfs -o mode=1777 tmpfs "$r/tmp"
mount -t tmpfs -o mode=700 tmpfs "$r/root"
mkdir -p "$r/workspace"
mount -t tmpfs -o mode=755 tmpfs "$r/workspace"
rm -f "$r/etc/hosts" "$r/etc/hostname"
printf %s "$hosts" >"$r/etc/hosts"
echo "$name" >"$r/etc/hostname"
while [ $# -gt 0 ]; do
    mkdir -p "$r$2"
    mount --bind "$1" "$r$2"
    shift 2
done
ip link set lo up
: >"$r/run/flowc-ready"
exec chroot "$r" /bin/bash -c 'trap : TERM INT HUP; while :; do sleep 3600 & wait $!; done'
"""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {
    "PATH": PATH,
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/bash",
}
Popen = subprocess.Popen[bytes]


class Machine:
    """One machine; `pid` is its first process, `root` its file tree as seen from outside."""

    def __init__(self, name: str, address: str, process: Popen, pid: int) -> None:
        self.name, self.address, self.process, self.pid = name, address, process, pid
        self.root = Path(f"/proc/{pid}/root")

    def command(self, argv: Sequence[str], workdir: str = "/") -> list[str]:
        """The words that run `argv` inside, with signals as systemd starts a service: none that our parent ignores."""
        inside = ["nsenter", "-t", str(self.pid), "-m", "-n", "-u", "-p", "-r", f"-w/proc/{self.pid}/root{workdir}"]
        return ["env", "--default-signal", *inside, *argv]

    def start(self, argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Popen:
        """Start `argv` inside, its output in `log`."""
        with log.open("ab") as out:
            return subprocess.Popen(
                self.command(argv),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=dict(environment or ENVIRONMENT),
                umask=0o022,
                start_new_session=True,
            )

    def without_pmix(self) -> None:
        """Takes away what a package of other tests may have brought: each srun serves PMIx where its library is."""
        libraries = self.root / "usr/lib"
        for library in [*libraries.glob("*/libpmix.so*"), *libraries.glob("*/pmix2/lib/libpmix.so*")]:
            library.unlink()

    def call(
        self, argv: Sequence[str], workdir: str = "/", environment: Mapping[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` inside to its end."""
        return subprocess.run(
            self.command(argv, workdir),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env=dict(environment or ENVIRONMENT),
            umask=0o022,
            timeout=timeout,
            check=False,
        )


class Machines:
    """A group of machines, by name; a context manager. `shared` maps folders of this machine to paths inside."""

    def __init__(
        self,
        names: Sequence[str],
        shared: Mapping[str, str] | None = None,
        *,
        hosts: str | None = None,
    ) -> None:
        self.names, self.shared = list(names), dict(shared or {})
        self.addresses = {name: f"{NETWORK}.{number}" for number, name in enumerate(self.names, 1)}
        lines = ["127.0.0.1 localhost", *(f"{self.addresses[name]} {name}" for name in self.names)]
        self.hosts = hosts if hosts is not None else "\n".join(lines) + "\n"
        self.machines: dict[str, Machine] = {}
        self.folder = ""

    def __enter__(self) -> Machines:
        self.folder = tempfile.mkdtemp(prefix="flowc-machines-")
        self.log = open(f"{self.folder}/log", "wb")
        try:
            starting = [self._start(name) for name in self.names]
            for name, process in zip(self.names, starting, strict=True):
                self.machines[name] = Machine(name, self.addresses[name], process, _first_process(process))
            self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def close(self) -> None:
        """Kill what runs in the machines (their first process takes all with it) and remove the folder."""
        for machine in self.machines.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(machine.pid, signal.SIGKILL)
            machine.process.wait()
        self.machines = {}
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, name: str) -> Popen:
        top = f"{self.folder}/{name}"
        os.mkdir(top)
        binds = [word for pair in self.shared.items() for word in pair]
        # It ends with the thread that starts it, so that nothing is left of a run that was killed.
        space = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL"]
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *space, "/bin/bash", "-c", INIT, "init", top, name, self.hosts, *binds],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env=ENVIRONMENT,
            start_new_session=True,
        )

    def _connect(self) -> None:
        """A bridge in the first machine's network, and a cable from it to each of the others."""
        first, *others = self.machines.values()
        lines = ["link add eth0 type bridge", f"addr add {first.address}/24 dev eth0", "link set eth0 up"]
        for number, other in enumerate(others):
            lines += [
                f"link add port{number} type veth peer name eth0 netns {other.pid}",
                f"link set port{number} master eth0 up",
            ]
        _ip(first, "\n".join(lines) + "\n", outside=True)
        for other in others:
            _ip(other, f"addr add {other.address}/24 dev eth0\nlink set eth0 up\n")


def _first_process(process: Popen) -> int:
    """The process id, out here, of process 1 in there, once its file tree stands."""
    for _ in range(1000):
        if process.poll() is not None:
            raise OSError(f"a machine did not start: unshare ended with status {process.returncode}")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children and os.path.exists(f"/proc/{children[0]}/root/run/flowc-ready"):
            return int(children[0])
        time.sleep(0.01)
    raise OSError("a machine did not start within 10 seconds")


def _ip(machine: Machine, lines: str, *, outside: bool = False) -> None:
    """`ip -batch` in the network of a machine; `outside` keeps this machine's process ids valid."""
    words = ["nsenter", "-t", str(machine.pid), "-n", *([] if outside else ["-u"]), "ip", "-batch", "-"]
    subprocess.run(words, input=lines.encode(), check=True)
