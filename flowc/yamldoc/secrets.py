"""Where a document in YAML holds the values of secrets."""

from __future__ import annotations

from flowc._compiled.secrets import SECTIONS
from flowc.patterns import at_first_use
from flowc.secret import is_told, key_looks_secret
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.source import Source, Span

# In a text that cannot be read: the values of a Secret, and a variable whose value has a line of its own.
_of_kind = at_first_use(r"(?m)^[ \t]*[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?Secret\b", "search")
_value = at_first_use(r"(?m)^[ \t-]*[\"']?[\w.][\w.-]*[\"']?[ \t]*:[ \t]+(\S.*)$", "finditer")
_variable = at_first_use(
    r"name[\"']?[ \t]*:[ \t]*[\"']?([A-Za-z_]\w*)[\"']?[ \t]*,?\s*[\"']?value[\"']?[ \t]*:[ \t]*(\S[^\n]*)", "finditer"
)


def of_documents(source: Source, roots: list[Node]) -> set[tuple[int, int, str]]:
    """Start, end and value of each secret in these documents, as `Source.find_secrets` gives them."""
    return {(node.start, node.end, node.text) for root in roots for node in secret_nodes(root) if node.source is source}


def of_text(source: Source) -> Iterator[tuple[int, int, str]]:
    """The same for a text that cannot be read as YAML, by its lines."""
    text = source.text
    for match in _value(text) if _of_kind(text) else ():
        yield *match.span(1), match[1]
    for match in _variable(text):
        if key_looks_secret(match[1]):
            yield *match.span(2), match[2]


def watch_set(root: Node, text: str, span: Span) -> None:
    """The same for a value that a flag put into a document: its text, and the flag's place."""
    source = span.source
    if any(node.source is source and node.start == span.start for node in secret_nodes(root)):
        at = source.text.find(text, span.start, span.end)
        place = (at, at + len(text)) if at >= 0 else (span.start, span.end)
        source.hidden.append((*place, text))


def secret_nodes(root: Node) -> list[Scalar]:
    """The values below a node that are secrets by their key, by the variable that they are of, or by their object."""
    found: list[Scalar] = []
    waiting = [root]
    for node in waiting:  # which grows meanwhile. Not `walk`: most nodes are scalars, which tell nothing alone
        if isinstance(node, Mapping):
            _of_mapping(node, found, waiting)
        elif isinstance(node, Sequence):
            found += _of_flags(node)
            waiting += [item for item in node.items if not isinstance(item, Scalar)]
    return found


def _of_mapping(node: Mapping, found: list[Scalar], waiting: list[Node]) -> None:
    variable = secret = False
    sections = []
    for pair in node.pairs:  # not `get`, which makes an index
        key, below = pair.key.text, pair.value
        if not isinstance(below, Scalar):
            waiting.append(below)
            if key in SECTIONS or key == "data":
                sections.append(pair)
        elif key == "name":
            variable = key_looks_secret(below.text)
        elif key == "kind":
            secret = below.text == "Secret"
        elif key_looks_secret(key) and not is_null(below) and is_told(below.text):
            found.append(below)
    if variable:
        values = [pair.value for pair in node.pairs if pair.key.text.startswith("val")]  # `value`, be it misspelt
        found += [each for each in values if isinstance(each, Scalar) and not is_null(each) and is_told(each.text)]
    for pair in sections:
        if isinstance(pair.value, Mapping) and (secret or pair.key.text != "data"):
            inner = [each.value for each in pair.value.pairs]
            # What begins with one of these is a reference or a placeholder.
            found += [
                each for each in inner if isinstance(each, Scalar) and not is_null(each) and each.text[:1] not in "$<"
            ]


def _of_flags(node: Sequence) -> Iterator[Scalar]:
    """`--password` as one item and its value as the next."""
    if not node.items or not isinstance(node.items[0], Scalar):
        return
    for flag, value in zip(node.items, node.items[1:], strict=False):
        named = isinstance(flag, Scalar) and flag.text.startswith("-") and key_looks_secret(flag.text.lstrip("-"))
        if named and isinstance(value, Scalar) and is_told(value.text) and not value.text.startswith("-"):
            yield value
