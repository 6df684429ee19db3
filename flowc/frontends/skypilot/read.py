"""Reading: the documents held against their fields, and which of them are tasks."""

from __future__ import annotations

from flowc._compiled.skypilot_fields import TYPES
from flowc.diag.codes import skypilot as codes
from flowc.inputs import Inputs
from flowc.record import Record
from flowc.source import Source, Span
from flowc.yamldoc import edit
from flowc.yamldoc.ast import ast_document
from flowc.yamldoc.check import Checker, first_key
from flowc.yamldoc.node import Mapping, Node, is_null
from flowc.yamldoc.read import read as read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink


class Tree(Record):
    """`head` is the first document of a pipeline, which only names it; `tasks` are the others."""

    source: Source
    head: Mapping | None
    tasks: tuple[Node, ...]


def read(source: Source, inputs: Inputs, sink: Sink) -> Tree | None:
    """The documents of a source, checked; None when nothing could be read."""
    roots = read_yaml(source, sink)
    if roots is None:
        return None
    spans = dict(inputs.flag_spans)
    for root in roots:
        for index, (path, text) in enumerate(inputs.flags.sets):
            edit.put(root, path, text, spans.get(f"sets.{index}") or _no_place(path, text), sink)
        checker = Checker(TYPES, sink, allow_unknown=inputs.allow_unknown)
        checker.check(root, {"is": "map", "type": "Task", "null": False})
    head = roots[0] if len(roots) > 1 and _only_names(roots[0]) else None
    tasks = roots[1:] if head is not None else roots
    for task in tasks:
        if isinstance(task, Mapping):
            _check_task(task, inputs, sink)
    if not tasks:
        sink.report(codes.NOTHING_TO_RUN, None)
    return Tree(source=source, head=head if isinstance(head, Mapping) else None, tasks=tuple(tasks))


def document(tree: Tree) -> dict[str, Any]:
    return ast_document("skypilot", [*([tree.head] if tree.head is not None else []), *tree.tasks])


def _no_place(path: str, text: str) -> Span:
    """A caller of the Python API has no command line, so one is made up for messages."""
    shown = f"--set {path}={text}"
    return Span(Source("<flags>", shown), 0, len(shown))


def _only_names(node: Node) -> bool:
    return isinstance(node, Mapping) and {pair.key.text for pair in node.pairs} <= {"name", "execution"}


def _check_task(task: Mapping, inputs: Inputs, sink: Sink) -> None:
    given = {name for name, _ in inputs.flags.env} | set(inputs.flags.secrets)
    for pair in task.pairs_at("envs"):
        name = pair.key.text
        if is_null(pair.value) and name not in given:
            help = f"give it with `--env {name}=VALUE`, or as a secret with `--secret {name}`"
            sink.report(codes.EMPTY_ENV, pair.key.span, help=help, name=name)
    refused = any(task.at(key) is not None for key in ("service", "pool"))
    if task.at("run") is None and not refused:
        help = "to hold a machine for logging in, write `run: sleep infinity`"
        sink.report(codes.NOTHING_TO_RUN, first_key(task), help=help)
