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


@pytest.mark.parametrize(
    ("line", "nodes"),
    [
        ("-C h100*2", 2),
        ("-C h100*2 -N3", 3),
        ("-C h100*2 -N1-4", 2),
        ("-C h100*2 -n1", 2),
        ("-C [h100*2&ib*1]", 3),
        ("-C ib|h100*2", 2),
        ("-C (ib&h100)*2", 2),
        ("-C h100*2 -w n1", 2),
        ("-C h100*2 --gres=gpu:8", 2),
        ("-C h100", 1),
    ],
)
def test_counts_of_a_constraint_ask_for_nodes(line: str, nodes: int) -> None:
    """As a controller of Slurm 22.05 allots them."""
    assert lowered(line)[0].resources.nodes == nodes


def test_counts_of_a_constraint_against_fewer_nodes_are_refused() -> None:
    _, sink = lowered("-C h100*2 -N1")
    assert [(each.code.name, each.severity) for each in sink.diagnostics] == [("option-refused", "error")]


@pytest.mark.parametrize(
    "line",
    [
        "--gres=gpu:h100:8 -C a100&ib",
        "--gres=gpu:a100:1 -C h100",
        "--gpus=v100:2 -C [a100|h100]",
        "--gres=gpu:2 -C a100&h100",
        "--gres=gpu:nvidia_h100_80gb_hbm3:8 -C gpu_a100",
    ],
)
def test_constraint_for_another_gpu_model_is_a_contradiction(line: str) -> None:
    assert [each.code.name for each in lowered(line)[1].diagnostics if each.severity == "error"] == ["two-gpu-models"]


@pytest.mark.parametrize(
    "line",
    [
        "--gres=gpu:h100:8 -C (a100|h100)&ib",
        "--gres=gpu:a100:8 -C a100_80gb",
        "--gres=gpu:2 -C a100|h100",
        "--gres=gpu:tesla:2 -C v100",
        "--gres=gpu:gtx:2 -C ib",
    ],
)
def test_constraint_that_the_model_meets_is_none(line: str) -> None:
    assert not [each for each in lowered(line)[1].diagnostics if each.severity == "error"]


@pytest.mark.parametrize(
    ("line", "model", "count"),
    [
        ("--gres=gpu=2", None, 2),
        ("--gres=gpu:h100=8", "h100", 8),
        ("--gres=gres/gpu:h100:8", "h100", 8),
        ("--gres=gpu:h100:8", "h100", 8),
        ("--gres=gpu", None, 1),
    ],
)
def test_newer_spellings_of_gres_ask_for_the_same(line: str, model: str | None, count: int) -> None:
    job, _ = lowered(line, "26.05")
    assert (job.resources.gpu_model, job.resources.gpus_per_node) == (model, count)


def test_what_is_ignored_of_gres_is_shown_as_it_was_written() -> None:
    _, sink = lowered("--gres=gpu:2,VRAM:24G,tmp:20G")
    told = [each.message.partition(" in ")[0] for each in sink.diagnostics if each.code.name == "gres-ignored"]
    assert told == ["`VRAM:24G`", "`tmp:20G`"]


@pytest.mark.parametrize("version", ["22.05", "26.05"])
def test_equals_sign_before_a_count_of_gpus(version: str) -> None:
    job, _ = lowered("--gpus=h100=8", version)
    assert (job.resources.gpu_model, job.layout.gpus_total) == ("h100", 8)


def refused(line: str, version: str = "22.05") -> list[str]:
    source = Source("job.sbatch", f"#!/bin/sh\n#SBATCH {line}\ntrue\n")
    inputs, sink = Inputs(slurm_version=version), Sink()
    tree = FRONTEND.read(source, inputs, sink)
    assert tree is not None
    FRONTEND.lower(tree, inputs, sink)
    return [each.code.name for each in sink.diagnostics if each.severity == "error"]


def test_what_the_controller_of_a_release_refuses() -> None:
    assert refused("--gres=4", "26.05") == ["controller-refuses"]
    assert refused("-d afterok:1?afterany:2,after:3", "26.05") == ["controller-refuses"]
    assert refused("-d afterok:1?afterany:2,after:3", "25.05") == []


def test_priority_0_is_a_held_job() -> None:
    assert refused("--priority=0") == ["option-refused"]
    assert refused("--priority=5") == []


def test_signal_of_a_reservation_is_told() -> None:
    for line, told in (("--signal=R:USR1@60", True), ("--signal=RB:USR1", True), ("--signal=B:USR1", False)):
        job, _ = lowered(line)
        assert (next(row for row in job.outcome if "signal" in row.input).action == "approximated") == told or (
            line == "--signal=R:USR1@60"  # here no step hears it at all
        )


@pytest.mark.parametrize(("version", "events"), [("22.05", {"BEGIN", "END"}), ("25.05", {"END"}), ("26.05", {"END"})])
def test_mail_types_of_several_lines_add_up_until_25_05(version: str, events: set[str]) -> None:
    job, _ = lowered("--mail-type=BEGIN\n#SBATCH --mail-type=END --mail-user=a@example.org", version)
    assert {*job.notify.events} == events
