"""A last command whose failure nobody hears of: its output goes through a pipe."""

from __future__ import annotations

from flowc._compiled.shell_words import KEEPERS
from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.rules.base import texts
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    """Only of the job's own text: with `set -o pipefail` the status is the program's."""
    if unit.job.run.text is None and unit.shell_text is None:
        return
    *_, own = texts(unit)
    text = (own.job.run.text or "")[:MOST_TEXT]
    if "pipefail" in text or not is_shell(own.job):
        return
    commands = [each for each in scan(text).commands if each.words()]
    if len(commands) < 2:
        return
    before, last = commands[-2:]
    name = last.words()[0][1]
    between = text[before.end : last.start]
    if name not in KEEPERS or "|" not in between or "||" in between or text[last.end :].strip(" \t\n;"):
        return
    from flowc.diag.codes.texts import STATUS_OF_PIPE

    start = before.words()[0][0]
    sink.report(STATUS_OF_PIPE, own.text_span(start, last.end), program=before.words()[0][1], reader=name)
