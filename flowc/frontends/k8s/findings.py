"""What the API server says of fields that break its rules: the frames of its messages, each at its place."""

from __future__ import annotations

from flowc.diag.codes.k8s import fields as codes
from flowc.yamldoc.check import first_key
from flowc.yamldoc.node import Mapping, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Sink
    from flowc.source import Span
    from flowc.yamldoc.node import Node


MOST_CANDIDATES = 50  # names that are compared with a misspelt one; no pod that people write has more


class Findings:
    """Reports to `sink`. `path` is the field's, as in `spec.template.spec.containers[0].image`."""

    __slots__ = ("sink",)

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def required(self, parent: Node, path: str, help: str | None = None) -> None:
        """A field is missing in `parent`."""
        self.sink.report(codes.FIELD_REQUIRED, place(parent), help=help, path=path)

    def invalid(self, node: Node, path: str, detail: str, help: str | None = None) -> None:
        self.sink.report(codes.FIELD_INVALID, place(node), help=help, path=path, value=shown(node), detail=detail)

    def form(self, node: Node, path: str, expected: str, help: str | None = None, value: str | None = None) -> None:
        """A text does not look as it must; `value` where it is not the node's own text, but a key, say."""
        text = value if value is not None else str(node.value)
        self.sink.report(codes.FIELD_FORM, place(node), help=help, path=path, value=text, expected=expected)

    def bounds(self, node: Node, path: str, expected: str) -> None:
        self.sink.report(codes.FIELD_BOUNDS, place(node), path=path, value=shown(node), expected=expected)

    def unsupported(
        self, node: Node, path: str, values: Iterable[str], help: str | None = None, value: str | None = None
    ) -> None:
        """A text is none of `values`; `value` where it is not the node's own text, but a key."""
        from flowc.diag.suggest import nearest

        values = list(values)
        text = value if value is not None else str(node.value)
        near = nearest(text, values)
        help = help or (f"did you mean `{near}`?" if near is not None else None)
        expected = ", ".join(f"`{each}`" if each else '`""`' for each in values)
        self.sink.report(codes.UNSUPPORTED_VALUE, place(node), help=help, path=path, value=text, expected=expected)

    def forbidden(self, span: Span, path: str, detail: str, help: str | None = None) -> None:
        self.sink.report(codes.FIELD_FORBIDDEN, span, help=help, path=path, detail=detail)

    def duplicate(self, node: Node, first: Node, path: str) -> None:
        notes = ((place(first), "first given here"),)
        self.sink.report(codes.DUPLICATE_VALUE, place(node), notes=notes, path=path, value=str(node.value))

    def too_long(self, node: Node, path: str, limit: int, help: str | None = None) -> None:
        self.sink.report(codes.FIELD_TOO_LONG, place(node), help=help, path=path, limit=limit)

    def too_many(self, node: Node, path: str, count: int, limit: int) -> None:
        self.sink.report(codes.FIELD_TOO_MANY, place(node), path=path, count=count, limit=limit)

    def not_found(self, node: Node, path: str, known: Iterable[str], what: str) -> None:
        """`node` names one of `known`, and there is none of that name."""
        from flowc.diag.suggest import nearest

        known = list(known)
        near = nearest(str(node.value), known[:MOST_CANDIDATES])
        if near is not None:
            help = f"did you mean `{near}`?"
        else:
            help = f"the pod has the {what} {', '.join(f'`{each}`' for each in known[:8])}" if known else ""
            help = help or f"the pod has no {what}"
        self.sink.report(codes.FIELD_NOT_FOUND, place(node), help=help, path=path, value=str(node.value))


def place(node: Node) -> Span:
    """Where a value is pointed at: of a mapping its first key, of an alias the alias."""
    if node.via is not None:
        return node.via
    if isinstance(node, Mapping):
        return first_key(node)
    if isinstance(node, Sequence) and node.items and not node.flow:
        return place(node.items[0])
    return node.span


def shown(node: Node) -> str:
    """A value in JSON, as the API server shows it."""
    if not isinstance(node, Scalar):
        return "[…]" if isinstance(node, Sequence) else "{…}"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return str(node.value) if isinstance(node.value, int) else f'"{node.value}"'


def text_at(node: Node, *path: str | int) -> str | None:
    """The checked text at a path; None where there is none, or something else was reported there."""
    value = node.read(*path)
    return value if isinstance(value, str) else None


def int_at(node: Node, *path: str | int) -> int | None:
    """The checked number at a path, None as above."""
    value = node.read(*path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def given(parent: Node | None, names: Iterable[str]) -> list[str]:
    """Those of the names that are keys of the mapping and not null."""
    if not isinstance(parent, Mapping):
        return []
    return [pair.key.text for pair in parent.pairs if pair.key.text in names and not is_null(pair.value)]


def key_span(parent: Node, key: str) -> Span:
    assert isinstance(parent, Mapping)
    pair = parent.pair(key)
    assert pair is not None
    return pair.key.span
