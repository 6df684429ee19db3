"""Validate: bounds and conflicts that hold for jobs of every format, before anything is looked up.

Changes nothing: the unit goes out as it came in.
"""

from __future__ import annotations

import re

from flowc._compiled.limits import (
    BIDS_PER_ARRAY,
    CONCURRENT_TASKS,
    ENVIRONMENT_BYTES,
    LONG_JOB_HOURS,
    NODES_PER_BID,
)
from flowc.diag.codes import validate as codes
from flowc.ir.units import SECONDS_PER_HOUR, duration_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+-[a-z]")


def run(unit: Unit, context: Context, sink: Sink) -> Unit:
    if unit.plan is not None:
        return unit
    if unit.job.env:
        _environment(unit, sink)
    _nodes(unit, sink)
    _regions(unit, context, sink)
    _time(unit, sink)
    _array(unit, sink)
    return unit


def ensures(unit: Unit) -> None:
    assert (unit.job.resources.nodes or 1) <= NODES_PER_BID, "validate: more nodes than a bid has"
    assert all(NAME.fullmatch(name) for name, _ in unit.job.env), "validate: a variable that cannot be set"


def environment_bytes(env: tuple[tuple[str, str], ...]) -> int:
    """The size of an environment as the kernel counts it: `NAME=value` and a zero byte each."""
    return sum(len(f"{name}={value}".encode("utf-8", "surrogateescape")) + 1 for name, value in env)


def _environment(unit: Unit, sink: Sink) -> None:
    span = unit.origin("env")
    for name, _ in unit.job.env:
        if not NAME.fullmatch(name):
            sink.report(codes.ENVIRONMENT_NAME, span, name=name)
    size = environment_bytes(unit.job.env)
    if size > ENVIRONMENT_BYTES:
        largest, value = max(unit.job.env, key=lambda pair: len(pair[1]))
        help = f"the largest is `{largest}` with {len(value)} characters"
        sink.report(codes.ENVIRONMENT_TOO_LARGE, span, help=help, size=size, limit=ENVIRONMENT_BYTES)


def _nodes(unit: Unit, sink: Sink) -> None:
    nodes = unit.job.resources.nodes
    if nodes is not None and nodes > NODES_PER_BID:
        sink.report(codes.TOO_MANY_NODES, unit.origin("resources.nodes"), nodes=nodes, limit=NODES_PER_BID)


def _regions(unit: Unit, context: Context, sink: Sink) -> None:
    for region in unit.job.placement.regions:
        if not REGION.fullmatch(region):
            help = f"known regions: {', '.join(sorted(context.catalog.regions))}"
            sink.report(codes.REGION_FORM, unit.origin("placement.regions"), help=help, region=region)


def _time(unit: Unit, sink: Sink) -> None:
    time = unit.job.time
    if time.limit_s is None:
        return
    if time.signal is not None and time.signal.before_s >= time.limit_s:
        before, limit = duration_text(time.signal.before_s), duration_text(time.limit_s)
        sink.report(codes.SIGNAL_AT_ONCE, unit.origin("time.signal"), before=before, limit=limit)
    if time.limit_s > LONG_JOB_HOURS * SECONDS_PER_HOUR:
        sink.report(codes.LONG_JOB, unit.origin("time.limit_s"), limit=duration_text(time.limit_s))


def _array(unit: Unit, sink: Sink) -> None:
    array = unit.job.array
    if array is None:
        return
    count, span = len(array.indices), unit.origin("array", "array.indices")
    together = min(count, array.max_concurrent or count)
    if count > BIDS_PER_ARRAY:
        sink.report(codes.ARRAY_TOO_LARGE, span, count=count, limit=BIDS_PER_ARRAY)
    elif together > CONCURRENT_TASKS:
        sink.report(codes.ARRAY_OVER_QUOTA, span, count=together, limit=CONCURRENT_TASKS)
