"""Scripts that mean other tasks, CPUs or GPUs under another release are told so once, those that do not are not."""

from __future__ import annotations

import pytest

import flowc
from flowc._compiled.slurm_releases import MEANINGS
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --time=10 "
CODE = "releases-differ"


def told(options: str, body: str, release: str | None = None) -> list[tuple[str, str]]:
    """The marked text and which row it is, of each finding."""
    source = Source("job.sbatch", f"{HEAD}{options}\n{body}\n")
    result = flowc.check(source, Inputs(flags=Flags(budget="999"), slurm_version=release))
    found = []
    for each in result.diagnostics:
        assert each.severity != "error", each.message
        if each.code.name == CODE:
            (row,) = [name for name, text in MEANINGS.items() if text["before"] in each.message]
            assert each.span is not None
            assert each.help is not None
            assert MEANINGS[row]["after"] in each.message
            assert "--slurm-version" in each.help
            found.append((each.span.text, row))
    return found


TWO_MEANINGS = [
    ("-n1 -c4", "SRUN_CPUS_PER_TASK=2 srun a", "SRUN_CPUS_PER_TASK=2", "step_cpus"),
    ("-n1 -c4", "export SRUN_CPUS_PER_TASK=2\nsrun a", "SRUN_CPUS_PER_TASK=2", "step_cpus"),
    ("-n2", "export SRUN_CPUS_PER_TASK=4\nsrun a", "SRUN_CPUS_PER_TASK=4", "step_cpus"),
    ("-n4 -c2", "for i in 1 2 3 4; do srun -n1 a & done\nwait", "srun", "steps_at_once"),
    ("-n4 -c2", "srun -n1 a &\nsrun -n1 b | tee c &\nwait", "srun", "steps_at_once"),
    ("-N2 --ntasks-per-node=4 -c2", "srun -N1 -n1 a &\nsrun -N1 -n1 b &\nwait", "srun", "steps_at_once"),
    ("-n1 -c8", "srun -n4 a", "srun", "step_tasks"),
    ("-N1 -c8", "srun --ntasks=2 a", "srun", "step_tasks"),
    ("--exclusive -c8", "srun a", "srun", "task_count"),
    ("-n1 -c8", "export SLURM_CPUS_PER_TASK=2\nsrun a", "SLURM_CPUS_PER_TASK=2", "job_cpus"),
    ("--gpus-per-node=2", "srun --gpus=1 a", "srun", "step_gpus"),
    ("--gpus-per-node=h100:2", "srun -G1 a", "srun", "step_gpus"),
    ("--gpus-per-node=2", "srun --gres=gpu:1 a", "srun", "step_gres"),
    ("-N2 --ntasks-per-node=2 --gpus-per-node=8", "srun -N1 a", "srun", "step_nodes"),
    ("-n2 --gpus-per-task=1 --gpu-bind=none", "srun a", "srun", "unbound_gpus"),
    ("-n2 --gpus-per-task=1", "srun --gpu-bind=none a", "srun", "unbound_gpus"),
    ("-N2 -n4 --ntasks-per-node=3", "mpirun a", "3", "most_tasks"),
    ("-n2 --gpus-per-task=1", "echo $SLURM_GPUS_PER_TASK", "$SLURM_GPUS_PER_TASK", "gpu_variable"),
]


@pytest.mark.parametrize(("options", "body", "text", "row"), TWO_MEANINGS)
def test_two_meanings_are_told_where_they_stand_first(options: str, body: str, text: str, row: str) -> None:
    ((marked, found),) = told(options, body)
    assert (marked.endswith(text), found) == (True, row), marked


def test_every_meaning_has_a_case() -> None:
    assert {row for _, _, _, row in TWO_MEANINGS} == set(MEANINGS)


@pytest.mark.parametrize(("options", "body"), [case[:2] for case in TWO_MEANINGS])
@pytest.mark.parametrize("release", ["22.05", "26.05"])
def test_nothing_is_told_of_a_release_that_is_named(options: str, body: str, release: str) -> None:
    assert told(options, body, release) == []


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ("-n4 -c2", "srun a"),
        ("-n4 -c2", "srun a &\nwait"),
        ("-n4 -c2", "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK\nsrun a"),
        ("-n4 -c2", 'export SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-1}"\nsrun a'),
        ("-n4 -c2", "export OMP=$SLURM_CPUS_PER_TASK\nexport SRUN_CPUS_PER_TASK=${OMP}\nsrun a"),
        ("-n4 -c2", "export SRUN_CPUS_PER_TASK=2\nsrun -n1 a &\nsrun -n1 b &\nwait"),
        ("-n4 -c2", "for i in 1 2 3 4; do srun --exact -n1 a & done\nwait"),
        ("-n4 -c2", "for i in 1 2 3 4; do srun -n1 -c2 a & done\nwait"),
        ("-n4 -c2", "for i in 1 2 3 4; do srun --exclusive -n1 a & done\nwait"),
        ("-n4", "for i in 1 2 3 4; do srun -n1 a & done\nwait"),
        ("-n4 -c2", "srun -n4 a &\nsrun -n4 b &\nwait"),
        ("-N2 --ntasks-per-node=1 -c2", "srun -N1 -n1 -w $A a &\nsrun -N1 -n1 -w $B b &\nwait"),
        ("-n1 -c8", "srun -c2 -n4 a"),
        ("-n1 -c8", "export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK\nsrun -n1 a"),
        ("-n1 -c8", "export SLURM_CPUS_PER_TASK=8\nsrun a"),
        ("-n1 -c8", "export SLURM_CPUS_PER_TASK=2\n./a"),
        ("--gpus-per-node=2", "srun --gpus=2 a"),
        ("--gres=gpu:2", "srun --gres=gpu:1 a"),
        ("--gres=gpu:2", "srun --gpus=1 a"),
        ("-N2 --ntasks-per-node=2", "srun -N1 -n2 a"),
        ("-N2 --ntasks-per-node=1", "srun -N2 a"),
        ("-n4 --ntasks-per-node=4", "srun a"),
        ("-n2 --gpus-per-task=1 --gpu-bind=closest", "srun a"),
        ("-n1 --gpus-per-task=1 --gpu-bind=none", "srun a"),
        ("--exclusive -n2 -c8", "srun a"),
        ("--exclusive -c8", "srun -n4 -c8 a"),
        ("-N2 -c8", "srun a"),
        ("-N2 -n4 --ntasks-per-node=3", "srun a"),
        ("-n2 --gpus-per-node=1", "# SRUN_CPUS_PER_TASK=2\nsrun a"),
    ],
)
def test_one_meaning_is_not_told(options: str, body: str) -> None:
    assert told(options, body) == []


def test_more_than_one_difference_is_one_finding_that_names_them() -> None:
    source = Source("job.sbatch", f"{HEAD}-n4 -c2 --gpus-per-node=2\nsrun -n1 a &\nsrun -n1 --gpus=1 b &\nwait\n")
    result = flowc.check(source, Inputs(flags=Flags(budget="99")))
    (found,) = [each for each in result.diagnostics if each.code.name == CODE]
    assert found.help is not None
    assert MEANINGS["step_gpus"]["after"] in found.help
