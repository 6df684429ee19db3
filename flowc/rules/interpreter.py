"""The program that a script's first line names."""

from __future__ import annotations

from flowc.body.interpreter import interpreter_package, missing_env, missing_interpreter
from flowc.diag.lacks import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    reason, package = missing_interpreter(unit.job), interpreter_package(unit.job)
    if reason is None and package is None:
        return
    from flowc.diag.codes import programs as codes

    first = unit.text_span(0, len((unit.job.run.text or "").partition("\n")[0]))
    if reason is not None:
        # One that is named by its path is at no other.
        name = missing_env(unit.job) or ((unit.job.run.interpreter or "").split() or ["?"])[0]
        sink.report(codes.INTERPRETER_MISSING, first, lacks=((PROGRAM, name),), reason=reason)
    elif package is not None:
        sink.report(codes.INTERPRETER_INSTALLED, first, program=package[0], package=package[1])
