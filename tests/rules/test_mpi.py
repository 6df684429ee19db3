"""MPI that does not start on the machines is told; what its launchers and `srun --mpi` need is brought."""

from __future__ import annotations

import pytest

import flowc
from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.source import Source

ONE = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=10\n"
TWO = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10\n"


def told(body: str, code: str, head: str = TWO) -> list[str]:
    found = flowc.check(Source("job.sbatch", head + body), Inputs(flags=Flags(budget="99"))).diagnostics
    return [each.span.text for each in found if each.code.name == code and each.span is not None]


def script(body: str, head: str = ONE, *commands: str) -> str:
    flags = Flags(budget="99", with_commands=commands)
    result = driver.compile(Source("job.sbatch", head + body), Inputs(flags=flags))
    return next(each.text for each in result.artifacts if each.name.endswith("startup.plain.sh"))


TYPES = {
    "srun --mpi=pmix ./a\nsrun --mpi=pmix_v3 ./a\n": [],
    "srun -n4 --mpi pmix_v1 ./a\n": ["pmix_v1"],
    "export SLURM_MPI_TYPE=lam\nsrun ./a\n": ["lam"],
    "srun --mpi=pmi2 ./a\nsrun --mpi='cray_shasta' ./a\n": ["cray_shasta"],
    "srun bash -c 'srun --overlap --mpi=pmi1 ./a'\n": ["pmi1"],
    "srun --mpi=none ./a\nsrun --mpi=pmi2 ./b\nsrun --mpi=openmpi ./c\nsrun --mpi=list\n": [],
    "srun --mpi=$KIND ./a\n": [],
    "# srun --mpi=pmix ./a\nsrun ./a\n": [],
    "srun python train.py --mpirun=pmix\n": [],
}


@pytest.mark.parametrize("body", TYPES)
def test_type_that_is_not_served(body: str) -> None:
    assert told(body, "mpi-not-served") == TYPES[body]


WITHOUT = {
    "srun --mpi=pmix ./a\n": ["pmix"],
    "srun -n4 --mpi pmix_v4 ./a\n": ["pmix_v4"],
    "export SLURM_MPI_TYPE=pmix\nsrun ./a\n": ["pmix"],
    "module load openmpi/4.1\nsrun --mpi=pmix ./a\nsrun --mpi=pmix_v3 ./b\n": ["pmix"],
    "# apt-get install openmpi-bin\nsrun --mpi=pmix ./a\n": ["pmix"],
    "srun --container-image=ubuntu:24.04 --mpi=pmix ./a\n": ["pmix"],
    "apt-get install -y openmpi-bin\nsrun --mpi=pmix ./a\n": [],
    "srun --ntasks-per-node=1 apt-get install -y libpmix2\nsrun --mpi=pmix ./a\n": [],
    "conda create -y -n x -c conda-forge openmpi\nsrun --mpi=pmix ./a\n": [],
    "source env/bin/activate\nsrun --mpi=pmix python a.py\n": [],
    "export PATH=/data/openmpi/bin:$PATH\nsrun --mpi=pmix ./a\n": [],
    "srun --mpi=pmix /data/openmpi-5/bin/a\n": [],
    "# srun --mpi=pmix ./a\nsrun --mpi=pmi2 ./a\n": [],
}


@pytest.mark.parametrize("body", WITHOUT)
def test_pmix_without_its_library(body: str) -> None:
    assert told(body, "pmix-without-library") == WITHOUT[body]
    assert told(body, "mpi-not-served") == []


ALONE = {
    "apt-get install -y openmpi-bin\nmpirun ./a\n": ["openmpi"],
    "sudo apt -y install libopenmpi-dev build-essential\nmpirun ./a\n": ["libopenmpi"],
    "pip install mpi4py mpich\nmpiexec -n 4 python a.py\n": ["mpich"],
    "srun --ntasks-per-node=1 apt-get install -y openmpi-bin\nmpirun ./a\n": [],
    "apt-get install -y openmpi-bin\nsrun ./a\n": [],
    "# apt-get install openmpi-bin\nmodule load openmpi\nmpirun ./a\n": [],
    "apt-get install -y cmake\nmodule load mpich\nmpirun ./a\n": [],
}


@pytest.mark.parametrize("body", ALONE)
def test_library_on_one_of_several_machines(body: str) -> None:
    assert told(body, "mpi-on-one-machine") == ALONE[body]
    assert told(body, "mpi-on-one-machine", ONE) == []


