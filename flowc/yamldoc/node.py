"""The nodes of a YAML document, each with its place in the text."""

from __future__ import annotations

from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flowc.source import Piece


class Node:
    """A value of a document. `start` and `end` are offsets in `source`; an alias gives a copy of the node that it
    stands for, with that node's place, and `via`, the place of the alias.

    `value` is what `check` made of it: the Python value that its field wants (see `scalars.read_as`); a dict or list of
    such values for `Mapping` and `Sequence` is `plain(node)`.
    """

    __slots__ = ("end", "source", "start", "value", "via")
    what = "value"

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.via: Span | None = None
        self.value: Any = None

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def at(self, *path: str | int) -> Node | None:
        """The node at a path of keys and indices below this one, None where there is none or it is null."""
        node: Node = self
        for step in path:
            if type(node) is Mapping:
                pair = (node._index or node.index()).get(step)  # type: ignore[arg-type]  # no key is a number
                if pair is None:
                    return None
                node = pair.value
            elif type(node) is Sequence and type(step) is int and -len(node.items) <= step < len(node.items):
                node = node.items[step]
            else:
                return None
        return None if type(node) is Scalar and is_null(node) else node

    def read(self, *path: str | int, default: Any = None) -> Any:
        """The checked value at a path; `default` where there is none or it is null."""
        node = self.at(*path)
        return default if node is None or node.value is None else node.value

    def each(self, *path: str | int) -> list[Node]:
        """The items of the sequence at a path, nulls left out; empty where there is none."""
        node = self.at(*path)
        return [item for item in node.items if not is_null(item)] if isinstance(node, Sequence) else []

    def pairs_at(self, *path: str | int) -> list[Pair]:
        """The pairs of the mapping at a path; empty where there is none."""
        node = self.at(*path)
        return node.pairs if isinstance(node, Mapping) else []


class Scalar(Node):
    """A text. `style` is `'`, `"`, `|`, `>` or None for a plain one; `tag` is an explicit tag (`!!str`) or None;
    `placed`: where it comes from, if not from what stands at its place."""

    __slots__ = ("_placed", "style", "tag", "text")
    what = "text"

    def __init__(
        self,
        source: Source,
        start: int,
        end: int,
        text: str,
        style: str | None,
        tag: str | None,
        placed: Derived | None = None,
    ) -> None:
        self.source = source  # not by `super`: there are many of them
        self.start = start
        self.end = end
        self.via = self.value = None
        self.text = text
        self.style = style
        self.tag = tag
        self._placed = placed

    @property
    def placed(self) -> Derived:
        """The text with its places: a finding inside a block scalar points at its own line and column."""
        if self._placed is not None:
            return self._placed
        # Not kept: it would hold whom it is held by, and such rings are freed late.
        return Derived(self.text, self.source, self.start, self.end, self._pieces)

    def _pieces(self) -> list[Piece]:
        from flowc.yamldoc.places import pieces

        return pieces(self)


class Pair:
    """A key with its value. `field` is the row of the shape that it was checked against, `owner` the row's type, `path`
    where it stands (`spec.containers[0].image`), `intended` what an unknown key, reported as an error, was likely meant
    to be; all set by `check`. `merged`: it came through a merge key."""

    __slots__ = ("field", "intended", "key", "merged", "owner", "path", "value")

    def __init__(self, key: Scalar, value: Node, *, merged: bool = False) -> None:
        self.key = key
        self.value = value
        self.merged = merged
        self.field: dict[str, Any] | None = None
        self.intended: str | None = None
        self.owner = ""
        self.path = ""


class Mapping(Node):
    __slots__ = ("_index", "flow", "pairs")
    what = "mapping"

    def __init__(self, source: Source, start: int, end: int, pairs: list[Pair], *, flow: bool = False) -> None:
        super().__init__(source, start, end)
        self.pairs = pairs
        self.flow = flow
        self._index: dict[str, Pair] | None = None

    def index(self) -> dict[str, Pair]:
        """The pairs by their keys."""
        if self._index is None:
            self._index = {pair.key.text: pair for pair in self.pairs}
        return self._index

    def pair(self, key: str) -> Pair | None:
        return (self._index or self.index()).get(key)

    def get(self, key: str) -> Node | None:
        pair = (self._index or self.index()).get(key)
        return pair.value if pair is not None else None

    def put(self, pair: Pair) -> None:
        """Add a pair, or replace the one with its key."""
        self.pairs = [each for each in self.pairs if each.key.text != pair.key.text] + [pair]
        self._index = None

    def forget(self) -> None:
        """Keys were changed: look them up anew."""
        self._index = None

    def __contains__(self, key: str) -> bool:
        return self.pair(key) is not None


class Sequence(Node):
    __slots__ = ("flow", "items")
    what = "list"

    def __init__(self, source: Source, start: int, end: int, items: list[Node], *, flow: bool = False) -> None:
        super().__init__(source, start, end)
        self.items = items
        self.flow = flow


NULLS = frozenset(("", "~", "null", "Null", "NULL"))


def is_null(node: Node) -> bool:
    return type(node) is Scalar and node.text in NULLS and node.style is None and node.tag in (None, NULL_TAG)


TAG = "tag:yaml.org,2002:"
NULL_TAG = TAG + "null"


def misspelt(node: Node | None, *names: str) -> bool:
    """Whether an unknown key of the mapping was likely meant for one of the names, whose absence is told by that."""
    return isinstance(node, Mapping) and any(pair.intended in names for pair in node.pairs)


def stands_there(node: Scalar) -> bool:
    """Whether the place of a scalar holds it and no more: what `--set` puts has the whole flag for its place."""
    written = node.source.text[node.start : node.end]
    return written == node.text if node.style is None else written[:1] == node.style


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Mapping):
            waiting += [each for pair in reversed(node.pairs) for each in (pair.value, pair.key)]
        elif isinstance(node, Sequence):
            waiting += reversed(node.items)


def plain(node: Node) -> Any:
    """The checked values of a node and all below it, as dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {pair.key.text: plain(pair.value) for pair in node.pairs}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def text_of_shell(words: list[Scalar]) -> Derived | None:
    """Of `[bash, -eu, -c, TEXT]` the text with its places, None of lists that start no shell with one."""
    from flowc._compiled.shell_words import SHELLS

    if not words or str(words[0].value).rpartition("/")[2] not in SHELLS:
        return None
    for number, option in enumerate(words[1:-1], 2):
        said = str(option.value)
        if said[:1] not in ("-", "+") and said != "pipefail":
            return None
        if said[:1] == "-" != said[1:2] and said[-1] == "c":
            return words[number].placed
    return None
