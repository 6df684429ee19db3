"""Ports, volumes and machines that the provider cannot give as they are asked for, or ends only once somebody acts."""

from __future__ import annotations

from flowc.diag.codes import emit as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.job import Volume
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    """Report each of them at its place."""
    job = unit.job
    for number, volume in enumerate(job.volumes):
        report_speed(unit, volume, number, sink)
    if job.ports:
        report_ports(unit, sink)
    if job.terminate_on_exit and not unit.releases:
        sink.report(codes.BID_STAYS, unit.origin("terminate_on_exit"))


def report_ports(unit: Unit, sink: Sink) -> None:
    from flowc.scripts.ports import LOWEST_PORT, opens

    for number, port in enumerate(unit.job.ports):
        span = unit.origin(f"ports.{number}", "ports")
        if port.protocol.lower() != "tcp":
            sink.report(codes.PORT_NOT_OPENED, span, port=port.external, reason=f"`{port.protocol}` is not forwarded")
        elif not opens(port):
            sink.report(codes.PORT_NOT_OPENED, span, port=port.external, reason=f"the lowest is {LOWEST_PORT}")


def report_speed(unit: Unit, volume: Volume, number: int, sink: Sink) -> None:
    for field in ("iops", "throughput_bytes_s"):
        if getattr(volume, field) is not None:
            span = unit.origin(f"volumes.{number}.{field}", f"volumes.{number}", "volumes")
            what = span.text if span is not None and "\n" not in span.text else field
            sink.report(codes.NOT_IN_BID, span, what=what, consequence="a volume is as fast as the provider makes it")
