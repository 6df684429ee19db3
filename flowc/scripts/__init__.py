"""The startup script: what a machine runs on its first boot to become the job's node.

`build` renders the sections that a job needs and packs them into the provider's limit. Everything that the user wrote
reaches the script quoted, or in the here-document of the body.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.scripts.drafts import Draft, Drafts, Startup, build
    from flowc.scripts.identity import job_id, task_id
    from flowc.scripts.packing.sizes import Part, parts, size_table

__all__ = ["Draft", "Drafts", "Part", "Startup", "build", "job_id", "parts", "size_table", "task_id"]

# A check reads a job's text for missing commands and builds no script: what builds one is imported when it is named.
_HOMES = {
    "Draft": "drafts",
    "Drafts": "drafts",
    "Part": "packing.sizes",
    "Startup": "drafts",
    "build": "drafts",
    "job_id": "identity",
    "parts": "packing.sizes",
    "size_table": "packing.sizes",
    "task_id": "identity",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        found = globals()[name] = getattr(__import__(f"flowc.scripts.{_HOMES[name]}", fromlist=[name]), name)
        return found
    raise AttributeError(f"module 'flowc.scripts' has no attribute {name!r}")
