"""FC140 and FC150: the files that sbatch writes, of which most scripts name one."""

from __future__ import annotations

from flowc.diag.code import Code


def _job(output: str) -> str:
    return f"#!/bin/bash\n#SBATCH --gpus=h100:8\n#SBATCH --time=1:00:00\n#SBATCH --output={output}\nhostname\n"


OUTPUT_DIRECTORY = Code(
    id="FC140",
    name="output-directory",
    severity="note",
    kind="placing",
    title="`{directory}` is created here; Slurm does not create it, and there the job fails when it is missing",
    explain="""\
Slurm opens the output file before the script starts and does not create its directory: without it the job fails with no
output at all. flowc creates the directory, so the same script may work here and fail there.

Nothing to do here. On a cluster create the directory before submitting.""",
    bad=_job("logs/%j.out"),
    good=_job("%j.out"),
)
NOT_EXPANDED = Code(
    id="FC150",
    name="not-expanded",
    severity="warning",
    title="`{text}` is not expanded in a directive",
    explain="""\
sbatch expands nothing in directives: neither variables, nor `~`, nor commands. The text stays as it is:
`--output=~/x.log` writes into a directory called `~`. Only `%` patterns of file names (`%j`, `%x`) are replaced.

Write the value itself, or give the option on sbatch's command line, where the shell expands it.""",
    bad=_job("$HOME/x.log"),
    good=_job("x-%j.log"),
)
