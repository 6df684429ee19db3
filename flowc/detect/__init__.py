"""Which frontend reads a source: by the user's word, by its name, by what stands in it; never silently a guess."""

from __future__ import annotations

from flowc.frontends import FRONTENDS, YAML, by_suffix, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends import Entry
    from flowc.inputs import Inputs
    from flowc.source import Source


def detect(source: Source, inputs: Inputs, name: str | None, sink: Sink) -> Entry | None:
    """The registry entry for this source, or None after reporting that it is in no format that flowc reads, or in
    two."""
    if name is not None:
        return named(name)
    if inputs.command is not None:
        return named("command-line")
    if not source.path.lower().endswith(YAML):
        entry = by_suffix(source.path)
        if entry is not None or source.text.startswith("#!"):
            return entry or FRONTENDS[0]
    elif source.text.startswith("#!"):
        return FRONTENDS[0]
    from flowc.detect import signs

    found = signs.by_signs(source)
    if not source.path.lower().endswith(YAML) and signs.by_content(source.text) is not None:
        found.setdefault("slurm", signs.mark(source))
    if not found and inputs.args:  # only sbatch has a command line of its own
        return FRONTENDS[0]
    if len(found) == 1:
        return named(next(iter(found)))
    if found:
        signs.report_two(source, found, sink)
    else:
        signs.report_none(source, sink)
    return None
