"""What a scalar means, and what the type that a field wants makes of it.

The same plain scalar is different things to different readers: `no` is a bool to most, `y` to Kubernetes only, `1e3` a
text to PyYAML and a number to Kubernetes, `22:22` the number 1342 to PyYAML (base 60) and a text to Kubernetes. A
format names its reader: `pyyaml` (YAML 1.1 as PyYAML has it) or `kubernetes` (sigs.k8s.io/yaml). What a field reads is
decided by the type that it wants; where its format's own reader sees something else, that is said.
"""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.yamldoc.node import NULLS, TAG, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BOOLS = {
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_SHORT_BOOLS = {"y": True, "Y": True, "n": False, "N": False}

# Advice for a text such as `$NODES`.

# Everything that is no text begins with one of these, or is a word of the tables above.
_NUMBER_STARTS = frozenset("0123456789+-.")

_decimal = at_first_use(r"[-+]?(?:0|[1-9][0-9_]*)", "fullmatch")
_octal = at_first_use(r"[-+]?0o?[0-7_]+", "fullmatch")
_other_base = at_first_use(r"[-+]?0(?:x[0-9a-fA-F_]+|b[01_]+)", "fullmatch")
# PyYAML wants a point, a signed exponent, and no sign before the point; others none of it.
_float = at_first_use(r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?", "fullmatch")
_any_float = at_first_use(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?", "fullmatch")
_infinite = at_first_use(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))", "fullmatch")
_base_60 = at_first_use(r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", "fullmatch")
_date = at_first_use(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?", "fullmatch")

MOST_DIGITS = 40


class Meaning:
    """`kind` is null, bool, int, float, text, or odd (what the reader makes of it has no JSON form: `.inf`, a date);
    `value` the Python value (a float as decimal text); `shown` is how a message says what the reader sees."""

    __slots__ = ("kind", "shown", "value")

    def __init__(self, kind: str, value: Any = None, shown: str = "") -> None:
        self.kind = kind
        self.value = value
        self.shown = shown


TEXT = "text"


def to_fill_in(node: object) -> str | None:
    """Advice for a value that a template left to be filled in, None for any other."""
    text = node.text if isinstance(node, Scalar) else ""
    if text[:1] != "$" or not text.strip("${}").isidentifier():
        return None
    from flowc.diag.suggest import FILL_IN

    return FILL_IN


def meaning(scalar: Scalar, reader: str) -> Meaning:
    """What the format's own reader sees in a scalar."""
    text = scalar.text
    if scalar.tag is not None and scalar.tag.startswith(TAG):
        return _tagged(scalar, reader)
    if scalar.tag is not None and reader == "kubernetes":  # which drops a tag of one's own, and reads no number
        return Meaning(TEXT, text, "a text")
    if scalar.style is not None:
        return Meaning(TEXT, text, "a text")
    return _plain(text, reader)


def is_python_text(scalar: Scalar) -> bool:
    """Whether it is surely the same text to Python: what has `:` in it may be a number to the base of 60."""
    return scalar.tag is None and ":" not in scalar.text and meaning(scalar, "pyyaml").kind == TEXT


def _plain(text: str, reader: str) -> Meaning:
    if text in NULLS:
        return Meaning(kind="null", shown="null")
    if text in _BOOLS or (reader == "kubernetes" and text in _SHORT_BOOLS):
        value = _BOOLS[text] if text in _BOOLS else _SHORT_BOOLS[text]
        return Meaning(kind="bool", value=value, shown=f"the bool {'true' if value else 'false'}")
    if text[0] in _NUMBER_STARTS and len(text) <= 4 * MOST_DIGITS:
        return _number(text, reader)
    return Meaning(TEXT, text, "a text")


def _number(text: str, reader: str) -> Meaning:
    if text.isdigit() and text.isascii() and (text[0] != "0" or len(text) == 1):
        return _int(int(text))
    digits = text.replace("_", "")
    if _decimal(text):
        return _int(int(digits))
    if _octal(text) and (reader == "kubernetes" or "o" not in text):
        body = digits.lstrip("+-").replace("o", "")
        value = int(body, 8) * (-1 if digits[0] == "-" else 1)
        return Meaning(kind="int", value=value, shown=f"the number {value} (octal)")
    if _other_base(text):
        return _int(int(digits, 0))
    if (_any_float if reader == "kubernetes" else _float)(text) and not digits.lstrip("+-").isdigit():
        number = decimal_text(digits)
        return Meaning(
            kind="float" if number is not None else "odd", value=number, shown=f"the number {number or text}"
        )
    if _infinite(text):
        return Meaning(kind="odd", shown=f"the number {text.lstrip('+.-')}")
    if reader == "pyyaml" and _base_60(text):
        parts = digits.lstrip("+-").split(".")[0].split(":")
        value = 0
        for part in parts:
            value = value * 60 + int(part)
        return Meaning(kind="int", value=value, shown=f"the number {value} (base 60)")
    if reader == "pyyaml" and _date(text):
        return Meaning(kind="odd", shown="a date")
    return Meaning(TEXT, text, "a text")


def _int(value: int) -> Meaning:
    return Meaning(kind="int", value=value, shown=f"the number {value}")


def _tagged(scalar: Scalar, reader: str) -> Meaning:
    """An explicit tag decides; what it cannot be read as is a text."""
    assert scalar.tag is not None
    name = scalar.tag.removeprefix(TAG)
    if name in ("str", "binary"):
        return Meaning(TEXT, scalar.text, "a text")
    found = _plain(scalar.text, reader)
    if name == "float" and found.kind == "int":
        return Meaning(kind="float", value=str(found.value), shown=f"the number {found.value}")
    return found


def decimal_text(text: str) -> str | None:
    """A number in any decimal notation as plain decimal text (`1.5e3` is `1500`, `.50` is `0.5`); None beyond
    MOST_DIGITS places, which no field can want."""
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    shift = int(exponent or 0) if len(exponent) < 6 else 10**6
    digits, point = whole + fraction, len(whole) + shift
    if abs(shift) > MOST_DIGITS or len(digits) > MOST_DIGITS:
        return None
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point, "0")
    whole, fraction = digits[:point].lstrip("0") or "0", digits[point:].rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return number if number == "0" else sign + number


def as_number(text: str) -> str | None:
    """The decimal text of a number that stands in a text (`12.5`, `1e3`), None where it is none."""
    if len(text) <= 4 * MOST_DIGITS and _any_float(text):
        return decimal_text(text.replace("_", ""))
    return None
