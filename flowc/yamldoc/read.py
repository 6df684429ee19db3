"""From text to nodes, on libyaml's events: every key and value with its place.

What the text says twice, what it says with aliases and merge keys and where it breaks off is settled here; what a
value means is not (see `scalars`). Size, depth and the growth by aliases are bounded, so that no file costs more than
its length.
"""

from __future__ import annotations

from flowc import libyaml
from flowc.diag.codes.yaml import document as codes
from flowc.source import Source, Span
from flowc.yamldoc import secrets
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink

MOST_CHARACTERS = 2 << 20
MOST_NODES = 200_000  # aliases counted as often as they stand
MOST_DOCUMENTS = 1_000
DEEPEST = 100
MERGE = "<<"


class _Refused(Exception):
    """Reading ended early, and the reason is reported."""


def read(source: Source, sink: Sink) -> list[Node] | None:
    """The root of each document, empty documents left out; None after an error that leaves nothing to go on with.

    Duplicate keys are reported and the last one counts, as in the readers that the formats come from.
    """
    text = source.text
    if len(text) > MOST_CHARACTERS:
        sink.report(codes.YAML_TOO_LARGE, None, size=len(text), limit=MOST_CHARACTERS)
        return None
    if not _is_text(source, sink):
        return None
    try:
        roots = _Reader(source, sink).documents()
    except _Refused:
        source.find_secrets = lambda: secrets.of_text(source)
        return None
    source.find_secrets = lambda: secrets.of_documents(source, roots)
    return roots


def _is_text(source: Source, sink: Sink) -> bool:
    """Whether the bytes are UTF-8; reports the first that is not."""
    text = source.text
    if text.isascii():
        return True
    bad = next((place for place, char in enumerate(text) if "\udc80" <= char <= "\udcff"), None)
    if bad is None:
        return True
    encoding = "UTF-16" if text[:2] in ("\udcff\udcfe", "\udcfe\udcff") else None
    help = f"the file is {encoding}; save it as UTF-8" if encoding else "save the file as UTF-8"
    sink.report(codes.NOT_UTF_8, Span(source, bad, bad + 1), help=help, byte=f"0x{ord(text[bad]) - 0xDC00:02x}")
    return False


