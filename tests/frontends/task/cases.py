"""What the tests of tasks share: documents, and what flowc makes of them."""

from __future__ import annotations

from typing import Any

from flowc.diag.sink import Sink
from flowc.frontends.task import COMMAND_LINE, FRONTEND
from flowc.inputs import Flags, Inputs, command_line
from flowc.ir.job import Job
from flowc.ir.unit import Unit
from flowc.ir.verify import verify
from flowc.source import Source

HEAD = "instance_type: 8xh100\n"
RUN = "command: nvidia-smi\n"
PLAIN = HEAD + RUN


def lowered(text: str, inputs: Inputs | None = None) -> tuple[list[Unit], Sink]:
    """The units of a file, sound ones, and what was reported; no units after an error."""
    told, sink = inputs or Inputs(), Sink()
    tree = FRONTEND.read(Source("job.yaml", text), told, sink)
    units = [] if tree is None or sink.broken else FRONTEND.lower(tree, told, sink)
    if not sink.broken:
        for unit in units:
            verify(unit, after="lowering")
    return units, sink


def job(text: str, inputs: Inputs | None = None) -> Job:
    """The job of a file without mistakes."""
    units, sink = lowered(text, inputs)
    assert not sink.broken, [each.message for each in sink.diagnostics]
    return units[0].job


def ids(text: str, inputs: Inputs | None = None) -> list[str]:
    """The ids of the findings, in order."""
    return [each.code.id for each in lowered(text, inputs)[1].diagnostics]


def of_command(command: str, **flags: Any) -> tuple[Unit, Sink]:
    """The unit of `flowc compile --command COMMAND`."""
    source, words = command_line(("flowc", "compile", "--command", command))
    inputs = Inputs(command=words[3], flags=Flags(**flags))
    sink = Sink()
    tree = COMMAND_LINE.read(source, inputs, sink)
    (unit,) = COMMAND_LINE.lower(tree, inputs, sink)
    verify(unit, after="lowering")
    return unit, sink


def meaning(of: Job) -> dict[str, Any]:
    """A job without what every change of the text changes."""
    return {name: value for name, value in of.__dict__.items() if name not in ("source", "outcome")}
