"""FC192: scripts that mean something else under another release of Slurm."""

from __future__ import annotations

from flowc.diag.code import Code

_BODY = "for i in 1 2 3 4; do\n    srun -n1 ./part $i &\ndone\nwait\n"

RELEASES_DIFFER = Code(
    id="FC192",
    name="releases-differ",
    severity="warning",
    title="before Slurm {since} {before}; since then {after}",
    explain="""\
What a script does depends on the release of Slurm that runs it: with the same text, 22.05 and 26.05 start other numbers
of tasks at a time, give them other CPUs or GPUs, or refuse to start them. Without a word about it flowc does what 22.05
does. This script is one of the few for which that makes a difference.

Say which release it was written for: `--slurm-version 23.11` on the command line, or `slurm_version = "23.11"` in
`.flowc.toml` (in `[tool.flowc]` of a `pyproject.toml`) for all scripts of a tree; `srun --version` on the cluster
tells. The job's srun, its variables and its layout are those of that release then. Or write what all releases read
alike, such as `--exact` and `--cpus-per-task` on the lines of srun.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 -t 10 -N 1 -n 4 --cpus-per-task=2\n" + _BODY,
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 -t 10 -N 1 -n 4 --cpus-per-task=2\n"
    + _BODY.replace("srun", "srun --exact -c2"),
)
