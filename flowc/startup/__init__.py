"""The startup script: what a machine runs on its first boot to become the job's node.

`build` renders the sections that a job needs and packs them into the provider's limit. Everything that the
user wrote reaches the script quoted, or in the here-document of the body.
"""

from __future__ import annotations

from flowc.startup.identity import job_id, task_id
from flowc.startup.script import Startup, build
from flowc.startup.sizes import Part, parts, size_table

__all__ = ["Part", "Startup", "build", "job_id", "parts", "size_table", "task_id"]
