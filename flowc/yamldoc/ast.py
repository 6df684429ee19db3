"""The document of `--emit ast` for formats that are written in YAML."""

from __future__ import annotations

from flowc.yamldoc.node import Node, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ast_document(frontend: str, documents: list[Node]) -> dict[str, Any]:
    """`flowc.ast/1`: the values of each document as the format reads them, with the line on which each begins. Numbers
    that are no whole ones are decimal text."""
    return {
        "format": "flowc.ast/1",
        "frontend": frontend,
        "documents": [{"line": node.span.line, "value": plain(node)} for node in documents],
    }
