"""The foundry-yaml frontend: task files of the Foundry tool, v1.2, as their document says.

`read` checks a file against data/foundry_fields.yaml and the rules between fields, `ports` reads its forms of ports,
`lower` gives the job.
"""

from __future__ import annotations

from flowc.frontends.base import Frontend
from flowc.frontends.foundry.lower import lower
from flowc.frontends.foundry.read import document, read

FRONTEND = Frontend(read=read, ast=document, lower=lower)
