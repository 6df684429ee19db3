"""Prices that stand in a document, as the IR has them."""

from __future__ import annotations

from flowc.diag.codes.yaml import document as codes
from flowc.ir.units import MICROS_PER_USD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.yamldoc.node import Node

MOST_DIGITS = 9  # before the point


def price(text: str, node: Node | None, path: str, sink: Sink) -> str | None:
    """US dollars with six places at most: a cap is rounded down. None, and reported, for what is less or too much."""
    whole, _, fraction = text.partition(".")
    found = f"{whole}.{fraction[:6]}".rstrip("0").rstrip(".") if fraction else whole
    if len(whole.lstrip("0")) > MOST_DIGITS:
        expected = f"less than {10**MOST_DIGITS}"
    elif found.strip("0."):
        return found
    else:
        expected = f"at least {1 / MICROS_PER_USD:f}"
    sink.report(codes.OUT_OF_BOUNDS, node.span if node else None, path=path, value=text, expected=expected)
    return None
