"""What steps that run at once have of a node. Who gets what beside the real Slurm: tests/same_as_slurm, `accounts`."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import install, job

from flowc.body.slurm_features import features
from flowc.scripts.slurm.tools import closed

PATIENCE_S = 60
OPTIONS = "ntasks exact overlap exclusive gres gpus gpus-per-node gpus-per-task cpus-per-task overcommit"


class Node:
    """A machine with two CPUs and two GPUs. `step(WORDS)` starts an srun; `has(NAME)` waits for what a task wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        wanted = {"account", "no_gpus", "srun", "pipes", *(f"opt:{name}" for name in OPTIONS.split())}
        self.env = {
            "PATH": f"{install(folder / 'bin', closed(wanted))}:{os.environ['PATH']}",
            "SLURM_JOB_ID": "77", "SLURM_JOB_NODELIST": "n1", "SLURM_NODELIST": "n1", "SLURM_NNODES": "1",
            "SLURM_JOB_CPUS_PER_NODE": "2", "SLURM_TASKS_PER_NODE": "2", "SLURM_JOB_GPUS": "0,1",
        }  # fmt: skip
        self.running: list[subprocess.Popen[str]] = []

    def step(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        env = {**self.env, **variables}
        started = subprocess.Popen(
            ["srun", *words], cwd=self.folder, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.running.append(started)
        return started

    def has(self, name: str) -> str:
        path = self.folder / name
        limit = time.monotonic() + PATIENCE_S
        while not path.exists() or not path.read_text():
            assert time.monotonic() < limit, f"no {name}"
            time.sleep(0.05)
        return path.read_text()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    for each in made.running:
        if each.poll() is None:
            os.killpg(each.pid, signal.SIGKILL)
        each.communicate(timeout=PATIENCE_S)


HOLDS = ("sh", "-c", "echo $CUDA_VISIBLE_DEVICES >$0; exec sleep 300")


def waits(step: subprocess.Popen[str]) -> None:
    assert step.stderr is not None
    assert step.stderr.readline() == (
        "srun: Job 77 step creation temporarily disabled, retrying (Requested nodes are busy)\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_step_whose_srun_is_killed_gives_back_what_it_had(node: Node, number: int) -> None:
    first = node.step("-n1", *HOLDS, "a")
    assert node.has("a") == "0,1\n"
    second = node.step("-n1", *HOLDS, "b")
    waits(second)
    first.send_signal(number)
    assert node.has("b") == "0,1\n"
    assert second.stderr is not None
    # It may ask again while the other is ending.
    said = next(line for line in iter(second.stderr.readline, "") if "still disabled" not in line)
    assert said == "srun: Step created for job 77\n"


@pytest.mark.parametrize(
    ("first", "second", "gpus"),
    [
        # What only wants a part of the CPUs leaves the rest, be it by a word or by a variable.
        ("-n1 --gres=gpu:1 --exact", "-n1 --gres=gpu:1 --exclusive", "0 1"),
        ("-n1 --gres=gpu:1 -c1", "-n1 --gres=gpu:1 -c1", "0 1"),
        ("-n1 --gres=gpu:1 EXACT", "-n1 --gres=gpu:1 EXCLUSIVE", "0 1"),
        ("-n1 --gpus-per-task=1 --exact", "-n1 --gpus=1 --exact", "0 1"),
        # What overlaps has nothing for itself.
        ("-n1 --gres=gpu:1 --overlap", "-n1 --gres=gpu:1 --exact", "0 0"),
        ("-n2 --gres=gpu:2", "-n2 --gres=gpu:2 OVERLAP", "0,1 0,1"),
        ("-n1 --exact --gres=none", "-n1 --exact", " 0,1"),
    ],
)
def test_two_steps_run_at_once(node: Node, first: str, second: str, gpus: str) -> None:
    for words, name in ((first, "a"), (second, "b")):
        options = [word for word in words.split() if not word.isupper()]
        variables = {f"SLURM_{word}": "exclusive" for word in words.split() if word.isupper()}
        node.step(*options, *HOLDS, name, **variables)
        node.has(name)
    assert " ".join(node.has(name).strip() for name in "ab") == gpus


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("-n1 --exact", "-n1"),
        ("-n1", "-n1 --exact"),
        ("-n1 --exact --gres=gpu:2", "-n1 --exact --gres=gpu:1"),
        # Each takes all GPUs that the job has where a step names none.
        ("-n1 --exact", "-n1 --exact"),
        ("-n2 --exact --gres=none", "-n1 --exact --gres=none"),
        ("-n1 -c1 --gres=none", "-n1 -c2 --gres=none"),
    ],
)
def test_a_step_waits_for_another(node: Node, first: str, second: str) -> None:
    node.step(*first.split(), *HOLDS, "a")
    node.has("a")
    later = node.step(*second.split(), *HOLDS, "b")
    waits(later)
    node.running[0].send_signal(signal.SIGKILL)
    node.has("b")


def test_a_step_gets_the_gpu_that_is_given_back(node: Node) -> None:
    for name in "ab":
        node.step("--exact", "-n1", "--gres=gpu:1", *HOLDS, name)
        node.has(name)
    third = node.step("--exact", "-n1", "--gres=gpu:1", *HOLDS, "c")
    waits(third)
    node.running[0].send_signal(signal.SIGKILL)
    assert [node.has(name) for name in "abc"] == ["0\n", "1\n", "0\n"]


def test_a_step_that_a_task_starts_is_within_its_step(node: Node) -> None:
    """Under Slurm it waits for ever for what its own step has."""
    done = node.step("-n1", "sh", "-c", "srun -n1 sh -c 'echo $SLURM_STEP_ID >inner'")
    assert node.has("inner") == "1\n"
    assert done.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("srun a &\nsrun b &\nwait", True), ("srun a; srun b", False),
        ("srun a && srun b 2>&1 >f", False), ("srun a &>f", False),
        ("srun a | srun b", True), ("parallel srun -n1 a", True), ("srun a <(srun b)", True),
        ("# a & b\nsrun a", False),
        ("xargs -P4 srun -n1 a <f", True), (": <<'E'\na & b\nE\nsrun a", False),
        ("bash <<'E'\nsrun a & srun b\nE", True),
        ("for i in 1 2; do srun a $i & done\nwait", True), ("coproc srun a; srun b", True), ("srun a || srun b", False),
        # A single step is alone, whatever else runs beside it.
        ("srun a &\nnvidia-smi -l &\nwait", False), ("f() { srun a; }\nf & f &\nwait", True),
        ("bash -c 'srun a &'", True), ("mpirun a & srun b\nwait", True),
        ("srun a --tensor-model-parallel-size 2; srun b", False),
        # What looks like a step behind a pipe is a word of another program.
        ("srun a | sed 's/^/srun /'\nsrun b", False), ("srun a | bash -c 'srun b'\nsrun c", True),
        ("srun a | timeout 5 srun b\nsrun c", True),
    ],
)  # fmt: skip
def test_the_account_is_brought_where_steps_may_run_at_once(text: str, expected: bool) -> None:
    assert ("account" in features(job(f"#!/bin/bash\n{text}\n"), 1)) is expected


def test_a_program_that_is_no_shell_may_start_steps_at_once() -> None:
    text = "#!/usr/bin/env python3\nimport subprocess\nsubprocess.Popen(['srun', 'a'])\n"
    assert "account" in features(job(text), 1)
