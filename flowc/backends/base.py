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


class LazyArtifact(Artifact):
    """An artifact whose text is made when it is first read: for what costs much and is seldom looked at."""

    def __init__(self, name: str, make: Callable[[], str]) -> None:
        self.__dict__.update(name=name, make=make)

    def __getattr__(self, field: str) -> str:
        if field != "text":
            raise AttributeError(field)
        text: str = self.__dict__["make"]()
        self.__dict__["text"] = text
        return text


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
