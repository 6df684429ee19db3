"""Runs the passes in order over the units of one source, and verifies what each of them leaves behind."""

from __future__ import annotations

from flowc.ir.verify import verify
from flowc.passes import PASSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context


def run(units: list[Unit], context: Context, sink: Sink) -> list[Unit]:
    """The units after the last pass that could run: a pass that reports errors is the last one.

    Raises InternalError when a pass breaks an invariant: that is our mistake, never the user's.
    """
    sound: list[Unit | None] = [None] * len(units)
    for each in PASSES:
        done = []
        for index, unit in enumerate(units):
            sink.turn_to(index)
            done.append(each.run(unit, context, sink))
        units = done
        sink.turn_to(None)
        if each.in_all is not None:
            each.in_all(units, context, sink)
        if sink.broken:
            break
        for unit, before in zip(units, sound, strict=True):
            verify(unit, after=each.name, before=before)
            each.ensures(unit)
        sound = [*units]
    return units
