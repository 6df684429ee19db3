"""FC196: scripts for clusters that give whole nodes."""

from __future__ import annotations

from flowc.diag.code import Code

_SCRIPT = "#!/bin/bash\n#SBATCH --nodes=1 -t 10\nexport OMP_NUM_THREADS=$SLURM_CPUS_ON_NODE\nsrun hostname\n"

CPUS_NOT_ASKED = Code(
    id="FC196",
    name="cpus-not-asked",
    severity="warning",
    title="{what}: nothing asks for tasks or CPUs, which is one CPU of each machine",
    explain="""\
Some clusters give each job whole nodes, with all their CPUs, whatever it asks for. Others, and flowc, give it the tasks
and CPUs that it asks for, and one CPU of each node where it asks for nodes alone. A script for the former that takes
its number of threads from `SLURM_CPUS_ON_NODE`, or lets `mpirun` start as many processes as there is room for, does its
work on one CPU of a machine that is paid as a whole.

Ask for what it uses: `#SBATCH --exclusive` for whole machines, or `--ntasks-per-node` and `--cpus-per-task`.""",
    bad=(_SCRIPT, ("--instance-type=8xh100",)),
    good=(_SCRIPT.replace("-t 10", "-t 10 --exclusive"), ("--instance-type=8xh100",)),
)
