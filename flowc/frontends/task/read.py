"""Reading: from a YAML file, or from the arguments of a command line, to checked documents."""

from __future__ import annotations

from flowc._compiled.task_fields import TYPES
from flowc.diag.codes.yaml import task as codes
from flowc.frontends.task import rules
from flowc.patterns import at_first_use, compiled
from flowc.source import Derived, Span
from flowc.yamldoc import edit
from flowc.yamldoc import read as yaml
from flowc.yamldoc.ast import ast_document
from flowc.yamldoc.check import Checker
from flowc.yamldoc.node import Mapping, Pair, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.source import Source
    from flowc.yamldoc.node import Node
    from flowc.yamldoc.shapes import Shape

SHAPE = {"is": "map", "type": "Task"}
TEXT = {"is": "text", "null": False}  # a value of `env` and other dicts
_between = at_first_use(r"[^a-z0-9]+", "sub")


def read(source: Source, inputs: Inputs, sink: Sink) -> list[Mapping] | None:
    """The documents of a file, each a task; None when there is none."""
    roots = yaml.read(source, sink)
    if roots is None:
        return None
    if not roots:
        sink.report(codes.TASK_EMPTY, None)
    tasks = []
    for root in roots:
        if isinstance(root, Mapping):
            tasks.append(root)
        else:
            _refuse(root, sink)
    for root in tasks:
        _put_flags(root, inputs, sink)
        _check(root, inputs, sink)
        rules.check(root, inputs, sink)
    return tasks or None


def read_command(source: Source, inputs: Inputs, sink: Sink) -> list[Mapping] | None:
    """The one task of a command line: its command, and the fields that its flags set."""
    command = inputs.command or Derived.of(source, 0, len(source.text))
    span = command.span(0, len(command.text)) or Span(source, 0, 0)
    root = Mapping(source, span.start, span.end, [])
    key = Scalar(source, span.start, span.end, "command", None, None)
    root.put(Pair(key, Scalar(source, span.start, span.end, command.text, '"', None, command)))
    _put_flags(root, inputs, sink)
    _check(root, inputs, sink)
    rules.check(root, inputs, sink, command_line=True)
    return [root]


def ast(tasks: list[Mapping]) -> dict[str, Any]:
    return ast_document("task-yaml", list(tasks))


def ast_of_command(tasks: list[Mapping]) -> dict[str, Any]:
    return ast_document("command-line", list(tasks))


def _refuse(root: Node, sink: Sink) -> None:
    """A document that is no mapping."""
    tasks = isinstance(root, Sequence) and any(isinstance(item, Mapping) for item in root.items)
    help = "separate tasks by a line `---`, without the dashes before their keys" if tasks else None
    sink.report(codes.TASK_NOT_A_MAPPING, root.span, help=help, what=root.what)


def _put_flags(root: Mapping, inputs: Inputs, sink: Sink) -> None:
    """Put what flags set into the document: `--set`, and the flags of earlier tools that were fields."""
    for index, (path, text) in enumerate(inputs.flags.sets):
        edit.put(root, path, text, inputs.span("sets", index) or root.span, sink)
        _as_text(root, path)
    for index, (name, text) in enumerate(inputs.flags.fields):
        span = inputs.span("fields", index) or root.span
        style = '"' if TYPES["Task"][name]["is"] == "text" else None
        key = Scalar(span.source, span.start, span.end, name, None, None)
        root.put(Pair(key, Scalar(span.source, span.start, span.end, text, style, None)))


def _as_text(root: Mapping, path: str) -> None:
    """Where only a text can be meant, `--set name=9` needs no quotes inside those of the shell."""
    first, _, rest = path.partition(".")
    row = TYPES["Task"].get(first, {})
    node = root.at(first, rest) if rest else root.at(first)
    if isinstance(node, Scalar) and node.style is None and row.get("of" if rest else "is") in ("text", TEXT):
        node.style = '"'


def _check(root: Mapping, inputs: Inputs, sink: Sink) -> None:
    """Hold the document against the fields, then call older spellings by the names of today."""
    _Checker(TYPES, sink, allow_unknown=inputs.allow_unknown).check(root, SHAPE)
    for node in (root, *root.each("volumes")):
        if isinstance(node, Mapping) and any("alias" in (pair.field or ()) for pair in node.pairs):
            node.pairs = [_renamed(pair) for pair in node.pairs]
            node.put(node.pairs[-1])  # what is found by name is found anew


def _renamed(pair: Pair) -> Pair:
    name = (pair.field or {}).get("alias")
    if name is not None:
        pair.key = Scalar(pair.key.source, pair.key.start, pair.key.end, name, None, None)
    return pair


class _Checker(Checker):
    """Knows how a name would be right, and which of the allowed words is nearest."""

    def _value(self, node: Scalar, shape: Shape, path: str) -> bool:
        like = shape.get("like")
        fits = compiled(like).fullmatch if like is not None and path.endswith("name") and not is_null(node) else None
        if fits is not None and fits(node.text) is None:
            near = _between("-", node.text[:100].lower()).strip("-")
            if fits(near):
                shape = {**shape, "help": f"write `{near}`"}
        values = shape.get("values")
        if values is not None and node.value not in values:
            same = next((each for each in values if each.lower() == node.text.lower()), None)
            if same is not None:
                shape = {**shape, "help": f"write `{same}`"}
        return super()._value(node, shape, path)
