"""Names that the parts of the compiler must spell alike."""

from __future__ import annotations

# Where a job runs that says nothing else.
WORKSPACE = "/workspace"


def variable_name(text: str) -> str:
    """The variable under which a secret of this name is delivered: what no shell takes for a name becomes `_`."""
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in text)
    return f"_{name}" if name[:1].isdigit() else name
