"""Which of a job's ports the machine opens, and to which others inside it leads them."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Port

# The lowest port that the provider's tool opens.
LOWEST_PORT = 1024


class Ports(Record):
    """What templates ask for: instances of the units that open ports, and of those that lead a port to another one
    inside."""

    port_units: tuple[str, ...] = ()
    forward_units: tuple[str, ...] = ()


NO_PORTS = Ports()


def ports(asked: tuple[Port, ...]) -> Ports:
    if not asked:
        return NO_PORTS
    opened = sorted({port.external for port in asked if opens(port)})
    pairs = sorted({(port.external, port.internal) for port in asked if opens(port)})
    return Ports(
        port_units=tuple(f"flowc-port@{each}" for each in runs(opened)),
        forward_units=tuple(f"flowc-forward@{outer}:{inner}" for outer, inner in pairs if outer != inner),
    )


def opens(port: Port) -> bool:
    """Whether the provider's tool can open this port."""
    return port.protocol.lower() == "tcp" and port.external >= LOWEST_PORT


def runs(numbers: list[int]) -> list[str]:
    """Ascending numbers, those in a row as bash's braces write them: `7`, `{10..12}`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(first) if first == last else f"{{{first}..{last}}}" for first, last in found]
