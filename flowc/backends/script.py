"""The target `script`: the startup script as a person reads it, with the bytes that each part takes of what
is sent."""

from __future__ import annotations

from flowc.backends.artifacts import Artifact
from flowc.backends.base import Backend, checks_nothing
from flowc.scripts import build, size_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def emit(units: list[Unit], sink: Sink, taken: set[str]) -> list[Artifact]:
    """A script for each unit. Of an array it is the first task's; the others differ in index and job id."""
    found = []
    for place, unit in enumerate(units):
        array = unit.job.array
        startup = build(unit, index=array.indices[0] if array else None)
        notes = f"\n{size_table(startup)}"
        if array and len(array.indices) > 1:
            notes = f"\nindex {array.indices[0]} of an array of {len(array.indices)}\n{notes.lstrip()}"
        comment = notes.rstrip().replace("\n", "\n# ")
        number = f"-{place}" if place else ""
        found.append(Artifact(name=f"startup{number}.plain.sh", text=f"{startup.plain}{comment}\n"))
    return found


BACKEND = Backend(check=checks_nothing, emit=emit)
