"""The slurm frontend: batch scripts as sbatch reads them.

`words` finds the directive lines, splits them and matches options against the table of `data/slurm_options.yaml`;
`values` judges the value of each, `rules` applies what sbatch does between them, `faults` words what is refused; `read`
runs them all and gives an `ast.Ast`. `lint` warns of what sbatch would take in silence. `lowering` gives jobs.
"""

from __future__ import annotations

from flowc.frontends.base import Frontend
from flowc.frontends.slurm.ast import document
from flowc.frontends.slurm.lowering.lower import lower
from flowc.frontends.slurm.read import read

FRONTEND = Frontend(read=read, ast=document, lower=lower)
