"""What launchers of MPI call, which no text of a job shows, on one and two machines."""

from __future__ import annotations

import pytest

from tests.several.conftest import Rent

HEAD = "#!/bin/bash\n#SBATCH --nodes={nodes} --ntasks={tasks} --gpus-per-node=h100:8 --time=5\n"
FLAGS = ("--budget", "99")
# As they were recorded, without the words of their daemons.
CALLS = {
    "MPICH": "srun -N {nodes} -n {nodes} --input none",
    "Intel MPI": "srun -N {nodes} -n {nodes} --ntasks-per-node 1 --nodelist {list} --input none",
}
ORTED = "--mpi=none --nodes=1 --nodelist=n2 --ntasks=1"
OPEN_MPI = {
    "Open MPI 4": f"srun --ntasks-per-node=1 --kill-on-bad-exit {ORTED}",
    "Open MPI 5": f"srun --version >&2 && srun --ntasks-per-node=1 --kill-on-bad-exit --cpu-bind=none {ORTED}",
}


def run(rent: Rent, nodes: int, call: str) -> tuple[tuple[str, int | None], list[str]]:
    text = HEAD.format(nodes=nodes, tasks=2 * nodes) + "mpiexec.mpich -n 4 ./a\n"
    machines = rent("job.sbatch", text, *FLAGS)
    daemon = "sh -c 'echo $SLURMD_NODENAME $SLURM_NTASKS \"$(cat)\"'"
    machines.program("n1", "mpiexec.mpich", f"#!/bin/sh\n{call} {daemon} <<E >/run/said\nwords\nE\n")
    machines.start()
    ended = machines.wait()
    return ended, sorted(machines.read("n1", "run/said").splitlines())


@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize("library", CALLS)
def test_daemons_start_on_each_machine(rent: Rent, library: str, nodes: int) -> None:
    names = [f"n{number + 1}" for number in range(nodes)]
    call = CALLS[library].format(nodes=nodes, list=",".join(names))
    assert run(rent, nodes, call) == (("COMPLETED", 0), [f"{name} {nodes} " for name in names])


@pytest.mark.parametrize("library", OPEN_MPI)
def test_daemons_start_on_the_other_machine(rent: Rent, library: str) -> None:
    assert run(rent, 2, OPEN_MPI[library]) == (("COMPLETED", 0), ["n2 1 "])
