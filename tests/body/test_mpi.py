"""How the ranks of a job may look for each other: what a small Slurm brings for it takes room."""

from __future__ import annotations

import pytest

from flowc.body.slurm_features import features
from tests.scripts.jobs import unit

OPENMPI, MPICH = "apt-get install -y openmpi-bin libopenmpi-dev\n", "apt-get install -y mpich libmpich-dev\n"
INTEL = "pip install -q impi-rt==2021.18.1\n"
PMI, PMIX = "pmi_always", "pmix_always"


def ways(text: str, *, setup: str | None = None, modules: tuple[str, ...] = ()) -> set[str]:
    found = features(unit(f"#!/bin/bash\n{text}\n", setup=setup, modules=modules).job, 1)
    return found & {"pmi", "pmix", PMI, PMIX}


@pytest.mark.parametrize(("setup", "kind"), [(OPENMPI, PMIX), (MPICH, PMI), (INTEL, PMI)])
def test_what_brings_a_module_says_which_mpi_it_has(setup: str, kind: str) -> None:
    text = "module load toolchain/2022\nsrun ./a.out"
    assert not ways(text)
    assert not ways(text, setup=setup)
    assert kind in ways(text, setup=setup, modules=("toolchain",))


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        (("intel",), {PMI, PMIX}),
        (("intel", "openmpi"), {PMIX}),
        (("OpenMPI", "intel"), {PMIX}),
        (("hdf5", "cray-mpich"), {PMI}),
        (("intel", "impi", "openmpi"), {PMI, PMIX}),
    ],
)
def test_mpi_of_compilers_and_libraries_steps_back_behind_that_of_a_module(
    modules: tuple[str, ...], found: set[str]
) -> None:
    assert ways("srun ./a.out", setup=OPENMPI + INTEL, modules=modules) == found


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ("srun --mpi=pmix ./a.out", {"pmix"}),
        ("srun --mpi=pmix_v3 ./a.out\nsrun -n 2 --mpi pmix ./b.out", {"pmix"}),
        ("srun --mpi=none ./a.out", set[str]()),
        ("srun --mpi=pmix ./a.out\nsrun ./b.out", {"pmix", PMI, PMIX}),
        ("srun --mpi=pmix $OPTIONS ./a.out", {"pmix", PMI, PMIX}),
        ("srun ./a.out --mpi=pmix", {"pmix", PMI, PMIX}),
        ("srun ./a.out", {PMI, PMIX}),
    ],
)
def test_where_each_step_says_it_nothing_else_is_brought(steps: str, found: set[str]) -> None:
    assert ways(f"module load mpich openmpi\n{steps}") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Settings are carried from script to script: what is loaded or named says which MPI there is.
        ("module load intelmpi\nexport OMPI_MCA_mtl_base_verbose=1\nsrun ./a.out", {PMI}),
        ("module load openmpi\nexport I_MPI_DEBUG=5 MPICH_GPU_SUPPORT_ENABLED=1\nsrun ./a.out", {PMIX}),
        ("export OMPI_MCA_btl=self\nsrun ./a.out", {PMIX}),
        ("export I_MPI_DEBUG=5\nsrun ./a.out", {PMI}),
        ("export I_MPI_DEBUG=5 OMPI_MCA_btl=self\nsrun ./a.out", {PMI, PMIX}),
        # A compiler of MPI has the one that is named beside it.
        ("module load openmpi\nmpicc a.c\nsrun ./a.out", {PMIX}),
        ("module load ParaStationMPI mpi4py\nsrun python a.py", {PMI}),
        ("mpicc a.c\nsrun ./a.out", {PMI, PMIX}),
        # A comment says nothing.
        ("module load openmpi\n# module load mpich\nsrun ./a.out # or intelmpi", {PMIX}),
        ("# try srun --mpi=pmi2\nmodule load openmpi\nsrun ./a.out", {PMIX}),
        ("module load openmpi\n[ $OLD ] && module load mpich\nsrun ./a.out", {PMI, PMIX}),
    ],
)
def test_which_mpi_a_text_speaks_of(text: str, found: set[str]) -> None:
    assert ways(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("module load openmpi\nsrun ./a.out", True),
        ("module load openmpi\nsrun --mpi=pmi2 ./a.out\nsrun ./a.out", False),
        ("mpicc a.c\nsrun ./a.out", False),
        ("srun --mpi=pmix ./a.out", False),
        ("srun ./a.out", False),
    ],
)
def test_programs_of_an_mpi_that_is_not_served_are_ended_where_the_text_leaves_it_open(text: str, told: bool) -> None:
    assert ("no_pmi" in features(unit(f"#!/bin/bash\n{text}\n").job, 1)) == told
