"""FC40x: what was named on the command line and cannot be read."""

from __future__ import annotations

from flowc.diag.code import Code

UNREADABLE_SOURCE = Code(
    id="FC400",
    name="unreadable-source",
    severity="error",
    title="cannot read `{path}`: {reason}",
    explain="""\
The file could not be opened or read, so nothing is known about the job in it. The other files of the same command are
still compiled or checked; the exit status is 4.

Check the path's spelling and permissions. `flowc check` takes folders, `flowc compile` takes files; `-` is standard
input.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("no-such-folder/job.sbatch",)),
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
)
