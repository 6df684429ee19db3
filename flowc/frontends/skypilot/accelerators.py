"""Accelerators in all their forms: names with counts, sizes of memory, alternatives in order or not."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence, is_null

GIB = 1 << 30

_memory = at_first_use(r"(?:NVIDIA:)?(\d{1,5})\s*(?:GB|G)?(\+)?", "fullmatch", 2)  # re.IGNORECASE
_counted_first = at_first_use(r"(\d+)\s*[x*]\s*([A-Za-z][\w-]*)", "fullmatch")


class Mistake(Exception):
    """Why a text names no accelerators, where it stands, and what may help."""

    def __init__(self, reason: str, span: Span, text: str, help: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = span
        self.text = text
        self.help = help


class Wanted(Record):
    """One kind of accelerator: a model, or at least so much memory; `span` is where it was asked for."""

    model: str | None
    memory_bytes: int | None
    count: int
    span: Span


def wanted(node: Node) -> tuple[list[Wanted], bool]:
    """The alternatives, and whether they are in order of preference (a list is, a mapping or a set is not). Raises
    Mistake."""
    if isinstance(node, Sequence):
        return [_one(item) for item in node.items], True
    if isinstance(node, Mapping):
        if not node.pairs:
            return [], False
        return [_counted(pair.key, pair.value) for pair in node.pairs], False
    return [_one(node)], False


def _one(node: Node) -> Wanted:
    if isinstance(node, Mapping) and len(node.pairs) == 1:
        return _counted(node.pairs[0].key, node.pairs[0].value)
    if not isinstance(node, Scalar):
        raise Mistake(f"a {node.what} stands where a name is expected", node.span, node.span.text)
    return _parsed(node.text, node.span)


def _counted(key: Scalar, value: Node) -> Wanted:
    """A pair of a mapping: `H100: 8`, or `H100:8` without a value as in a set."""
    if is_null(value):
        return _parsed(key.text, key.span)
    if not isinstance(value, Scalar):
        raise Mistake("a count is expected after the name", value.span, key.text)
    return _parsed(f"{key.text}:{value.text}", Span(key.source, key.start, value.end))


def _parsed(text: str, span: Span) -> Wanted:
    text = text.strip()
    if match := _counted_first(text):
        raise Mistake("SkyPilot takes it for a name", span, text, f"did you mean `{match[2]}:{match[1]}`?")
    head, colon, last = text.rpartition(":")
    if colon and head and not _memory(text):
        count, name = _count(last, span, text), head
    else:
        count, name = 1, text
    if found := _memory(name):
        return Wanted(model=None, memory_bytes=int(found[1]) * GIB, count=count, span=span)
    if ":" in name:
        raise Mistake("there is more than one count", span, text, "write the name and one count: `H100:8`")
    if not name:
        raise Mistake("the name is missing", span, text)
    return Wanted(model=name.lower(), memory_bytes=None, count=count, span=span)


def _count(text: str, span: Span, whole: str) -> int:
    try:
        value = float(text)
    except ValueError:
        raise Mistake(f"`{text}` is no count", span, whole, "write the name and a count: `H100:8`") from None
    if 0 < value < 1 or value != value // 1:
        raise Mistake("a machine has whole GPUs only", span, whole, "round the count up")
    if not 0 < value < 10**6:
        raise Mistake("the count must be at least 1", span, whole)
    return int(value)
