"""Values that nobody is to see: those of secrets, and of variables that look like some."""

from __future__ import annotations

from flowc.inputs import looks_secret
from flowc.source import Source
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, is_null, walk

SHOWN = "***"
SECRETS = ("secrets", "managed_secrets")


def hide(roots: list[Node], source: Source) -> None:
    """Let all places in secrets be those of a source with stars for their values, so that no message shows them."""
    pairs = [pair for root in roots if isinstance(root, Mapping) for pair in _pairs(root)]
    if not pairs:
        return
    starred = _starred(source, pairs)
    for pair in pairs:
        for node in (pair.key, *walk(pair.value)):
            if node.source is source:
                node.source = starred


def blank(root: Node) -> None:
    """Put stars for what was read of them, once it is checked."""
    for key in SECRETS:
        node = root.at(key)
        for pair in node.pairs if isinstance(node, Mapping) else ():
            if isinstance(pair.value, Scalar) and not is_null(pair.value):
                pair.value.value = SHOWN
    password = root.at("envs", "SKYPILOT_DOCKER_PASSWORD")
    if password is not None:
        password.value = SHOWN


def _pairs(root: Mapping) -> list[Pair]:
    secrets = [pair for key in SECRETS for pair in root.pairs_at(key)]
    return secrets + [pair for pair in root.pairs_at("envs") if looks_secret(pair.key.text)]


def _starred(source: Source, pairs: list[Pair]) -> Source:
    """The source, as long as it was, with stars for the values of these pairs."""
    pieces, position = [], 0
    values = [node for pair in pairs for node in walk(pair.value) if isinstance(node, Scalar) and _is_told(node)]
    for node in sorted(values, key=lambda node: node.start):
        if node.source is source and node.start >= position:  # an alias stands for the same place again
            hidden = "".join(char if char.isspace() else "*" for char in source.text[node.start : node.end])
            pieces += [source.text[position : node.start], hidden]
            position = node.end
    return Source(source.path, "".join(pieces) + source.text[position:])


def _is_told(value: Scalar) -> bool:
    """Whether there is something to hide: not where the text is the name of a variable."""
    return not is_null(value) and not value.text.startswith("$")
