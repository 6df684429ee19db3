"""Ports in all their forms: numbers, ranges, mappings with an outer and an inner side."""

from __future__ import annotations

from flowc.diag.codes.yaml import foundry as codes
from flowc.ir.job import Port
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, Node, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.source import Span

MOST = 65535
MOST_PORTS = 1000  # in all; each is a service of its own on the machine
_range = at_first_use(r"\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?\s*", "fullmatch")


class Mistake(Exception):
    """Why a text is no port."""


def read_ports(task: Mapping, sink: Sink) -> list[tuple[Port, Span]]:
    """The ports of a task, ranges written out, each with the place of its entry; mistakes are reported."""
    found: list[tuple[Port, Span]] = []
    for index, node in enumerate(task.each("ports")):
        try:
            found += [(port, node.span) for port in _entry(node)]
            if len(found) > MOST_PORTS:
                raise Mistake(f"there are more than {MOST_PORTS} ports in all")
        except Mistake as mistake:
            sink.report(codes.FOUNDRY_PORT, node.span, path=f"ports[{index}]", reason=str(mistake))
    return found


def _entry(node: Node) -> list[Port]:
    if isinstance(node, Scalar):
        return [Port(external=port, internal=port, protocol="tcp") for port in _numbers(node)]
    external, internal = node.at("external"), node.at("internal")
    if not isinstance(external, Scalar) or not isinstance(internal, Scalar):
        return []  # reported as missing
    outer, inner = _numbers(external), _numbers(internal)
    if len(outer) != len(inner):
        raise Mistake(f"{len(outer)} external ports cannot lead to {len(inner)} internal ones")
    protocol = node.read("protocol", default="tcp")
    return [Port(external=a, internal=b, protocol=protocol) for a, b in zip(outer, inner, strict=True)]


def _numbers(scalar: Scalar) -> list[int]:
    """The ports of `8080` or `6006-6010`. Raises Mistake."""
    match = _range(scalar.text)
    if match is None:
        if ":" in scalar.text:
            outer, _, inner = scalar.text.partition(":")
            raise Mistake(f"YAML reads it as a number in base 60; write `{{external: {outer}, internal: {inner}}}`")
        raise Mistake("expected a number, a range such as `6006-6010`, or `external` and `internal`")
    first, last = int(match[1]), int(match[2] or match[1])
    if not (1 <= first <= MOST and 1 <= last <= MOST):
        raise Mistake(f"ports go from 1 to {MOST}")
    if first > last:
        raise Mistake(f"the range is reversed: write `{last}-{first}`")
    if last - first >= MOST_PORTS:
        raise Mistake(f"the range has {last - first + 1} ports, at most {MOST_PORTS} are possible")
    return list(range(first, last + 1))
