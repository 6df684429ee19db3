"""FC09x: which format a source is in."""

from __future__ import annotations

from flowc.diag.code import Code

UNKNOWN_FORMAT = Code(
    id="FC090",
    name="unknown-format",
    severity="error",
    title="`{path}` is in no format that flowc reads",
    explain="""\
The format is taken from the file's suffix (.sbatch, .slurm, .sh, …) and, failing that, from its content: a `#!` line or
an `#SBATCH` directive makes it a batch script. Neither was found, and flowc does not guess.

Name the format with `--from`, or give the file its usual suffix.""",
    bad="nodes: 2\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\ntrue\n",
    path="job.txt",
)
