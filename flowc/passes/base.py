"""What a pass is: a function over units, and the promise that it leaves behind."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.catalog.model import Catalog
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.budget import Cost


class Context(Record):
    """What passes may consult besides the unit. `before`: what the sources may cost that are compiled together with
    this one, as far as they came before it."""

    catalog: Catalog
    before: tuple[Cost, ...] = ()


class Pass(Record):
    """`run` returns a new unit and reports to the sink; a second run on its result changes nothing.
    `ensures` raises AssertionError when what the pass promises does not hold; it is called when no error was
    reported. `in_all` reports what only all units of a source show together, after `run` has seen each."""

    name: str
    run: Callable[[Unit, Context, Sink], Unit]
    ensures: Callable[[Unit], None]
    in_all: Callable[[list[Unit], Context, Sink], None] | None = None
