"""FC45x: job flags of the command line whose values cannot be used."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = ("#!/bin/bash\n#SBATCH --gpus=h100:8\nnvidia-smi\n", ("--time", "1h30m", "--priority", "low"))

FLAG_VALUE = Code(
    id="FC450",
    name="flag-value",
    severity="error",
    title="`{flag}` got `{value}`, expected {expected}",
    explain="""\
A job flag on flowc's command line wins over the file, so its value is checked like one that stands in the file.

Prices and budgets are US dollars: `12.50`. Durations are `90` (minutes), `1:30:00`, `1-12:00` as for sbatch, or
numbers with units: `1h30m`, `2d`. Variables are `NAME=VALUE`.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("--time", "soon")),
    good=_GOOD,
)

ENV_SECRET = Code(
    id="FC451",
    name="env-secret",
    severity="warning",
    title="`{name}` looks like a secret and would be readable by everybody in the project",
    explain="""\
A startup script is stored with the bid, and all members of the provider's project can read it, variables included.

Do not pass secrets with `--env`. Let the job fetch them when it runs, or log in to the service on the machine.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("--env", "API_TOKEN=abc")),
    good=_GOOD,
)
