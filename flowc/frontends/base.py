"""What a frontend is: a format that jobs are written in."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.ir.unit import Unit
    from flowc.source import Source


class Frontend(Record):
    """The functions of a format, in the order in which they are called.

    `read(source, inputs, sink)` gives the tree of what the text says, before any meaning, or None when nothing could
    be read; it reports every mistake it can find in one run. `ast(tree)` gives the document of `--emit ast`.
    `lower(tree, inputs, sink)` gives the units; it is called only when reading reported no error.
    """

    read: Callable[[Source, Inputs, Sink], Any]
    ast: Callable[[Any], dict[str, Any]]
    lower: Callable[[Any, Inputs, Sink], list[Unit]]
