"""FC835 to FC837, FC859: MPI that does not start on the machines of a job."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
_TWO = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10\n"

MPI_NOT_SERVED = Code(
    id="FC835",
    name="mpi-not-served",
    severity="warning",
    title="`srun` on the machine does not serve MPI by `{type}`: the step fails there",
    explain="""\
By `--mpi` (or SLURM_MPI_TYPE) `srun` is told how the tasks of an MPI program find each other. The machine's `srun`
serves PMI-1 and PMI-2 as Slurm's `pmi2` does, which MPICH, Intel MPI and what is made of them speak, and PMIx
(`pmix`), which Open MPI speaks; with `none` the tasks find each other in another way, or not at all. For any other
type such a step ends with "Invalid MPI type" and status 1, as under a Slurm that has no plugin for it. Otherwise each
task of an MPI program would take itself for the only one.

Start programs of Open MPI with `srun --mpi=pmix` or its `mpirun`, those of MPICH and Intel MPI with `srun --mpi=pmi2`
or their `mpiexec`. Leave the option out where the program is none of MPI: `torchrun` and PyTorch's own launchers need
nothing of it.""",
    bad=_HEAD + "srun --mpi=cray_shasta -n4 ./solve\n",
    good=_HEAD + "srun --mpi=pmi2 -n4 ./solve\n",
)

MPI_ON_ONE_MACHINE = Code(
    id="FC836",
    name="mpi-on-one-machine",
    severity="warning",
    title="`{package}` is installed on the first of {nodes} machines, and MPI's launcher needs it on all",
    explain="""\
A batch script runs on the first machine of a job. What it installs is on the disk of that machine alone, where a
cluster's nodes share theirs. A launcher such as `mpirun` starts its own daemon on each machine, and the program there
needs the same libraries. Without them it fails with "An ORTE daemon has unexpectedly failed" or "execve: No such file".

Install it by a step with one task for each machine: `srun --ntasks-per-node=1 apt-get install -y openmpi-bin`.""",
    bad=(_TWO + "apt-get install -y openmpi-bin\nmpirun ./solve\n", ("--budget", "99")),
    good=(
        _TWO + "srun -N2 --ntasks-per-node=1 apt-get install -y openmpi-bin\nmpirun ./solve\n",
        ("--budget", "99"),
    ),
)

PMIX_WITHOUT_LIBRARY = Code(
    id="FC837",
    name="pmix-without-library",
    severity="warning",
    kind="lacking",
    title="`srun --mpi={type}` needs the library of PMIx on each machine, and nothing in the job brings it",
    explain="""\
With `--mpi=pmix` (or SLURM_MPI_TYPE) `srun` serves the tasks of Open MPI by PMIx's own library, `libpmix.so.2`. It
takes the one that the program's Open MPI brings along (looked for beside the program, beside `mpirun`, in
LD_LIBRARY_PATH and PATH), else the machine's. Open MPI of Ubuntu, of conda and of PyPI have it; a fresh machine,
and one that starts the program in a container, do not. Without it the step ends with an error that names the
package, and status 1.

Install `libpmix2`, or Open MPI itself, in the script or in `setup`; on several machines by a step with one task on
each.""",
    bad=_HEAD + "srun --mpi=pmix -n4 ./solve\n",
    good=_HEAD + "apt-get install -y openmpi-bin\nsrun --mpi=pmix -n4 ./solve\n",
)

PMI_WITHOUT_ROOM = Code(
    id="FC859",
    name="pmi-without-room",
    severity="warning",
    title="the startup script has no room for PMI beside PMIx: programs of MPICH and Intel MPI that `srun` starts fail",
    explain="""\
The text does not say which MPI its programs have, or names several. Those of Open MPI find each other by PMIx, those of
MPICH, MVAPICH and Intel MPI by PMI, and a startup script of 10,000 characters does not hold both here. It has PMIx,
which Ubuntu's MPI and most modules speak. A program of another MPI ends with an error in MPI_Init as soon as a step of
several tasks starts it; none takes itself for the only one. Programs without MPI are as they were.

Nothing to do where the MPI is Open MPI, or where only PyTorch, NCCL and the like are used. Else name the MPI
(`module load mpich`, `apt-get install -y mpich`), which makes room, start it by its own `mpirun`, or use
`flowc submit`, which sends over SSH what does not fit.""",
    bad=lambda: (f"{_TWO}srun -n4 python -m mpi4py run.py {3**3000:x}\n", ("--budget", "99")),
    good=lambda: (f"{_TWO}module load openmpi\nsrun -n4 python -m mpi4py run.py {3**3000:x}\n", ("--budget", "99")),
)
