"""Arrays whose tasks are all given the same."""

from __future__ import annotations

from flowc._compiled.shell_words import CODE_NAMES, CODE_SUFFIXES
from flowc.rules.base import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit


def report(unit: Unit, sink: Sink) -> None:
    """Nothing where a file is run, which may ask for its index, or where the tasks run one behind the other: such
    arrays go on where the one before ended."""
    array = unit.job.array
    if array is None or len(array.indices) < 2 or array.max_concurrent == 1:
        return
    for text in (unit.job.setup or "", *(each.job.run.text or "" for each in texts(unit))):
        if "ARRAY" in text or "./" in text or any(each in text for each in (*CODE_SUFFIXES, *CODE_NAMES)):
            return
    from flowc.diag.codes.texts import INDEX_NOT_READ

    sink.report(INDEX_NOT_READ, unit.origin("array.indices", "array"), tasks=len(array.indices))
