"""Accelerators in all their forms: names with counts, sizes of memory, alternatives in order or not."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.source import Span
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence, is_null

GIB = 1 << 30
_TRUTHS = frozenset(("true", "false", "yes", "no", "on", "off"))
EXAMPLE = "write the name and a count: `H100:8`"

_memory = at_first_use(r"(?:NVIDIA:)?([0-9]{1,5})\s*(?:GB|(?=\+))(\+)?", "fullmatch", 2)  # re.IGNORECASE
_counted_first = at_first_use(r"([0-9]+)\s*[x*]\s*([A-Za-z][\w-]*)", "fullmatch")
_counted_last = at_first_use(r"([A-Za-z][\w-]*[0-9][\w-]*?)\s*[x*]\s*([0-9]{1,2})", "fullmatch")
_name = at_first_use(r"[A-Za-z0-9][\w.-]*", "fullmatch")
_number = at_first_use(r"(?=[.]?[0-9])[0-9]{0,6}(?:\.[0-9]{0,6})?", "fullmatch")


class Mistake(Exception):
    """Why a text names no accelerators, where it stands, what may help, and what was probably meant."""

    def __init__(self, reason: str, span: Span, text: str, help: str | None = None, meant: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = span
        self.text = text
        self.help = f"did you mean `{meant}`?" if meant else help
        self.meant = meant


class Wanted(Record):
    """One kind of accelerator: a model, or at least so much memory; `span` is where it was asked for. `fraction` is
    the count as written where it was no whole number: `count` is the next one."""

    model: str | None
    memory_bytes: int | None
    count: int
    span: Span
    fraction: str | None = None


def wanted(node: Node) -> tuple[list[Wanted], bool]:
    """The alternatives, and whether they are in order of preference (a list is, a mapping or a set is not). Raises
    Mistake."""
    if isinstance(node, (Sequence, Mapping)) and not (node.items if isinstance(node, Sequence) else node.pairs):
        raise Mistake("none is named", node.span, node.span.text, EXAMPLE)
    if isinstance(node, Sequence):
        return [_one(item) for item in node.items], True
    if isinstance(node, Mapping):
        return [_counted(pair.key, pair.value) for pair in node.pairs], False
    return [_one(node)], False


def _one(node: Node) -> Wanted:
    if isinstance(node, Mapping) and len(node.pairs) == 1:
        found = _counted(node.pairs[0].key, node.pairs[0].value)
        meant = f"{node.pairs[0].key.text}:{found.fraction or found.count}"
        raise Mistake("an item of a list is one text", node.span, node.span.text, meant=meant)
    if is_null(node):
        raise Mistake("an item of the list is empty", node.span, node.span.text, EXAMPLE)
    if not isinstance(node, Scalar):
        raise Mistake(f"a {node.what} stands where a name is expected", node.span, node.span.text, EXAMPLE)
    if node.style is None and node.text.lower() in _TRUTHS:
        raise Mistake("it is a truth value to YAML", node.span, node.span.text, EXAMPLE)
    return _parsed(node.text, node.span)


def _counted(key: Scalar, value: Node) -> Wanted:
    """A pair of a mapping: `H100: 8`, or `H100:8` without a value as in a set."""
    if is_null(value):
        return _parsed(key.text, key.span)
    if not isinstance(value, Scalar):
        raise Mistake("a count is expected after the name", value.span, key.text, EXAMPLE)
    if value.style is not None:
        raise Mistake("the count is a text: take its quotes off", value.span, value.span.text, EXAMPLE)
    return _parsed(f"{key.text}:{value.text}", Span(key.source, key.start, value.end))


def _parsed(text: str, span: Span) -> Wanted:
    text = text.strip()
    if match := _counted_first(text):
        raise Mistake("SkyPilot takes it for a name", span, text, meant=f"{match[2]}:{match[1]}")
    if match := _counted_last(text):
        raise Mistake("SkyPilot takes it for a name", span, text, meant=f"{match[1]}:{match[2]}")
    if "," in text:
        several = "alternatives are a list or a mapping: `[H100:8, A100-80GB:8]`"
        raise Mistake("several stand in one text", span, text, several)
    head, colon, last = text.rpartition(":")
    fraction = None
    if colon and head and not _memory(text):
        (count, fraction), name = _count(last.strip(), span, text), head.strip()
    else:
        count, name = 1, text
    if found := _memory(name):
        return Wanted(model=None, memory_bytes=int(found[1]) * GIB, count=count, span=span, fraction=fraction)
    if name.isdigit():
        raise Mistake("it is a number without a name", span, text, EXAMPLE)
    if ":" in name:
        raise Mistake("there is more than one count", span, text, EXAMPLE)
    if not _name(name):
        reason = "the name is missing" if not name else "a name has letters, digits and dashes"
        raise Mistake(reason, span, text, EXAMPLE)
    return Wanted(model=name.lower(), memory_bytes=None, count=count, span=span, fraction=fraction)


def _count(text: str, span: Span, whole: str) -> tuple[int, str | None]:
    """The count, rounded up, and what it was before if that made it another."""
    if not _number(text):
        raise Mistake(f"`{text}` is no count", span, whole, EXAMPLE)
    value = float(text)
    if not value:
        raise Mistake("the count must be above 0", span, whole, EXAMPLE)
    count = -int(-value // 1)
    return count, text if count != value else None
