"""The skypilot frontend: task files of SkyPilot, upstream's and those of Mithril's fork (the `ml` command).

`read` checks the documents against data/skypilot_fields.yaml; `accelerators`, `places`, `sizes` and `storage` read the
values that have a form of their own; `resources` puts alternatives together; `lower` gives the jobs.
"""

from __future__ import annotations

from flowc.frontends.base import Frontend
from flowc.frontends.skypilot.lower import lower
from flowc.frontends.skypilot.read import document, read

FRONTEND = Frontend(read=read, ast=document, lower=lower)
