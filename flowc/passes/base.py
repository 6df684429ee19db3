"""What a pass is: a function over units, and the promise that it leaves behind."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.catalog.model import Catalog
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


class Context(Record):
    """What passes may consult besides the unit."""

    catalog: Catalog


class Pass(Record):
    """`run` returns a new unit and reports to the sink; a second run on its result changes nothing.
    `ensures` raises AssertionError when what the pass promises does not hold; it is called when no error was
    reported."""

    name: str
    run: Callable[[Unit, Context, Sink], Unit]
    ensures: Callable[[Unit], None]
