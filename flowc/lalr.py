"""Runs the parse tables that `flowc.ahead.grammar` makes of grammars/*.lark, with nothing but `re`.

A table is a dict: `pattern` (one regex with a named group a terminal, in the order in which lark tries them),
`literals` (terminal to the text shown for it), `actions` (per state: terminal to the next state, or to a rule as -1 -
index), `gotos` (per state: rule name to the next state), `rules` (name of the node, name for gotos, length, kept
children, spliced) and `end` (the accepting state). `$END` is the terminal after the last token.
"""

from __future__ import annotations

from flowc.patterns import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Table = dict[str, Any]


class Token:
    """A terminal with its text and where it stands (offsets, end excluded)."""

    __slots__ = ("end", "name", "start", "text")

    def __init__(self, name: str, text: str, start: int, end: int) -> None:
        self.name = name
        self.text = text
        self.start = start
        self.end = end


class Node:
    """A rule (or its alias) with its children. An empty rule stands at its lookahead."""

    __slots__ = ("children", "end", "name", "start")

    def __init__(self, name: str, children: list[Node | Token], start: int, end: int) -> None:
        self.name = name
        self.children = children
        self.start = start
        self.end = end

    def nodes(self, *names: str) -> list[Node]:
        """The children that are rules of these names (of any name, when none is given)."""
        return [c for c in self.children if isinstance(c, Node) and (not names or c.name in names)]

    def tokens(self, *names: str) -> list[Token]:
        """The children that are terminals of these names."""
        return [c for c in self.children if isinstance(c, Token) and c.name in names]

    def texts(self, *names: str) -> list[str]:
        """The texts of those tokens."""
        return [token.text for token in self.tokens(*names)]


class Unexpected(Exception):
    """The text does not fit: what stands at `start` to `end` is none of `expected` (names of terminals, sorted)."""

    def __init__(self, start: int, end: int, expected: tuple[str, ...]) -> None:
        super().__init__(start, end, expected)
        self.start = start
        self.end = end
        self.expected = expected


class Parser:
    """One start symbol's parser. The regex is compiled at first use; a parse costs linear time."""

    __slots__ = ("_match", "_table")

    def __init__(self, table: Table) -> None:
        self._table = table
        self._match: Any = None

    def match(self) -> Any:
        """The `match` method of the master regex; `lastgroup` of what it gives names the terminal."""
        if self._match is None:
            self._match = compiled(self._table["pattern"], self._table["flags"]).match
        return self._match

    def literals(self) -> dict[str, str]:
        """Terminals that are plain strings, by name."""
        literals: dict[str, str] = self._table["literals"]
        return literals

    def parse(self, text: str) -> Node:
        """The tree of `text`. Raises Unexpected."""
        match = self.match()
        actions, gotos, rules, end_state = (self._table[key] for key in ("actions", "gotos", "rules", "end"))
        states = [self._table["start"]]
        values: list[Node | Token] = []
        position, size = 0, len(text)
        while True:
            found = match(text, position) if position < size else None
            name = found.lastgroup if found else "$END" if position == size else None
            token_end = found.end() if found else position
            while True:
                action = actions[states[-1]].get(name)
                if action is None:
                    expected = tuple(sorted(actions[states[-1]]))
                    raise Unexpected(position, max(token_end, min(position + 1, size)), expected)
                if action >= 0:
                    break
                self._reduce(rules[-1 - action], states, values, gotos, position)
                if name == "$END" and states[-1] == end_state:
                    return values[0]  # type: ignore[return-value]
            assert found is not None
            states.append(action)
            values.append(Token(str(name), found.group(), position, token_end))
            position = token_end

    @staticmethod
    def _reduce(rule: Any, states: list[int], values: list[Any], gotos: Any, position: int) -> None:
        name, origin, length, kept = rule
        children = values[len(values) - length :] if length else []
        start = children[0].start if length else position
        end = children[-1].end if length else position
        if length:
            del values[-length:]
            del states[-length:]
        if kept is not None:
            children = [children[index] for index in kept]
        # A repeated part is a rule of its own in the table; its children belong to the rule around it. The list of the
        # first one is used again, so that a long repetition costs linear time.
        merged: list[Any] = children
        if any(type(child) is Node and child.name[0] == "_" for child in children):
            first = children[0]
            own = type(first) is Node and first.name[0] == "_"
            merged = first.children if own else []
            for child in children[1:] if own else children:
                if type(child) is Node and child.name[0] == "_":
                    merged.extend(child.children)
                else:
                    merged.append(child)
        values.append(Node(name, merged, start, end))
        states.append(gotos[states[-1]][origin])
