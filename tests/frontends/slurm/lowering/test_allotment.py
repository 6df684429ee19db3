"""Nodes and tasks that the lowering gives, against those that a real controller allots."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.slurm import FRONTEND
from flowc.inputs import Inputs
from flowc.ir.job import Job
from flowc.source import Source

ORACLE = Path(__file__).parents[3] / "oracle" / "sbatch_oracle.py"

# Each row: how often, and the forms; one option of a row is drawn for a request.
CHOICES = (
    (0.5, ("-N1", "-N2", "-N4", "-N2-4", "-N 1-2")),
    (0.4, ("-n1", "-n3", "-n4", "-n8", "-n10", "-n16")),
    (0.3, ("--ntasks-per-node=1", "--ntasks-per-node=4", "--ntasks-per-node=8")),
    (0.3, ("-c1", "-c4", "-c8")),
    (
        0.6,
        (
            "--gres=gpu:1",
            "--gres=gpu:h100:8",
            "--gpus=4",
            "--gpus=8",
            "--gpus-per-node=4",
            "--gpus-per-node=h100:2",
            "--gpus-per-task=1",
            "--gpus=8 --gpus-per-node=4",
            "--gpus=8 --gpus-per-task=2",
        ),
    ),
    (0.15, ("--ntasks-per-gpu=1", "--ntasks-per-gpu=2")),
    (0.1, ("--mincpus=8", "-B 2:8:1", "--exclusive", "--sockets-per-node=2 --cores-per-socket=4")),
    (0.2, ("--mem=4G", "--mem-per-cpu=2G", "--mem=0")),
)


def requests(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        words = [draw.choice(forms) for share, forms in CHOICES if draw.random() < share]
        found.append(f"#!/bin/sh\n#SBATCH {' '.join(words)}\ntrue\n")
    return sorted(set(found))


def ask_controller(scripts: list[str]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps({"script": script}) + "\n" for script in scripts)
    command = [sys.executable, str(ORACLE), "--jsonl", "--controller"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def lowered(script: str) -> Job | None:
    source, sink = Source("job.sbatch", script), Sink()
    tree = FRONTEND.read(source, Inputs(), sink)
    if sink.failed:
        return None
    return FRONTEND.lower(tree, Inputs(), sink)[0].job


def node_range(job: Job) -> tuple[int, int | None]:
    """Nodes at least and at most; the controller writes `2-4`, and one number where it chose itself."""
    low = job.resources.nodes
    return (1, job.resources.nodes_max) if low is None else (low, job.resources.nodes_max or low)


def controller_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)


@pytest.mark.skipif(
    shutil.which("slurmctld") is None, reason="needs slurmctld (Debian packages slurm-client, slurmctld)"
)
def test_nodes_and_tasks_agree_with_a_controller() -> None:
    scripts = requests(160, seed=22)
    wrong, compared = [], 0
    for script, answer in zip(scripts, ask_controller(scripts), strict=True):
        if not answer["ok"] or not answer.get("job"):
            continue
        job = lowered(script)
        assert job is not None, script
        compared += 1
        real = answer["job"][0]
        tasks = job.layout.tasks if job.layout.tasks is not None else (job.resources.nodes or 1)
        low, high = node_range(job)
        real_low, real_high = controller_range(real["NumNodes"])
        # Without --nodes the controller shows an estimate, and it may raise the low end of a range to what CPUs need.
        nodes_agree = " -N" not in script or (low <= real_low and high == real_high)
        if tasks != int(real["NumTasks"]) or not nodes_agree:
            line = script.splitlines()[1]
            wrong.append(f"{line}: nodes {low}-{high}, tasks {tasks}; real {real['NumNodes']}, {real['NumTasks']}")
    assert compared > 60
    assert not wrong, "\n".join(wrong)
