"""The document of `--emit ast` for formats that are written in YAML."""

from __future__ import annotations

from flowc.secret import STARS, masked
from flowc.yamldoc.node import Mapping, Node, Sequence
from flowc.yamldoc.secrets import secret_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ast_document(frontend: str, documents: list[Node]) -> dict[str, Any]:
    """`flowc.ast/1`: the values of each document as the format reads them, with the line on which each begins. Numbers
    that are no whole ones are decimal text; stars stand for the values of secrets."""
    secrets = {id(node) for root in documents for node in secret_nodes(root)}

    def plain(node: Node) -> Any:
        if isinstance(node, Mapping):
            return {pair.key.text: plain(pair.value) for pair in node.pairs}
        if isinstance(node, Sequence):
            return [plain(item) for item in node.items]
        if id(node) in secrets:
            return STARS
        return masked(node.value) if isinstance(node.value, str) else node.value

    return {
        "format": "flowc.ast/1",
        "frontend": frontend,
        "documents": [{"line": node.span.line, "value": plain(node)} for node in documents],
    }
