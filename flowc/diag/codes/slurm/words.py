"""FC819: words of Slurm's programs that the machine's own do not take."""

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
