"""FC09x: which format a source is in."""

from __future__ import annotations

from flowc.diag.code import Code

UNKNOWN_FORMAT = Code(
    id="FC090",
    name="unknown-format",
    severity="error",
    title="`{path}` is in no format that flowc reads",
    explain="""\
The format is taken from the file's suffix (.sbatch, .slurm, .sh, …) and from its content: a `#!` line or an `#SBATCH`
directive makes it a batch script, the keys at the top of a YAML file (`apiVersion`, `resources`, `instance_type`,
`task_management`, …) make it one of the formats in YAML. Nothing of the kind was found, and flowc does not guess.

Name the format with `--from`, or give the file its usual suffix.""",
    bad="nodes: 2\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\ntrue\n",
    path="job.txt",
)

TWO_FORMATS = Code(
    id="FC091",
    name="two-formats",
    severity="error",
    title="the file has signs of {formats}",
    explain="""\
Each format has keys at the top of a document that no other has, and this file has keys of two. Read as either of them,
the keys of the other would be lost or mean something else.

Take out what belongs to the other format, or name the format with `--from`; keys that it does not know are errors
then.""",
    bad="instance_type: 8xh100\ncommand: python train.py\nnum_nodes: 2\n",
    good="instance_type: 8xh100\ncommand: python train.py\nnum_instances: 2\n",
    path="job.yaml",
)
