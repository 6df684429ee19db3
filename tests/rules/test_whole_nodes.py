"""Scripts that ask for nodes alone and count on all their CPUs are told so once."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source


def told(options: str, body: str) -> list[tuple[str, str]]:
    """The marked text and the beginning of the message of each finding."""
    source = Source("job.sbatch", f"#!/bin/bash\n#SBATCH --time=10 {options}\n{body}\n")
    result = flowc.check(source, Inputs(flags=Flags(budget="999")))
    found = [each for each in result.diagnostics if each.code.name == "cpus-not-asked"]
    return [(each.span.text, each.message.partition(":")[0]) for each in found if each.span is not None]


@pytest.mark.parametrize(
    ("options", "body", "what"),
    [
        ("-N1", "export OMP_NUM_THREADS=$SLURM_CPUS_ON_NODE", "`SLURM_CPUS_ON_NODE` is 1"),
        ("", "make -j ${SLURM_JOB_CPUS_PER_NODE}", "`SLURM_JOB_CPUS_PER_NODE` is 1"),
        ("-N2", "mpirun ./a", "`mpirun` starts 2 processes"),
        ("-N1", "/usr/bin/mpiexec ./a <in", "`mpiexec` starts 1 process"),
        ("-N2", "mpirun -np 32 ./a", "`mpirun` has slots for 2 processes, not 32"),
    ],
)
def test_told(options: str, body: str, what: str) -> None:
    ((marked, message),) = told(options, body)
    assert message == what
    assert marked in body


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ("-N1 --exclusive", "echo; export OMP_NUM_THREADS=$SLURM_CPUS_ON_NODE; mpirun ./a"),
        ("-N1 -n8", "mpirun ./a"),
        ("-N1 -c8", "./a $SLURM_CPUS_ON_NODE"),
        # Who asks for memory or GPUs knows that nodes are shared.
        ("-N1 --mem=8G", "./a $SLURM_CPUS_ON_NODE"),
        ("-N1 --gpus-per-node=1", "./a $SLURM_CPUS_ON_NODE"),
        ("-N1", "echo CPUs: $SLURM_CPUS_ON_NODE"),
        ("-N1", "# mpirun ./a\nSLURM_CPUS_ON_NODE=4; ./a $SLURM_CPUS_ON_NODE"),
        ("-N2", "mpirun -np 2 ./a; mpirun -n $N ./a; mpirun --hostfile h ./a; mpirun --oversubscribe -n 8 ./a"),
        ("-N1", "export I_MPI_PIN=1; mpirun -n 8 ./a"),
        ("-N1", "echo 'mpirun ./a'; mpirun --version"),
    ],
)
def test_not_told(options: str, body: str) -> None:
    assert told(options, body) == []
