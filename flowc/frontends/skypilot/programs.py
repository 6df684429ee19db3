"""What SkyPilot installs on each machine, and tasks call as if it were their own."""

from __future__ import annotations

from flowc.body.commands import missing_commands
from flowc.diag.codes.yaml import skypilot as codes
from flowc.shell.steps import LIMIT_S, PIP, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

# SkyPilot has its installer put them below ~/.local/bin (sky/skylet/constants.py), of its own accord.
_UV = ("uv", "uvx")
_BRING_UV = f"command -v uv >/dev/null || timeout {LIMIT_S} {PIP} install -q uv || {failed('program uv')}"


def with_programs(unit: Unit, sink: Sink) -> Unit:
    """The unit of a task on a machine without an image, whose setup first installs what SkyPilot would have, where the
    task calls it and does not bring it itself."""
    if unit.job.image is not None or _UV[0] not in unit.source.text:
        return unit
    for part in (unit.preparing, unit):
        calls = missing_commands(part.job) if part is not None else {}
        name = next((name for name in _UV if name in calls), None)
        if part is not None and name is not None:
            span = part.text_span(calls[name], calls[name] + len(name)) or unit.origins["run.text"]
            sink.report(codes.PROGRAM_INSTALLED, span, name=_UV[0])
            job = unit.job.replace(programs=(*unit.job.programs, *_UV))
            return unit.replace(job=job, origins={**unit.origins, "programs": span}).prepared(_BRING_UV, span)
    return unit
