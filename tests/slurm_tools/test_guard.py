"""Whom agents answer: the machines of their job, by a key where there is one; many connections stop no step."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import EVERYTHING, PATIENCE_S, PORT, Cluster, Start, install, lines, run

from tests.some import some


def many(cluster: Cluster, count: int, said: bytes) -> list[socket.socket]:
    """So many connections to the agent of n2 from a machine of the job, each of which says no more than this."""
    found = []
    for _ in range(count):
        peer = socket.create_connection(("127.0.0.3", PORT), 60, ("127.0.0.2", 0))
        if said:
            with contextlib.suppress(OSError):
                peer.send(said)
        found.append(peer)
        if len(found) > 800:
            # What the agent has given up by now.
            found.pop(0).close()
    return found


@pytest.mark.parametrize("said", [b"", b"x" * 40, b"x" * 96, b"x" * 5000], ids=["silent", "half", "wrong", "long"])
def test_many_connections_stop_no_step(cluster: Cluster, batch: dict[str, str], start: Start, said: bytes) -> None:
    step = start("srun", "--overlap", "-N1", "-n1", "-w", "n2", "sh", "-c", "echo up; read line; echo $line",
                 env=batch, stdin=subprocess.PIPE)  # fmt: skip
    assert lines(step, 1) == ["up"]
    open_ones = many(cluster, 2500, said)
    try:
        result = run(batch, "srun --overlap -n 8 sh -c 'echo $SLURM_PROCID'")
        assert sorted(map(int, result.stdout.split())) == list(range(8)), result.stderr
    finally:
        for each in open_ones:
            each.close()
    assert step.communicate("still there\n", timeout=PATIENCE_S)[0] == "still there\n"


def test_only_machines_of_the_job_are_answered(cluster: Cluster) -> None:
    with socket.create_connection(("127.0.0.3", PORT), 20, ("127.0.0.77", 0)) as peer:
        assert peer.recv(99) == b""
    with socket.create_connection(("127.0.0.3", PORT), 20, ("127.0.0.2", 0)) as peer:
        assert len(peer.recv(99)) == 32


@pytest.fixture
def keyed(cluster: Cluster) -> Iterator[Path]:
    """The file of the job's key, which the machines of the tests share; without one in the end."""
    key = cluster.folder / "key"
    yield key
    key.write_text("")


KEY = "k" * 64
# The file here and there, and whether a step runs.
KEYS = {
    "only there": ("", KEY, True),
    "only here": (KEY, "", True),
    "known to be all": (KEY, KEY + "\n", True),
    "all": (KEY + "\n", KEY + "\n", True),
    "not here": ("", KEY + "\n", False),
    "not there": (KEY + "\n", "", False),
    "another": ("w" * 64 + "\n", KEY + "\n", False),
}


@pytest.mark.parametrize("case", some(KEYS, "only there", "only here", "known to be all", "all"))
def test_a_key(batch: dict[str, str], tmp_path: Path, start: Start, keyed: Path, case: str) -> None:
    """With none on some machines both go by the script; once all have it, nothing but the key does."""
    here, there, runs = KEYS[case]
    keyed.write_text(there)
    (tmp_path / "run").write_text("the script of the job\n")
    (tmp_path / "key").write_text(here)
    (tmp_path / "nodes").write_text("n1 127.0.0.2\nn2 127.0.0.3\n")
    batch["PATH"] = f"{install(tmp_path / 'bin', EVERYTHING)}:{os.environ['PATH']}"
    srun = start("srun", "-N1", "-n1", "-w", "n2", "echo", "up", env=batch)
    if runs:
        assert srun.communicate(timeout=PATIENCE_S)[0] == "up\n"
    else:
        assert srun.stderr
        assert "waiting for the agent of n2: " in srun.stderr.readline()
