"""FC160-FC169: what is odd about the commands of a batch script (reported after reading)."""

from __future__ import annotations

from flowc.diag.code import Code

_FRONT = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=1:00:00\n"

IDLE_SCRIPT = Code(
    id="FC160",
    name="idle-script",
    severity="warning",
    title="the script runs no command: {what}",
    explain="""\
A batch script is the work itself: the commands below the directives. Without any the job ends as soon as it has
started, and the machines that were rented for it have done nothing.

Write the command below the directives. Lines that begin with `#` are comments, and settings alone (`export`, `cd`,
`module load`) do no work.""",
    bad=_FRONT + "module load cuda\nexport WANDB_MODE=offline\n",
    good=_FRONT + "module load cuda\nexport WANDB_MODE=offline\npython train.py\n",
)

BACKGROUND_AT_END = Code(
    id="FC161",
    name="background-at-end",
    severity="warning",
    title="the script ends while its last command runs in the background: the job ends with it",
    explain="""\
A job is over when its batch script is, and what still runs then is killed. After `python train.py &` the script goes on
at once: with no `wait` behind it the training is killed when it has hardly begun.

Write `wait` as the last line, or take the `&` away.""",
    bad=_FRONT + "python train.py &\n",
    good=_FRONT + "python train.py &\nwait\n",
)

SITE_VARIABLE = Code(
    id="FC162",
    name="site-variable",
    severity="warning",
    kind="lacking",
    title="`{variable}` is set by some clusters, and by nothing here",
    explain="""\
Some clusters give each job a folder of its own and name it by a variable: `SLURM_TMPDIR`, `SCRATCH`, `WORK`. Slurm does
not set these. On a rented machine they stay empty, and `$SCRATCH/data` becomes `/data` in silence.

Set it at the top of the script, to a new folder or to where a volume is mounted, or write a default:
`${SLURM_TMPDIR:-/tmp}`.""",
    bad=_FRONT + 'cp -r data "$SLURM_TMPDIR"\npython train.py\n',
    good=_FRONT + 'export SLURM_TMPDIR=$(mktemp -d)\ncp -r data "$SLURM_TMPDIR"\npython train.py\n',
)

GLUED_VARIABLE = Code(
    id="FC163",
    name="glued-variable",
    severity="warning",
    title="`{written}` is a variable of its own, which nothing sets: `{meant}` is the one of Slurm",
    explain="""\
A variable's name goes on as far as there are letters, digits and underscores: `$SLURM_ARRAY_JOB_ID_3.log` is the value
of `SLURM_ARRAY_JOB_ID_3`, which is empty, and `.log`. All tasks of an array then write the same file.

Write braces around the name: `${SLURM_ARRAY_JOB_ID}_3.log`.""",
    bad=_FRONT + "python train.py > out_$SLURM_JOB_ID_a.log\n",
    good=_FRONT + "python train.py > out_${SLURM_JOB_ID}_a.log\n",
)
