"""What a backend is: a target that plans are emitted for."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


class Artifact(Record):
    """One thing that was emitted: `name` is its file name below `-o DIR`, `text` its content."""

    name: str
    text: str


class Backend(Record):
    """`emit(units, sink)` gives the artifacts of the planned units of one source, the printed one first."""

    emit: Callable[[list[Unit], Sink], list[Artifact]]
