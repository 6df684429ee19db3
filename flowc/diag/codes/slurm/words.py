"""FC819, FC830-FC832: words and variables of Slurm's programs of which the machine's own make nothing."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"

SLURM_WORD_NOT_TAKEN = Code(
    id="FC819",
    name="slurm-word-not-taken",
    severity="warning",
    title="`{program}` on the machine does not take `{word}`: the call fails there",
    explain="""\
The startup script brings small programs in the place of Slurm's, which do what a job asks of its own machines. An
option that they do not know (be it misspelt, or one that needs a whole cluster, such as `srun --bcast` or
`squeue --start`) ends the call with a message and a status that is not 0; so does what `scontrol` cannot do here, such
as `update`. With `set -e` that is the end of the job, on a machine that costs money.

Correct the word or leave it out. docs/machine.md lists what the programs do. Words that variables give are not looked
at.""",
    bad=_HEAD + "srun --ntaks=2 python train.py\n",
    good=_HEAD + "srun --ntasks=2 python train.py\n",
)

SLURM_WORD_NOT_FOLLOWED = Code(
    id="FC830",
    name="slurm-word-not-followed",
    severity="note",
    title="`{program}` on the machine takes `{word}`, but {says}",
    explain="""\
The startup script brings small programs in the place of Slurm's. A few of their options they take without doing what
these ask for, since that needs the cluster's own daemons: choosing CPUs by their numbers, ports that are set aside,
tasks that are packed on few nodes. Of others they take values that Slurm refuses, such as a type of GPU that no node
has (`--gpus=gpu:1` names one: `gpu`). The
job runs, but not as it says; what it computes may depend on it. The same holds for a variable that stands for such an
option.

Leave it out where nothing depends on it. Otherwise do it in the job: `taskset -c` chooses CPUs, for example.""",
    bad=_HEAD + "srun -n2 --cpu-bind=map_cpu:0,8 python train.py\n",
    good=_HEAD + "srun -n2 --cpu-bind=cores python train.py\n",
)

SLURM_VARIABLE_NOT_SET = Code(
    id="FC831",
    name="slurm-variable-not-set",
    severity="note",
    title="`{word}` is empty on the machine: {says}",
    explain="""\
Slurm gives a job's tasks some variables about the cluster itself, such as its switches and the ports of its daemons. A
rented machine has nothing that they could say, so they are not set, and with `set -u` reading one ends the script.

Give the variable a default (`${SLURM_JOB_PARTITION:-main}`), or set it. What only shows it (`echo`) is not looked
at.""",
    bad=_HEAD + "srun python train.py --switch $SLURM_TOPOLOGY_ADDR\n",
    good=_HEAD + "srun python train.py --switch ${SLURM_TOPOLOGY_ADDR:-none}\n",
)

SLURM_VARIABLE_NOT_READ = Code(
    id="FC832",
    name="slurm-variable-not-read",
    severity="warning",
    title="`{program}` on the machine does not read `{word}`: what it asks for is not done",
    explain="""\
Slurm's programs take many of their options from variables too. This one stands for an option that the small programs in
their place refuse, such as `srun --task-prolog`. A variable does not end the call, so the job would go on without what
it asks for.

Do it in the job's text: a program that each task is to start with, for example, stands before the task's own program in
`srun`'s line.""",
    bad=_HEAD + "export SLURM_TASK_PROLOG=$HOME/prolog.sh\nsrun python train.py\n",
    good=_HEAD + "srun bash -c '. ./prolog.sh; exec python train.py'\n",
)
