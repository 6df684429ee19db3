"""Here-documents in which the shell puts values in place of variables that only the written script has."""

from __future__ import annotations

from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.rules.base import texts
from flowc.shell.scan import scan
from flowc.shell.variables import read_plain, set_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    """Tell the first such variable of a text."""
    for each in texts(unit):
        text = (each.job.run.text or "")[:MOST_TEXT]
        if "<<" not in text or not is_shell(each.job):
            continue
        for document in scan(text).here_documents:
            inner = text[document.start : document.end]
            if document.quoted or document.ignored or not inner.lstrip().startswith("#!"):
                continue
            outside = set_in(text[: document.start] + text[document.end :])
            early = {name: at for name, at in read_plain(inner).items() if name in set_in(inner) - outside}
            if early:
                from flowc.diag.codes.texts import EXPANDS_EARLY

                name, (start, end) = next(iter(early.items()))
                place = each.text_span(document.start + start, document.start + end)
                sink.report(EXPANDS_EARLY, place, variable=name)
                return
