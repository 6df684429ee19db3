"""What has to be copied to the machine before the job starts, or that there is nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    from flowc.diag.codes import emit as codes
    from flowc.scripts.delivery import delivery

    sent, span = delivery(unit.job), unit.origin("run.delivery")
    if sent is None:
        sink.report(codes.BODY_NOT_APART, span)
    else:
        sink.report(codes.BODY_AWAITED, span, path=sent.path, bytes=len(sent.data))
