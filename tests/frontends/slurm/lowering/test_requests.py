"""What requests for GPUs and nodes mean, by their lowered resources and layout."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.slurm import FRONTEND
from flowc.inputs import Inputs
from flowc.source import Source


def lowered(line: str, version: str = "22.05") -> tuple[Any, Sink]:
    """The job of a directive, None where it is refused."""
    source = Source("job.sbatch", f"#!/bin/sh\n#SBATCH {line}\ntrue\n")
    inputs, sink = Inputs(slurm_version=version), Sink()
    tree = FRONTEND.read(source, inputs, sink)
    assert tree is not None
    if sink.failed:
        return None, sink
    return FRONTEND.lower(tree, inputs, sink)[0].job, sink


@pytest.mark.parametrize("version", ["22.05", "23.11", "26.05"])
@pytest.mark.parametrize("item", ["gres/gpu:2", "gres:gpu:2", "gres/gpu=2"])
def test_tres_per_task_asks_for_gpus(item: str, version: str) -> None:
    job, _ = lowered(f"-n3 --tres-per-task={item}", version)
    assert (job.layout.gpus_per_task, job.layout.gpus_total, job.layout.tasks) == (2, 6, 3)


def test_tres_per_task_asks_for_a_model_and_cpus_and_the_rest_is_told() -> None:
    job, sink = lowered("-n2 --tres-per-task=gres/gpu:h100=2,cpu=4,gres/nic=1,license/x=1")
    assert (job.resources.gpu_model, job.layout.gpus_total, job.layout.cpus_per_task) == ("h100", 4, 4)
    assert {each.code.name for each in sink.diagnostics} >= {"gres-ignored"}
    row = next(row for row in job.outcome if "tres" in row.input)
    assert (row.action, "license/x=1" in row.note) == ("approximated", True)


@pytest.mark.parametrize("version", ["22.05", "23.11", "26.05"])
def test_gpus_for_each_task_without_a_number_of_tasks_are_refused(version: str) -> None:
    job, sink = lowered("--tres-per-task=gres/gpu:2", version)
    assert job is None
    assert [each.code.name for each in sink.diagnostics if each.severity == "error"] == ["conflicting-options"]


def test_gpus_for_each_task_need_more_than_tasks_for_each_node_since_23_02() -> None:
    assert lowered("--gpus-per-task=2 --ntasks-per-node=2")[0].layout.gpus_total == 4
    assert lowered("--gpus-per-task=2 --ntasks-per-node=2", "26.05")[0] is None
    assert lowered("--gpus-per-task=2 --ntasks-per-node=2 -N2", "26.05")[0].layout.gpus_total == 8


@pytest.mark.parametrize(
    ("line", "total", "tasks"),
    [
        ("--gpus-per-task=1 -n2 --gpus=0", 2, 2),
        ("--gpus=0 --ntasks-per-gpu=2 -n4", 2, 4),
        ("--gpus=4 --gpus-per-task=0 -n2", 4, 2),
        ("--gpus=4 --gpus-per-node=0", 4, None),
        ("--gpus=0", 0, None),
    ],
)
def test_a_count_of_0_asks_for_nothing(line: str, total: int, tasks: int | None) -> None:
    job, _ = lowered(line)
    assert (job.layout.gpus_total, job.layout.tasks, job.resources.gpus_per_node) == (total, tasks, None)
