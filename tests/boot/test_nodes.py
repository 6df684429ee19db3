"""A job on two machines with real systemd, connected by a cable: the head's srun, the other one's agent."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.boot.conftest import ORACLE, Boot

STATUS = "/var/lib/foundry/flowc/status.json"
ADDRESSES = {"n1": "10.55.0.1", "n2": "10.55.0.2"}
# As the provider lists them: the head is the last line.
HOSTS = """#!/bin/bash
hostname {name}
echo {name} >/etc/hostname
printf '127.0.0.1 localhost\\n10.55.0.2 n2\\n10.55.0.1 n1\\n' >/etc/hosts
bash <<'FLOWC_TEST'
{script}
FLOWC_TEST
"""
# STRANGER knows all but the token: it answers as srun would, and asks for a file to be made.
JOB = """#!/bin/bash
#SBATCH --job-name=pair
#SBATCH --nodes=2
#SBATCH --gpus-per-node=h100:8
#SBATCH --time=30
#SBATCH --output=o
echo "start ${SLURM_RESTART_COUNT-first}"
scontrol show hostnames
srun --label hostname | sort
python3 - <<'STRANGER'
import os, socket
from multiprocessing.connection import Connection
peer = socket.create_connection(("n2", 6818))
try:
    peer.recv(32)
    peer.sendall(os.urandom(32) + bytes(64))
    link = Connection(peer.detach())
    link.send((["touch", "/workspace/broken"], "/", dict(os.environ), [(0, {})]))
    print("refused:", not link.poll(20) or link.recv())
except (EOFError, OSError):
    print("refused")
STRANGER
srun --nodelist=n2 --nodes=1 --ntasks=1 bash -c 'ls /workspace/broken /workspace/o' 2>/dev/null || echo "only here"
[ "$SLURM_RESTART_COUNT" ] || {
    trap 'wait; echo "batch told"; exit' TERM
    srun bash -c 'exec 2>/dev/null; trap "echo $SLURMD_NODENAME told; exit" TERM; while :; do sleep 0.1; done' >told &
    wait
}
[ "$SLURM_RESTART_COUNT" ] && sort told
srun bash -c 'exit $((SLURM_PROCID * 7))'
"""
SAID = """start {count}
n1
n2
0: n1
1: n2
refused
only here
"""

pytestmark = pytest.mark.boot


@contextlib.contextmanager
def network() -> Iterator[dict[str, int]]:
    """A network for each machine and a cable between them; the process ids that hold them, by name. With the processes
    all of it is gone."""
    holders = {name: hold() for name in ADDRESSES}
    try:
        first, second = (each.pid for each in holders.values())
        ip(first, f"link add eth0 type veth peer name eth0 netns {second}")
        for name, each in holders.items():
            for words in ("link set lo up", f"addr add {ADDRESSES[name]}/24 dev eth0", "link set eth0 up"):
                ip(each.pid, words)
        yield {name: each.pid for name, each in holders.items()}
    finally:
        for each in holders.values():
            each.kill()
            each.wait()


def hold() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "3600"])
    for _ in range(1000):
        if (Path(f"/proc/{process.pid}/comm")).read_text() == "sleep\n":
            return process
        time.sleep(0.01)
    process.kill()
    raise OSError("no network of its own within 10 seconds")


def ip(holder: int, words: str) -> None:
    subprocess.run(["nsenter", "-t", str(holder), "-n", "ip", *words.split()], check=True)


def oracle(holder: int, script: Path, *options: str) -> list[str]:
    """The boot oracle's command in the network of `holder`; with `--net` the machine has that network."""
    words = ["--nspawn", "--provider", "--net", "--user-data", str(script), *options]
    return ["nsenter", "-t", str(holder), "-n", sys.executable, str(ORACLE), *words]


def test_two_machines_run_one_job(boot: Boot, tmp_path: Path) -> None:
    """The head is started again and runs the job anew; the other machine's agent has served all along. Before, the
    script and the tasks of both machines are told, and what they say is kept."""
    result = driver.compile(Source("job.sbatch", JOB), Inputs())
    sent = {each.name: each.text for each in result.artifacts}["startup.sh"]
    for name in ADDRESSES:
        (tmp_path / name).write_text(HOSTS.format(name=name, script=sent))
    collect = ("--collect", "/workspace/o", "--collect", STATUS)
    with network() as holders:
        other = subprocess.Popen(
            oracle(holders["n2"], tmp_path / "n2", "--wait", "600"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            options = (*collect, "--reboots", "1", "--wait", "15")
            done = subprocess.run(
                oracle(holders["n1"], tmp_path / "n1", *options),
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            assert other.poll() is None
        finally:
            other.terminate()
            other.wait()
    assert done.stdout.startswith("{"), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["ok"], found["checks"]
    texts = [each["collected"]["/workspace/o"] for each in found["boots"]]
    assert texts[0] == SAID.format(count="first")
    error = "srun: error: n2: task 1: Exited with exit code 7\n"
    told = "n1 told\nn2 told\n"
    assert texts[1] == SAID.format(count="first") + "batch told\n" + SAID.format(count="1") + told + error
    first, second = (json.loads(each["collected"][STATUS]) for each in found["boots"])
    assert (first["state"], first["starts"]) == ("RUNNING", 1)
    assert (second["state"], second["starts"], second["exit_code"]) == ("FAILED", 2, 7)