def test_advice_installs_on_all_machines() -> None:
    def help(head: str, body: str) -> str | None:
        found = flowc.check(Source("job.sbatch", head + body), Inputs(flags=Flags(budget="99"))).diagnostics
        return next(each.help for each in found if each.code.name == "command-missing")

    step = "`srun --ntasks-per-node=1 apt-get install -y openmpi-bin libopenmpi-dev` in the script brings Ubuntu's own"
    assert help(TWO, "mpirun ./a\n") == step
    assert help(ONE, "mpirun ./a\n") == step.replace("srun --ntasks-per-node=1 ", "")
    assert "install -y mpich`" in str(help(TWO, "mpiexec.mpich -n 8 ./a\n"))
    advice = "srun --ntasks-per-node=1 apt-get install -y openmpi-bin libopenmpi-dev\nmpirun ./a\n"
    assert told(advice, "command-missing") == told(advice, "mpi-on-one-machine") == []


LAUNCHERS = (
    "mpirun",
    "mpiexec",
    "orterun",
    "prterun",
    "mpiexec.mpich",
    "mpirun.mpich",
    "mpiexec.hydra",
    "mpirun.openmpi",
)


@pytest.mark.parametrize("name", LAUNCHERS)
@pytest.mark.parametrize("head", [ONE, TWO], ids=["one", "two"])
def test_launchers_find_srun(name: str, head: str) -> None:
    text = script(f"{name} -n 8 ./a\n", head)
    for option in (
        "i=input",
        "-=mpi",
        "w=nodelist",
        "K?kill-on-bad-exit",
        "-=cpu-bind",
        "V.version",
        "-.external-launcher",
    ):
        assert option in text, option
    assert "OMPI_ALLOW_RUN_AS_ROOT=1" in text
    assert ("plm_rsh_agent=agent_rsh" in text) == (head == TWO)
    assert told(f"{name} -n 8 ./a\n", "nodes-not-joined") == []


def test_launchers_by_ssh_get_something_in_its_place() -> None:
    assert "HYDRA_LAUNCHER_EXEC" not in script("mpirun ./a\n", TWO)
    for body in ("export I_MPI_HYDRA_BOOTSTRAP=ssh\nmpirun ./a\n", "mpiexec -launcher ssh -n 4 ./a\n"):
        text = script(body, TWO)
        assert "HYDRA_LAUNCHER_EXEC=agent_rsh" in text
        assert "I_MPI_HYDRA_BOOTSTRAP_EXEC=agent_rsh" in text


def test_server_is_brought_where_it_is_asked_for() -> None:
    served = "kvs-fence"
    for body in ("srun --mpi=pmi2 ./a\n", "export SLURM_MPI_TYPE=pmi2\nsrun ./a\n", 'srun --mpi="$KIND" ./a\n'):
        assert served in script(body), body
    for body in (
        "srun ./a\n",
        "srun --mpi=none ./a\n",
        "srun --mpi=pmix ./a\n",
        "mpirun -n 4 ./a\n",
        "srun ./compile\n",
    ):
        assert served not in script(body), body
    served = "PMIx_server_init"
    for body in (
        "srun --mpi=pmix ./a\n",
        'srun --mpi="$KIND" ./a\n',
        "export SLURM_MPI_TYPE=pmix_v4\nsrun ./a\n",
        "module load openmpi\nsrun --mpi=pmi2 ./a\n",
        "module load openmpi\nsrun ./a\n",
        "srun python -c 'import mpi4py'\n",
    ):
        assert served in script(body), body
    mpich = "pip install mpich mpi4py\nsrun python a.py\n"
    for body in ("srun ./a\n", "srun --mpi=pmi2 ./a\n", "mpirun ./a\n", "module load mpich\nsrun ./a\n", mpich):
        assert served not in script(body), body


def test_default_follows_the_library_that_the_text_names() -> None:
    for body in ("module load mpich\nsrun ./a\n", "mpicc -o a a.c\nsrun ./a\n", "module load impi/2021\nsrun ./a\n"):
        assert '"pmi2"' in script(body), body
    for body in ("module load openmpi\nsrun ./a\n", "srun ./a --import x\n", "mpirun ./a  # by mpich\n"):
        assert "kvs-fence" not in script(body), body
    for body in ("module load openmpi\nsrun ./a\n", "conda activate ompi5\nsrun python a.py\n"):
        assert '"pmix"if' in script(body), body
    # Nobody knows which: both.
    for body in ("mpicc -o a a.c\nsrun ./a\n", "srun python -m mpi4py a.py\n"):
        assert '"pmi2"' in script(body), body
        assert "PMIx_server_init" in script(body), body
