"""Values of secrets, which are no part of the tree that is read."""

from __future__ import annotations

from flowc.yamldoc.node import Mapping, Node, Scalar, is_null

SHOWN = "***"
SECRETS = ("secrets", "managed_secrets")


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
