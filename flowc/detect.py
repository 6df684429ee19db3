"""Which frontend reads a source: by the user's word, by its name, by what stands in it; never silently a guess."""

from __future__ import annotations

from flowc.diag.codes import detect as codes
from flowc.frontends import FRONTENDS, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.source import Source


def detect(source: Source, inputs: Inputs, name: str | None, sink: Sink) -> Entry | None:
    """The registry entry for this source, or None after reporting that it is in no format that flowc reads."""
    if name is not None:
        return next(entry for entry in FRONTENDS if entry.name == name)
    entry = by_suffix(source.path) or by_content(source.text)
    if entry is None and inputs.args:  # only sbatch has a command line of its own
        entry = FRONTENDS[0]
    if entry is None:
        sink.report(
            codes.UNKNOWN_FORMAT,
            None,
            path=source.path,
            help=f"say what it is with `--from {'|'.join(each.name for each in FRONTENDS)}`",
        )
    return entry


def by_suffix(path: str) -> Entry | None:
    """The frontend to which a file's suffix belongs."""
    lowered = path.lower()
    for entry in FRONTENDS:
        if lowered.endswith(entry.suffixes):
            return entry
    return None


def by_content(text: str) -> Entry | None:
    """The frontend whose marks stand in the text."""
    for entry in FRONTENDS:
        if any(mark in text for mark in entry.marks):
            return entry
    return None
