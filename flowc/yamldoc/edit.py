"""`--set path=value`: puts values of the command line into a document before it is checked."""

from __future__ import annotations

from flowc.diag.codes.yaml import document as codes
from flowc.source import Source, Span
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, Sequence, is_null, walk
from flowc.yamldoc.secrets import watch_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink


def put(root: Node, path: str, text: str, span: Span, sink: Sink) -> None:
    """Set the value at `path` (`a.b.0.c`, `a.b[0].c`; a dot in a key is written `\\.`) to what `text` is in YAML.

    All new nodes have their place at `span`, the argument on the command line. Reports a path that leads nowhere.
    """
    value = _value(text, span, sink)
    if value is not None:
        _put(root, path, value, span, sink)
        watch_set(root, text, span)


def _put(root: Node, path: str, value: Node, span: Span, sink: Sink) -> None:
    steps = _steps(path)
    node: Node = root
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        shown = ".".join(steps[:number])
        if isinstance(node, Sequence):
            if not (step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(node.items)):
                count = len(node.items)
                _nowhere(path, f"`{shown}` is a list of {count}, items are numbered from 0", span, sink)
                return
            if last:
                node.items[int(step)] = value
                return
            node = node.items[int(step)]
        elif isinstance(node, Mapping):
            pair = node.pair(step)
            if last or pair is None or is_null(pair.value):
                inner = value if last else Mapping(span.source, span.start, span.end, [])
                key = Scalar(span.source, span.start, span.end, step, None, None)
                node.put(Pair(pair.key if pair is not None else key, inner))
                node = inner
            else:
                node = pair.value
        else:
            _nowhere(path, f"`{shown}` is a {node.what}" if shown else "the document is no mapping", span, sink)
            return


def _steps(path: str) -> list[str]:
    steps = path.replace("\\.", "\0").replace("[", ".").replace("]", "").split(".")
    return [step.replace("\0", ".") for step in steps]


def _nowhere(path: str, reason: str, span: Span, sink: Sink) -> None:
    sink.report(codes.SET_PATH, span, path=path, reason=reason)


def _value(text: str, span: Span, sink: Sink) -> Node | None:
    """The nodes of a value, all of them at `span`; None when an error was reported."""
    from flowc.yamldoc.read import read

    roots = read(Source(span.source.path, text), sink)
    if roots is None:
        return None
    node = roots[0] if roots else Scalar(span.source, span.start, span.end, "", None, None)
    for each in walk(node):
        each.source, each.start, each.end = span.source, span.start, span.end
    return node
