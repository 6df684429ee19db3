"""Amounts: CPUs, memory and disk with a unit and a `+`, ports with ranges."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.ir.job import Port
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Node, Scalar, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink

# All units are powers of 1024, with or without the `i`.
UNITS = {"": 30, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
MOST_PORT = 65535
MOST_PORTS = 1000

# As Python's `float` reads a number.
_NUMBER = r"\+?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?:e[-+]?[0-9])?"
_amount = at_first_use(rf"({_NUMBER})\s*([kmgtp]?)[bi]?\s*\+?", "fullmatch", 2)  # re.IGNORECASE
_range = at_first_use(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", "fullmatch")


def size_bytes(text: str) -> int:
    """The bytes of a text that has the form of its field: `32`, `32+`, `512GB`."""
    match = _amount(text.strip())
    assert match is not None, f"sizes: {text!r} has passed its pattern"
    return int(float(match[1]) * (1 << UNITS[match[2].lower()]))


def cpus(text: str) -> int:
    """CPUs of a text that has the form of its field, rounded up."""
    match = _amount(text.strip())
    assert match is not None, f"sizes: {text!r} has passed its pattern"
    return max(1, -int(-float(match[1]) // 1))


def ports(node: Node, sink: Sink) -> tuple[Port, ...]:
    """The ports of a field, merged and in order; reports what is none."""
    found: set[int] = set()
    for each in node.items if isinstance(node, Sequence) else [node] if getattr(node, "text", "") else []:
        if not isinstance(each, Scalar):
            continue
        for part in filter(str.strip, each.text.split(",")):
            problem = _add(part.strip(), found)
            if problem is not None:
                sink.report(codes.SKYPILOT_PORT, each.span, text=part.strip(), reason=problem)
    return tuple(Port(external=port, internal=port, protocol="tcp") for port in sorted(found))


def _add(text: str, found: set[int]) -> str | None:
    """Add the ports of `8080` or `6006-6010`; the reason when it is none."""
    match = _range(text)
    if match is None:
        return "expected a number or a range such as `6006-6010`"
    first, last = int(match[1]), int(match[2] or match[1])
    if not (1 <= first <= MOST_PORT and 1 <= last <= MOST_PORT):
        return f"ports go from 1 to {MOST_PORT}"
    if first > last:
        return f"the range is reversed: write `{last}-{first}`"
    if last - first >= MOST_PORTS:
        return f"the range has {last - first + 1} ports, at most {MOST_PORTS} are possible"
    found.update(range(first, last + 1))
    return None
