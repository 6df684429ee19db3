"""Hours, seconds, prices and moments of a task, exactly: decimal text to whole numbers."""

from __future__ import annotations

from flowc.diag.codes.yaml import document as codes
from flowc.ir.units import MICROS_PER_USD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.yamldoc.node import Node


def scaled(text: str, factor: int) -> int:
    """`text` times `factor`, rounded down, but not to nothing: what is more than 0 stays at least 1."""
    whole, _, fraction = text.partition(".")
    product = int(whole + fraction) * factor // 10 ** len(fraction)
    return product or (1 if (whole + fraction).strip("0") else 0)


def price(text: str, node: Node | None, path: str, sink: Sink) -> str | None:
    """US dollars as the IR has them, with six places at most: a cap is rounded down. None, and reported, for less."""
    whole, _, fraction = text.partition(".")
    found = f"{whole}.{fraction[:6]}".rstrip("0").rstrip(".") if fraction else whole
    if found.strip("0."):
        return found
    least = f"{1 / MICROS_PER_USD:f}"
    sink.report(codes.OUT_OF_BOUNDS, node.span if node else None, path=path, value=text, expected=f"at least {least}")
    return None


def utc(text: str) -> str | None:
    """A moment in UTC as `2030-01-31T18:00:00`; without a zone it is UTC already. None when there is no such moment."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.replace(" ", "T"))
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
