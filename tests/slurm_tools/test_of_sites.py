"""Launchers that sites have beside Slurm's commands: `ibrun` starts a step where its own options say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small import Cluster, run

from flowc._compiled.slurm_commands import FLAGS_OF_SITES, OPTIONS_OF_SITES, RARE_OPTIONS_OF_SITES

SAY = "sh -c 'echo $SLURM_PROCID $SLURMD_NODENAME $SLURM_NTASKS ${OMP_NUM_THREADS-}'"
EIGHT = [f"{rank} n{rank // 2 + 1} 8" for rank in range(8)]


@pytest.fixture
def batch(cluster: Cluster, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{cluster.bin}:{os.environ['PATH']}", "SLURM_JOB_ID": f"8{os.getpid()}", "HOME": str(tmp_path),
        "SLURM_JOB_NODELIST": "n[1-4]", "SLURM_NODELIST": "n[1-4]", "SLURM_NNODES": "4", "SLURM_JOB_NUM_NODES": "4",
        "SLURM_JOB_CPUS_PER_NODE": "16(x4)", "SLURM_TASKS_PER_NODE": "2(x4)", "SLURM_NTASKS": "8", "SLURM_NPROCS": "8",
        "SLURMD_NODENAME": "n1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", EIGHT),
        ("tacc_affinity", EIGHT),
        ("-v", EIGHT),
        ("-n 2", ["0 n1 2", "1 n1 2"]),
        ("-np 3", ["0 n1 3", "1 n1 3", "2 n2 3"]),
        ("-n 2 -o 4 task_affinity", ["0 n3 2", "1 n3 2"]),
        ("-n 1 -o 7", ["0 n4 1"]),
        ("-n 4 -o 2", ["0 n2 4", "1 n2 4", "2 n3 4", "3 n3 4"]),
        ("--npernode=1", [f"{rank} n{rank + 1} 4" for rank in range(4)]),
        ("-npernode 1 -tpp 8", [f"{rank} n{rank + 1} 4 8" for rank in range(4)]),
    ],
)
def test_tasks_are_where_its_options_say(batch: dict[str, str], options: str, said: list[str]) -> None:
    done = run(batch, f"ibrun {options} {SAY}")
    lines = sorted(" ".join(line.split()) for line in done.stdout.splitlines())
    assert (lines, done.returncode) == (said, 0), done.stderr


def test_several_at_once_share_the_machines(batch: dict[str, str]) -> None:
    """Each waits for the other, so both run."""
    meet = "sh -c 'touch $HOME/{0}; until [ -e $HOME/{1} ]; do sleep 0.1; done; echo {0}'"
    done = run(batch, f"ibrun -n 1 -o 0 {meet.format('a', 'b')} & ibrun -n 1 -o 1 {meet.format('b', 'a')} & wait")
    assert (sorted(done.stdout.split()), done.stderr) == (["a", "b"], "")


def test_its_end_is_that_of_its_tasks(batch: dict[str, str]) -> None:
    assert run(batch, "ibrun -n 2 sh -c 'exit $((SLURM_PROCID * 3))'").returncode == 3


@pytest.mark.parametrize("options", ["-x 3", "-n", "-n two", "--offset=1"])
def test_what_it_does_not_know_is_refused(batch: dict[str, str], options: str) -> None:
    done = run(batch, f"ibrun {options}")
    assert done.returncode == 1
    assert done.stderr.startswith("ibrun: unrecognized option '-")


@pytest.mark.parametrize(
    "option", [*(f"{each} 1" for each in (*OPTIONS_OF_SITES, *RARE_OPTIONS_OF_SITES)), *FLAGS_OF_SITES]
)
def test_what_a_check_takes_for_its_options_it_takes(batch: dict[str, str], option: str) -> None:
    done = run(batch, f"ibrun {option} true")
    assert (done.returncode, done.stderr) == (0, "")
