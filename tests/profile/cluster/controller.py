"""A real slurmctld on a slurm.conf: what its partitions and nodes are. It needs no nodes that are up."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from flowc.profile.cluster.ranges import hosts

PROGRAMS = ("slurmctld", "scontrol")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
START_S = 30


def missing() -> bool:
    return os.geteuid() != 0 or any(shutil.which(each, path=PATH) is None for each in PROGRAMS)


def head(folder: Path) -> str:
    """The keys without which no controller starts."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    return (
        f"ClusterName=flowc\nSlurmctldHost={socket.gethostname()}(127.0.0.1)\nSlurmctldPort={port}\nAuthType=auth/none\n"
        f"CredType=cred/none\nSlurmUser=root\nStateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n"
        f"SlurmctldPidFile={folder}/pid\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\nGresTypes=gpu\n"
        "PriorityType=priority/basic\nMailProg=/bin/true\nSlurmctldParameters=cloud_reg_addrs\nMpiDefault=none\n"
        "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n"
    )


def _names(conf: Path) -> list[str]:
    """Words of all the file's lists of hosts: the controller looks for their addresses, for many seconds each."""
    found: list[str] = []
    for path in conf.parent.rglob("*.conf"):
        for text in re.findall(r"(?i)nodename=\"?([^\s\"]+)", path.read_text()):
            with contextlib.suppress(ValueError):
                found += hosts(text)
    return found


Records = dict[str, dict[str, str]]


def shown(conf: Path) -> tuple[Records, Records, dict[str, str]] | None:
    """Partitions and nodes by name, and the keys of the whole, as scontrol shows them; None where the controller
    refuses the file."""
    try:
        with running(conf) as environment:
            config = call(["scontrol", "show", "config"], environment)
            whole = dict(re.findall(r"(?m)^(\w+) +=[ ](.*?)[ ]*$", config))
            return _records("partition", environment), _records("node", environment), whole
    except RefusedError:
        return None


class RefusedError(Exception):
    """The controller does not start on the file."""


@contextlib.contextmanager
def running(conf: Path) -> Iterator[dict[str, str]]:
    """A controller, and the environment of those who ask it. Raises RefusedError."""
    folder = conf.parent
    (folder / "state").mkdir(exist_ok=True)
    environment = {"PATH": PATH, "SLURM_CONF": str(conf)}
    log = (folder / "log").open("wb")
    names = " ".join(_names(conf))
    (folder / "hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()} {names}\n")
    start = 'mount --bind "$0" /etc/hosts && exec slurmctld -D -c -f "$1"'
    daemon = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", start, str(folder / "hosts"), str(conf)], env=environment, stdout=log, stderr=log
    )
    try:
        until = time.monotonic() + START_S
        while daemon.poll() is None and time.monotonic() < until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if " is UP" in call(["scontrol", "ping"], environment):
                    yield environment
                    return
            time.sleep(0.1)
        assert daemon.poll() is not None, (folder / "log").read_text()
        raise RefusedError
    finally:
        daemon.kill()
        daemon.wait()
        log.close()


def call(argv: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=5)
    return done.stdout


def _records(kind: str, environment: dict[str, str]) -> dict[str, dict[str, str]]:
    found = {}
    for line in call(["scontrol", "-o", "show", kind], environment).splitlines():
        fields = dict(each.partition("=")[::2] for each in re.findall(r"(?:\A|(?<=\s))\w+=\S*", line))
        if f"{kind.capitalize()}Name" in fields:
            found[fields[f"{kind.capitalize()}Name"]] = fields
    return found
