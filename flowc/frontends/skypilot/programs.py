"""What SkyPilot installs on each machine, and tasks call as if it were their own."""

from __future__ import annotations

from flowc.body.commands import PROGRAM_FAILS, missing_commands
from flowc.diag.codes.yaml import skypilot as codes
from flowc.source import Derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

# SkyPilot has its installer put them below ~/.local/bin (sky/skylet/constants.py), of its own accord.
_UV = ("uv", "uvx")
_BRING_UV = (
    "command -v uv >/dev/null || timeout 1800 env PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install -q uv || "
    f"{{ echo 'flowc: {PROGRAM_FAILS}uv' >&2; exit 1; }}\n"
)


def with_programs(unit: Unit, sink: Sink) -> Unit:
    """The unit of a task on a machine without an image, whose setup first installs what SkyPilot would have, where the
    task calls it and does not bring it itself."""
    if unit.job.image is not None:
        return unit
    for part in _parts(unit):
        calls = missing_commands(part.job)
        for name in _UV:
            if name in calls:
                span = part.text_span(calls[name], calls[name] + len(name))
                sink.report(codes.PROGRAM_INSTALLED, span, name="uv")
                own = unit.job.setup
                placed = None if own is None else Derived.joined(_BRING_UV, unit.setup_text or own)
                job = unit.job.replace(setup=_BRING_UV + (own or ""), programs=(*unit.job.programs, *_UV))
                origins = {"setup": span, **unit.origins, "programs": span}
                return unit.replace(job=job, setup_text=placed, origins=origins)
    return unit


def _parts(unit: Unit) -> Iterator[Unit]:
    """The setup, as a job of its own, and the task itself."""
    job = unit.job
    if job.setup:
        run = job.run.replace(text=job.setup, commands=())
        yield unit.replace(job=job.replace(run=run, setup=None), text=unit.setup_text or Derived.joined(job.setup))
    yield unit
