"""Reading: the documents held against their fields, and which of them are tasks."""

from __future__ import annotations

from flowc._compiled.skypilot_fields import TYPES
from flowc.diag.codes.yaml import skypilot as codes
from flowc.frontends.skypilot.hidden import blank
from flowc.frontends.skypilot.variables import substitute
from flowc.inputs import Inputs
from flowc.record import Record
from flowc.source import Source, Span
from flowc.yamldoc import edit
from flowc.yamldoc.ast import ast_document
from flowc.yamldoc.check import Checker
from flowc.yamldoc.node import Mapping, Node
from flowc.yamldoc.read import read as read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink


class Tree(Record):
    """`head` is the first document of several that is no task but names them all; `tasks` are the others."""

    source: Source
    head: Mapping | None
    tasks: tuple[Mapping, ...]


def read(source: Source, inputs: Inputs, sink: Sink) -> Tree | None:
    """The documents of a source, checked; None when nothing could be read."""
    roots = read_yaml(source, sink)
    if roots is None:
        return None
    head = roots.pop(0) if len(roots) > 1 and _is_head(roots[0]) else None
    checker = Checker(TYPES, sink, allow_unknown=inputs.allow_unknown)
    if head is not None:
        checker.check(head, {"is": "map", "type": "Head", "null": False})
    spans = dict(inputs.flag_spans)
    for root in roots:
        for index, (path, text) in enumerate(inputs.flags.sets):
            edit.put(root, path, text, spans.get(f"sets.{index}") or _no_place(path, text), sink)
        if isinstance(root, Mapping):
            substitute(root, inputs)
        checker.check(root, {"is": "map", "type": "Task", "null": False})
        blank(root)
    if not roots:
        sink.report(codes.SKYPILOT_NOTHING_TO_RUN, None)
    tasks = tuple(root for root in roots if isinstance(root, Mapping))
    return Tree(source=source, head=head if isinstance(head, Mapping) else None, tasks=tasks)


def document(tree: Tree) -> dict[str, Any]:
    return ast_document("skypilot", [*([tree.head] if tree.head is not None else []), *tree.tasks])


def _no_place(path: str, text: str) -> Span:
    """A caller of the Python API has no command line, so one is made up for messages."""
    shown = f"--set {path}={text}"
    return Span(Source("<flags>", shown), 0, len(shown))


def _is_head(node: Node) -> bool:
    """Whether a document has only keys of a head, its name among them."""
    return isinstance(node, Mapping) and "name" in node and {pair.key.text for pair in node.pairs} <= set(TYPES["Head"])
