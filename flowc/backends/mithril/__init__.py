"""The mithril backend: bids on the provider's spot market, with the job in their startup scripts (contract §6)."""

from __future__ import annotations

from flowc.backends.base import Backend
from flowc.backends.mithril import limits
from flowc.diag.codes import price as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.backends.artifacts import Artifact
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


# The cloud that is this target's.
CLOUD = "mithril"


def reach(units: list[Unit], sink: Sink) -> None:
    """Report jobs that may run on other clouds only."""
    for index, unit in enumerate(units):
        clouds = unit.job.placement.clouds
        if clouds and not any(each.partition("/")[0] == CLOUD for each in clouds):
            from flowc.diag.codes.yaml.skypilot import OTHER_CLOUD

            sink.turn_to(index)
            sink.report(OTHER_CLOUD, unit.origin("placement.clouds"), place=" or ".join(clouds))
    sink.turn_to(None)


def check(units: list[Unit], sink: Sink) -> None:
    """Report what a bid cannot say, and what the machine lacks."""
    for index, unit in enumerate(units):
        sink.turn_to(index)
        limits.report(unit, sink)
    sink.turn_to(None)


def measure(units: list[Unit], sink: Sink) -> None:
    """Report what the provider's limit has no room for."""
    for index, unit in enumerate(units):
        sink.turn_to(index)
        limits.report_size(unit, sink)
    sink.turn_to(None)


def emit(units: list[Unit], sink: Sink, taken: set[str]) -> list[Artifact]:
    """The request document, then for each unit its startup script as sent, as read, and the report."""
    from flowc.backends.mithril.bids import artifacts  # a check does without

    return artifacts(units, sink, taken)


def alone(sink: Sink) -> None:
    """Report that nobody ends the bill."""
    help = "`flowc submit` ends it with the job, with `--release machine` the machine itself does"
    sink.report(codes.BILL_GOES_ON, None, help=help)


BACKEND = Backend(reach=reach, check=check, emit=emit, measure=measure, alone=alone)
