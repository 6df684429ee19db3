"""What Python's `str()` gives for a value as PyYAML reads it: for formats whose own reader takes any value for text."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.yamldoc import scalars
from flowc.yamldoc.node import TAG, Mapping, Scalar, Sequence, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.yamldoc.node import Node

_float_60 = at_first_use(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*", "fullmatch")
_moment = at_first_use(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?"
    r"(?:[ \t]*(?:Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?",
    "fullmatch",
)


def python_text(node: Node) -> str | None:
    """`true` is `True`, `1.50` is `1.5`, `010` is `8`, `[a, b]` is `['a', 'b']`. None for what PyYAML cannot read
    either, such as the day `2024-02-31`."""
    try:
        return str(_value(node))
    except ValueError:
        return None


def _value(node: Node) -> Any:
    if isinstance(node, Mapping):
        return {_value(pair.key): _value(pair.value) for pair in node.pairs}
    if isinstance(node, Sequence):
        return [_value(item) for item in node.items]
    assert isinstance(node, Scalar), "python_text: a node of no kind"
    return _scalar(node)


def _scalar(node: Scalar) -> Any:
    text, tag = node.text, (node.tag or "").removeprefix(TAG)
    if tag == "binary":
        from binascii import a2b_base64

        return a2b_base64(text)
    if is_null(node):
        return None
    found = scalars.meaning(node, "pyyaml")
    plain = node.style is None and node.tag is None
    if found.kind == "bool":
        return found.value
    if plain and ":" in text and _float_60(text):
        return _of_base_60(text)
    if found.kind == "int":
        return found.value
    if found.kind == "float" or (found.kind == "odd" and found.shown.startswith("the number")):
        return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    if found.kind == "odd":
        return _date(text)
    return text


def _of_base_60(text: str) -> float:
    sign = -1 if text.startswith("-") else 1
    value = 0.0
    for part in text.lstrip("+-").replace("_", "").split(":"):
        value = value * 60 + float(part)
    return sign * value


def _date(text: str) -> Any:
    """A day or a moment; a text that is none, such as `2024-1-1` (which has no time) or `2024-01-01x`."""
    match = _moment(text)
    if match is None:
        return text
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    if hour is None and (len(month) < 2 or len(day) < 2):
        return text
    from datetime import UTC, date, datetime, timedelta, timezone

    if hour is None:
        return date(int(year), int(month), int(day))
    zone = UTC if text.endswith("Z") else None
    if sign is not None:
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
    micros = int((fraction or "")[:6].ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, tzinfo=zone)
