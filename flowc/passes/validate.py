"""Validate: bounds and conflicts that hold for jobs of every format, before anything is looked up.

Changes nothing: the unit goes out as it came in.
"""

from __future__ import annotations

from flowc._compiled.limits import (
    BIDS_PER_ARRAY,
    CHOICES,
    CONCURRENT_TASKS,
    ENVIRONMENT_BYTES,
    LONG_JOB_HOURS,
    NODES_PER_BID,
)
from flowc.diag.codes import validate as codes
from flowc.ir.units import SECONDS_PER_HOUR, duration_text
from flowc.patterns import at_first_use, remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.passes.base import Context
    from flowc.source import Span

_is_region = at_first_use(r"[a-z]+-[a-z]+[0-9]+-[a-z]", "fullmatch")


def run(unit: Unit, context: Context, sink: Sink) -> Unit:
    if unit.plan is not None:
        return unit
    job = unit.job
    _environments(unit, sink)
    _nodes(unit, sink)
    _regions(unit, context, sink)
    _time(unit, sink)
    _array(unit, sink)
    _command(unit, sink)
    if job.ports:
        _ports(unit, sink)
    if job.image is not None or job.containers:
        _images(unit, sink)
    if job.volumes or job.mounts or job.containers:
        from flowc.passes import storage

        storage.check(unit, sink)
    return unit


def ensures(unit: Unit) -> None:
    assert (unit.job.resources.nodes or 1) <= NODES_PER_BID, "validate: more nodes than a bid has"
    contained = unit.job.image is not None
    for name, _ in unit.job.env:
        good = (name and "=" not in name) if contained else _is_name(name)
        assert good, "validate: a variable that cannot be set"
    # Every format reads ports in its own words, and bounds them there.
    ports = [number for port in unit.job.ports for number in (port.external, port.internal)]
    assert all(1 <= number <= 65535 for number in ports), "validate: a port that there is not"


@remembered(16)  # what a profile sets is the same in each job
def environment_bytes(env: tuple[tuple[str, str], ...]) -> int:
    """The size of an environment as the kernel counts it: `NAME=value` and a zero byte each."""
    return sum(len(f"{name}={value}".encode("utf-8", "surrogateescape")) + 1 for name, value in env)


def _environments(unit: Unit, sink: Sink) -> None:
    """The environment of the job, and of each container beside it: names and sizes. Secrets come by another way. What a
    container runtime sets may have any name; its format says which."""
    job = unit.job
    if job.image is None:
        _names(unit, job.env, ("env",), sink)
    if job.env:
        _environment(unit, job.env, ("env",), sink)
    if job.image is None:
        _names(unit, job.env_facts, ("env_facts", "env"), sink)
        _names(unit, tuple((name, "") for name in job.secrets), ("secrets", "env"), sink)
    for index, container in enumerate(job.containers):
        if container.env:
            _environment(unit, container.env, (f"containers.{index}.env", f"containers.{index}", "containers"), sink)


def _environment(unit: Unit, env: tuple[tuple[str, str], ...], paths: tuple[str, ...], sink: Sink) -> None:
    size = environment_bytes(env)
    if size > ENVIRONMENT_BYTES:
        largest, value = max(env, key=lambda pair: len(pair[1]))
        help = f"the largest is `{largest}` with {len(value)} characters"
        sink.report(codes.ENVIRONMENT_TOO_LARGE, unit.origin(*paths), help=help, size=size, limit=ENVIRONMENT_BYTES)


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def _names(unit: Unit, env: tuple[tuple[str, str], ...], paths: tuple[str, ...], sink: Sink) -> None:
    for index, (name, _) in enumerate(env):
        if not _is_name(name):
            sink.report(
                codes.ENVIRONMENT_NAME, unit.origin(f"{paths[0]}.{name}", f"{paths[0]}.{index}", *paths), name=name
            )