class _Reader:
    """One pass over the events of one source."""

    __slots__ = ("anchors", "count", "error", "events", "loader", "open_anchors", "shift", "sink", "source")

    def __init__(self, source: Source, sink: Sink) -> None:
        self.source = source
        self.sink = sink
        # libyaml does not count a byte order mark
        self.shift = 1 if source.text.startswith("\ufeff") else 0
        self.loader, self.error = libyaml.parser(source.text)
        self.events = iter(self.loader.get_event, None)
        self.anchors: dict[str, tuple[Node, int]] = {}  # with the number of nodes that each stands for
        self.open_anchors: set[str] = set()
        self.count = 0

    def documents(self) -> list[Node]:
        found: list[Node] = []
        count = 0
        try:
            for event in self.events:
                name = type(event).__name__
                if name == "DocumentStartEvent":
                    count += 1
                    if count > MOST_DOCUMENTS:
                        self.refuse(codes.YAML_TOO_MANY_DOCUMENTS, event, limit=MOST_DOCUMENTS)
                    self.anchors.clear()
                elif name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent", "AliasEvent"):
                    node = self.node(event, 0)
                    if not (isinstance(node, Scalar) and node.style is None and not node.text):
                        found.append(node)
        except self.error as error:
            from flowc.yamldoc.syntax import report

            report(error, self.source, self.shift, self.sink)
            raise _Refused from None
        finally:
            self.loader.dispose()
        return found

    def node(self, event: Any, depth: int) -> Node:
        """The node that begins with this event; takes all of its events."""
        name = type(event).__name__
        if name == "AliasEvent":
            return self.alias(event)
        self.count += 1
        if self.count > MOST_NODES:
            self.refuse(codes.YAML_TOO_MANY_VALUES, event, limit=MOST_NODES)
        before, anchor = self.count, event.anchor
        start = event.start_mark.index + self.shift
        if anchor is not None:
            self.open_anchors.add(anchor)
        node: Node
        if name == "ScalarEvent":
            text, tag = event.value, event.tag
            if "\0" in text:
                self.refuse(
                    codes.YAML_SYNTAX, event, problem="a text holds the character U+0000, which no program can take"
                )
            style = event.style if event.style in ("'", '"', "|", ">") else None
            node = Scalar(self.source, start, event.end_mark.index + self.shift, text, style, tag)
            if self.source.text[start : start + 1] in ("&", "!"):
                self._trim(node)
        elif depth >= DEEPEST:
            self.refuse(codes.YAML_TOO_DEEP, event, limit=DEEPEST)
        elif name == "SequenceStartEvent":
            node = self.sequence(event, start, depth)
        else:
            node = self.mapping(event, start, depth)
        if anchor is not None:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (node, self.count - before + 1)
        return node

    def _trim(self, node: Scalar) -> None:
        """An anchor or a tag before a scalar is no part of it, nor is white space after it."""
        text = self.source.text
        while node.start < node.end and text[node.start] in "&!":
            while node.start < node.end and not text[node.start].isspace():
                node.start += 1
            while node.start < node.end and text[node.start].isspace():
                node.start += 1

    def sequence(self, event: Any, start: int, depth: int) -> Sequence:
        items: list[Node] = []
        end = start
        for inner in self.events:
            if type(inner).__name__ == "SequenceEndEvent":
                end = self._end(inner, items[-1].end if items else None)
                break
            items.append(self.node(inner, depth + 1))
        return Sequence(self.source, start, end, items, flow=bool(event.flow_style))

    def mapping(self, event: Any, start: int, depth: int) -> Mapping:
        pairs: list[Pair] = []
        seen: dict[str, Pair] = {}
        merges: list[tuple[Scalar, Node]] = []
        end = start
        for inner in self.events:
            if type(inner).__name__ == "MappingEndEvent":
                end = self._end(inner, pairs[-1].value.end if pairs else None)
                break
            key = self.key(self.node(inner, depth + 1))
            value = self.node(next(self.events), depth + 1)
            if key.text == MERGE and key.style is None:
                merges.append((key, value))
                continue
            pair = Pair(key, value)
            if key.text in seen:
                first = seen[key.text]
                self.sink.report(
                    codes.DUPLICATE_KEY,
                    key.span,
                    notes=((first.key.span, "first given here"),),
                    help="keep one of them; readers of YAML take the last and say nothing",
                    key=key.text,
                )
                pairs.remove(first)
            seen[key.text] = pair
            pairs.append(pair)
        node = Mapping(self.source, start, end, pairs, flow=bool(event.flow_style))
        for key, value in merges:
            self.merge(node, key, value)
        return node

    def _end(self, event: Any, last: int | None) -> int:
        """Where a collection ends: a block ends with its last value, not with the line where the next one starts."""
        end: int = event.end_mark.index + self.shift
        if event.start_mark.index == event.end_mark.index and last is not None:
            return last
        return end

    def key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        template = self.source.text.startswith("{{", node.start - 1)
        help = "a template must be rendered first, or the value be put in quotes" if template else None
        self.refuse_at(codes.YAML_KEY_NOT_TEXT, node.span, help, what=node.what)

    def alias(self, event: Any) -> Node:
        span = Span(self.source, event.start_mark.index + self.shift, event.end_mark.index + self.shift)
        if event.anchor in self.open_anchors:
            self.refuse_at(codes.YAML_ALIAS_OF_ITSELF, span, None, name=event.anchor)
        if event.anchor not in self.anchors:
            from flowc.diag.suggest import nearest

            near = nearest(event.anchor, self.anchors)
            help = f"did you mean `*{near}`?" if near else "an anchor `&name` must stand before its alias `*name`"
            self.refuse_at(codes.YAML_UNKNOWN_ALIAS, span, help, name=event.anchor)
        node, size = self.anchors[event.anchor]
        self.count += size
        if self.count > MOST_NODES:
            self.refuse_at(codes.YAML_TOO_MANY_VALUES, span, None, limit=MOST_NODES)
        found = copy(node)
        found.via = span
        return found

    def merge(self, node: Mapping, key: Scalar, value: Node) -> None:
        """Put the pairs of a merge key's mappings behind the node's own, which win; an earlier mapping wins too."""
        sources = value.items if isinstance(value, Sequence) else [value]
        for each in sources:
            if not isinstance(each, Mapping):
                self.sink.report(codes.YAML_MERGE_NOT_MAPPING, each.via or each.span, what=each.what)
                return
            for pair in each.pairs:
                if pair.key.text not in node:
                    merged = Pair(pair.key, pair.value, merged=True)
                    node.put(merged)

    def refuse(self, code: Code, event: Any, **fields: object) -> NoReturn:
        start = event.start_mark.index + self.shift
        self.refuse_at(code, Span(self.source, start, min(start + 1, len(self.source.text))), None, **fields)

    def refuse_at(self, code: Code, span: Span, help: str | None, /, **fields: Any) -> NoReturn:
        self.sink.report(code, span, help=help, **fields)
        raise _Refused


def copy(node: Node) -> Node:
    """The node and all below it again, so that each place of an alias is checked for its own field."""
    if isinstance(node, Scalar):
        return Scalar(node.source, node.start, node.end, node.text, node.style, node.tag)
    if isinstance(node, Sequence):
        items = [copy(item) for item in node.items]
        return Sequence(node.source, node.start, node.end, items, flow=node.flow)
    assert isinstance(node, Mapping)
    pairs = [Pair(pair.key, copy(pair.value), merged=pair.merged) for pair in node.pairs]
    return Mapping(node.source, node.start, node.end, pairs, flow=node.flow)
