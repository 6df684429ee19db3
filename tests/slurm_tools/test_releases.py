"""What the batch script's environment and the files of a job are under the release that the user names."""

from __future__ import annotations

import pytest

from flowc._compiled.slurm_releases import GONE, RULES, VARIABLES
from flowc.body.slurm_releases import features_of
from flowc.diag.sink import Sink
from flowc.frontends.slurm import FRONTEND
from flowc.inputs import SLURM_RELEASES, Inputs
from flowc.ir.job import Job
from flowc.scripts.file_names import streams
from flowc.scripts.slurm.environment import batch_variables
from flowc.source import Source


def job(options: str, release: str | None) -> Job:
    source, sink = Source("job.sbatch", f"#!/bin/sh\n#SBATCH {options}\ntrue\n"), Sink()
    inputs = Inputs(slurm_version=release)
    tree = FRONTEND.read(source, inputs, sink)
    assert tree is not None
    (unit,) = FRONTEND.lower(tree, inputs, sink)
    assert not sink.failed
    return unit.job


def variables(options: str, release: str | None) -> dict[str, str]:
    return dict(batch_variables(job(options, release), None, None, "/"))


@pytest.mark.parametrize(
    ("options", "release", "expected"),
    [
        ("-c4", None, {"SLURM_CPUS_PER_TASK": "4", "SLURM_TRES_PER_TASK": None, "HYDRA_BOOTSTRAP": None}),
        ("-c4", "22.05", {"SLURM_CPUS_PER_TASK": "4", "SLURM_TRES_PER_TASK": None}),
        ("-c4", "23.02", {"SLURM_TRES_PER_TASK": None, "OMPI_MCA_plm_slurm_args": None}),
        ("-c4", "23.11", {"SLURM_TRES_PER_TASK": "cpu:4", "OMPI_MCA_plm_slurm_args": "--external-launcher"}),
        ("-c4", "24.11", {"SLURM_TRES_PER_TASK": "cpu=4", "SLURM_OOM_KILL_STEP": "0"}),
        ("-c4", "26.05", {"SLURM_TRES_PER_TASK": "cpu=4", "SLURM_CPUS_PER_TASK": "4", "SLURM_TRES_BIND": None}),
        ("-n2", "26.05", {"SLURM_TRES_PER_TASK": None, "SLURM_TRES_BIND": None}),
        ("-n2 --gpus-per-task=1", None, {"SLURM_GPUS_PER_TASK": "1", "SLURM_TRES_BIND": None}),
        (
            "-n2 --gpus-per-task=h100:1 -c3",
            "23.11",
            {"SLURM_GPUS_PER_TASK": None, "SLURM_TRES_PER_TASK": "cpu:3,gres/gpu:h100:1"},
        ),
        (
            "-n2 --gpus-per-task=h100:2 -c3",
            "26.05",
            {
                "SLURM_GPUS_PER_TASK": None,
                "SLURM_TRES_PER_TASK": "cpu=3,gres/gpu:h100=2",
                "SLURM_TRES_BIND": "gres/gpu:per_task:2",
            },
        ),
        ("-n2 --gres=gpu:2 --gpu-bind=single:1", "22.05", {"SLURM_GPU_BIND": "single:1", "SLURM_TRES_BIND": None}),
        (
            "-n2 --gres=gpu:2 --gpu-bind=single:1",
            "25.11",
            {"SLURM_GPU_BIND": None, "SLURM_TRES_BIND": "gres/gpu:single:1"},
        ),
        ("-n2 --gpus-per-task=1 --gpu-bind=none", "26.05", {"SLURM_TRES_BIND": "gres/gpu:none"}),
        ("-n2 --tres-per-task=cpu=2,gres/gpu=1", "26.05", {"SLURM_TRES_PER_TASK": "cpu=2,gres/gpu=1"}),
        ("-N2 -n4 --ntasks-per-node=3", None, {"SLURM_TASKS_PER_NODE": "3(x2)", "SLURM_NTASKS": "4"}),
        ("-N2 -n4 --ntasks-per-node=3", "23.02", {"SLURM_TASKS_PER_NODE": "3(x2)", "SLURM_NTASKS": "4"}),
        ("-N2 -n4 --ntasks-per-node=3", "23.11", {"SLURM_TASKS_PER_NODE": "2(x2)", "SLURM_NTASKS": "4"}),
        ("-N2 -n4 --ntasks-per-node=3", "24.11", {"SLURM_TASKS_PER_NODE": "2(x2)", "SLURM_JOB_CPUS_PER_NODE": "2(x2)"}),
        ("-N2 -n4 --ntasks-per-node=3", "26.05", {"SLURM_TASKS_PER_NODE": "2(x2)", "SLURM_JOB_CPUS_PER_NODE": "3(x2)"}),
        ("-n1", "25.11", {"SLURM_JOB_EXCLUSIVE": None, "SLURM_STEP_ID": None, "SLURM_JOB_SLUID": None}),
        ("-n1", "26.05", {"SLURM_JOB_EXCLUSIVE": "NO", "SLURM_JOB_OVERSUBSCRIBE": "NO", "SLURM_STEPID": "-5"}),
        ("-n1 --exclusive", "26.05", {"SLURM_JOB_EXCLUSIVE": "NODE", "SLURM_JOB_OVERSUBSCRIBE": "NO"}),
    ],
)
def test_variables_are_those_of_the_release(options: str, release: str | None, expected: dict[str, str | None]) -> None:
    found = variables(options, release)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(("release", "name"), [(None, "%b"), ("24.05", "%b"), ("24.11", "7"), ("26.05", "7")])
def test_b_in_a_file_name_is_the_last_digit_of_the_index(release: str | None, name: str) -> None:
    assert streams(job("-a 17 -o out-%b", release), "/w", 17).stdout == [f"/w/out-{name}"]


def test_the_last_digit_of_no_index_is_that_of_its_number() -> None:
    assert streams(job("-o out-%b", "26.05"), "/w", None).stdout == ["/w/out-4"]


def test_a_release_that_nobody_names_has_nothing_of_its_own() -> None:
    assert features_of(job("-c4", None), {"srun", "opt:cpus-per-task"}) == set()
    assert features_of(job("-c4", "22.05"), {"srun", "opt:cpus-per-task"}) == set()


def test_releases_in_the_rows_are_ones_that_can_be_named() -> None:
    named = {row["since"] for row in (*RULES.values(), *VARIABLES)} | {*GONE.values()}
    named |= {str(row["until"]) for row in (*RULES.values(), *VARIABLES) if row["until"]}
    assert named <= set(SLURM_RELEASES)
