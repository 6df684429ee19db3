"""What a backend is: a target that plans are emitted for."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.backends.artifacts import Artifact
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def checks_nothing(units: list[Unit], sink: Sink) -> None:
    """The `check` of a target that can express all there is, the `measure` of one without limits."""


def says_nothing(sink: Sink) -> None:
    """The `alone` of a target that asks for nothing that is paid."""


class Backend(Record):
    """What is done with the units of one source, in this order.

    `reach(units, sink)` reports, before a machine is looked for, where the target cannot run. Of planned units
    `check(units, sink)` reports what the target cannot express. `emit(units, sink, taken)` gives the artifacts, the
    printed one first, and reports which of them are too large; `taken` are the names that requests of this compilation
    have, to which it adds its own. `measure(units, sink)` does so in its place where nobody wants the artifacts.
    `alone(sink)` says, once of a compilation, what holds where nobody submits the artifacts."""

    check: Callable[[list[Unit], Sink], None]
    emit: Callable[[list[Unit], Sink, set[str]], list[Artifact]]
    measure: Callable[[list[Unit], Sink], None] = checks_nothing
    reach: Callable[[list[Unit], Sink], None] = checks_nothing
    alone: Callable[[Sink], None] = says_nothing
