"""Names that the parts of the compiler must spell alike."""

from __future__ import annotations

# Where a job runs that says nothing else.
WORKSPACE = "/workspace"
# A folder that the machine makes for containers that mount it: its `ssh` starts a command in the job's container on
# another of its machines, its `sshd` stands where the image has one, and says that this one is ready for that.
PEERS = "/run/flowc/peers"


def variable_name(text: str) -> str:
    """The variable under which a secret of this name is delivered: what no shell takes for a name becomes `_`."""
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in text)
    return f"_{name}" if name[:1].isdigit() else name
