"""Where each character of a scalar stands in the text: only what points into a scalar asks for it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.yamldoc.node import Scalar


def offsets(scalar: Scalar) -> list[int]:
    """For each character of the scalar's text, and for its end, the offset in the source."""
    return _literal(scalar) if scalar.style == "|" else _matched(scalar)


def _literal(scalar: Scalar) -> list[int]:
    """Lines of a literal block stand in the source as they are, behind their indent."""
    text = scalar.source.text
    header = text.find("\n", scalar.start, scalar.end)
    if header < 0:
        return [scalar.end] * (len(scalar.text) + 1)
    lines = scalar.text.split("\n")
    start, indent = header + 1, None
    while indent is None and start < scalar.end:  # the first line with text shows the indent
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text[start:end].strip():
            first = next(line for line in lines if line.strip())
            indent = max(0, len(text[start:end].rstrip("\r")) - len(first))
        start = end + 1
    found: list[int] = []
    start = header + 1
    for number, line in enumerate(lines):
        end = text.find("\n", start, scalar.end)
        end = scalar.end if end < 0 else end
        begin = min(start + (indent or 0), end)
        found += [min(begin + column, end) for column in range(len(line))]
        if number < len(lines) - 1:
            found.append(end)
            start = min(end + 1, scalar.end)
    found.append(min(start + (indent or 0), scalar.end) if not lines[-1] else found[-1] + 1)
    return found


def _matched(scalar: Scalar) -> list[int]:
    """Plain, quoted and folded scalars: characters are found again one by one; white space stands for any stretch of
    white space, an escape for its character."""
    text, place, last = scalar.source.text, scalar.start, scalar.end
    if scalar.style in ("'", '"'):
        place, last = place + 1, last - 1
    elif scalar.style == ">":
        header = text.find("\n", place, last)
        place = header + 1 if header >= 0 else last
    found: list[int] = []
    for char in scalar.text:
        while scalar.style == '"' and text[place : place + 1] == "\\" and text[place + 1 : place + 2] in "\r\n":
            place += 1  # a line that goes on
            while place < last and text[place].isspace():
                place += 1
        escaped = scalar.style == '"' and text[place : place + 1] == "\\"
        if char.isspace() and not escaped:
            found.append(min(place, last))
            while place < last and text[place].isspace():
                place += 1
            continue
        while place < last and text[place].isspace():
            place += 1
        found.append(min(place, last))
        if place < last and scalar.style == '"' and text[place] == "\\":
            place += {"x": 4, "u": 6, "U": 10}.get(text[place + 1 : place + 2], 2)
        elif place < last and scalar.style == "'" and text[place : place + 2] == "''":
            place += 2
        elif place < last:
            place += 1
    found.append(min(place, last))
    return found