def _nodes(unit: Unit, sink: Sink) -> None:
    resources = unit.job.resources
    if resources.nodes is not None and resources.nodes > NODES_PER_BID:
        sink.report(codes.TOO_MANY_NODES, unit.origin("resources.nodes"), nodes=resources.nodes, limit=NODES_PER_BID)
    for field in ("choices", "alternatives"):
        count = len(getattr(resources, field))
        if count > CHOICES:
            span = unit.origin(f"resources.{field}.{CHOICES}", f"resources.{field}")
            sink.report(codes.TOO_MANY_CHOICES, span, count=count, limit=CHOICES)


def _regions(unit: Unit, context: Context, sink: Sink) -> None:
    asked: list[tuple[str, tuple[str, ...]]]
    asked = [(region, ("placement.regions",)) for region in unit.job.placement.regions]
    for index, choice in enumerate(unit.job.resources.choices):
        asked += [(region, (f"resources.choices.{index}", "resources.choices")) for region in choice.regions]
    for region, paths in asked:
        if not _is_region(region):
            help = f"known regions: {', '.join(sorted(context.catalog.regions))}"
            sink.report(codes.REGION_FORM, unit.origin(*paths), help=help, region=region)


def _time(unit: Unit, sink: Sink) -> None:
    time = unit.job.time
    if time.limit_s is None:
        return
    if time.min_s is not None and time.min_s > time.limit_s:
        least, limit = duration_text(time.min_s), duration_text(time.limit_s)
        sink.report(codes.RUN_TIME_ORDER, unit.origin("time.min_s", "time.limit_s"), least=least, limit=limit)
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
        help = (
            f"`%{CONCURRENT_TASKS}` behind the indices of `--array` keeps to it"
            if unit.job.conventions.commands
            else None
        )
        sink.report(codes.ARRAY_OVER_QUOTA, span, help=help, count=together, limit=CONCURRENT_TASKS)


def _command(unit: Unit, sink: Sink) -> None:
    run, job = unit.job.run, unit.job
    if run.kind == "script" or job.setup:
        return
    nothing = not run.argv and job.image is None if run.kind == "argv" else not (run.text or "").strip()
    if nothing:
        sink.report(codes.NOTHING_TO_RUN, unit.origin("run.argv", "run.text", "run", "name"))


def _ports(unit: Unit, sink: Sink) -> None:
    seen: dict[tuple[int, str], tuple[int, Span | None]] = {}
    for index, port in enumerate(unit.job.ports):
        span = unit.origin(f"ports.{index}", "ports")
        key = (port.external, port.protocol)
        if key not in seen:
            seen[key] = (port.internal, span)
            continue
        internal, first = seen[key]
        notes = ((first, "the first one is here"),) if first is not None and first is not span else ()
        number, protocol = key
        if internal == port.internal:
            sink.report(codes.PORT_TWICE, span, notes=notes, port=number, protocol=protocol)
        else:
            sink.report(
                codes.PORT_CONFLICT,
                span,
                notes=notes,
                port=number,
                protocol=protocol,
                first=internal,
                second=port.internal,
            )


def _to_fill(image: str) -> str | None:
    """The help where an image has a gap that flowc fills."""
    from flowc.diag.suggest import to_fill

    parts = image.replace(":", "/").split("/")
    word = next((part for part in parts if part.isidentifier() and part.isupper() and "_" in part), None)
    return to_fill(f"<{word}>" if word is not None else image)


def _images(unit: Unit, sink: Sink) -> None:
    from flowc.passes.image import mistake

    named: list[tuple[str, tuple[str, ...]]]
    named = [] if unit.job.image is None else [(unit.job.image, ("image",))]
    for index, container in enumerate(unit.job.containers):
        named.append((container.image, (f"containers.{index}.image", f"containers.{index}", "containers")))
    for image, paths in named:
        found = mistake(image)
        if found is not None:
            reason, near = found
            help = f"did you mean `{near}`?" if near is not None else _to_fill(image)
            sink.report(codes.IMAGE_REFERENCE, unit.origin(*paths), help=help, image=image, reason=reason)
