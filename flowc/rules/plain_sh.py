"""A script for `/bin/sh` that only bash understands."""

from __future__ import annotations

from flowc.body.plain_sh import only_for_bash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    """Tell the first place."""
    found = only_for_bash(unit.job)
    if found is None:
        return
    from flowc.diag.codes.programs import BASH_IN_SH

    start, end, effect = found
    word = (unit.job.run.text or "")[start:end].strip()
    help = "begin the script with `#!/bin/bash`" if unit.job.run.kind == "script" else None
    sink.report(BASH_IN_SH, unit.text_span(start, end), help=help, word=word, effect=effect)
