"""FC196, FC197: scripts for clusters that give whole nodes."""

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

_STEP = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:4 -t 10\nsrun --gpus-per-node=8 python train.py\n"

GPUS_NOT_ASKED = Code(
    id="FC197",
    name="gpus-not-asked",
    severity="warning",
    title="`{word}` asks for more GPUs of a node than the job, which asks for {has}: the step fails",
    explain="""\
A step can have GPUs that its job has. Some clusters give each job whole nodes, with all their GPUs, whatever it asks
for; a script for these asks for nodes alone and names GPUs in its steps. Others, and flowc, give a job the GPUs that it
asks for, and `srun` ends with "Invalid generic resource (gres) specification" where a step asks for more, on a machine
that is paid.

Ask for them in the job's own options: `#SBATCH --gpus-per-node=8`.""",
    bad=(_STEP, ("--instance-type=8xh100",)),
    good=_STEP.replace("h100:4", "h100:8"),
)
