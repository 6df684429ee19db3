"""The slurm frontend: batch scripts as sbatch reads them.

`scan` finds the directive lines, `tokens` splits them, `getopt` matches options against the table of
`data/slurm_options.yaml`, `values` judges their values, `rules` applies what sbatch does between options; `read` runs
them all and gives an `ast.Ast`. `lint` warns of what sbatch would take in silence. `lower` gives jobs.
"""

from __future__ import annotations

from flowc.frontends.base import Frontend
from flowc.frontends.slurm.ast import document
from flowc.frontends.slurm.lower import lower
from flowc.frontends.slurm.read import read

FRONTEND = Frontend(read=read, ast=document, lower=lower)
