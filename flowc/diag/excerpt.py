"""Shows a stretch of a source: the line with its number, and carets below the span.

What stands in a source is not trusted: no character reaches a terminal that could move its cursor, change its
colours or turn the order of letters around. And it may be huge: what is looked at is bounded, however long a
line is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.source import Source, Span

TAB = "    "
_ELLIPSIS = "…"


def visible(text: str) -> str:
    """`text` on one line with everything made visible that a terminal would obey or hide."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)  # the Unicode pictures of control characters
    if number == 0x7F:
        return "␡"
    if 0xDC80 <= number <= 0xDCFF:  # a byte that is not UTF-8, see Source
        return f"\\x{number - 0xDC00:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def of_job(job: str | None) -> str:
    """What is said behind a message where a file holds several jobs."""
    return f" (job `{visible(job)}`)" if job is not None else ""


class _Cells:
    """Characters as they are shown, and the columns that each takes."""

    def __init__(self, text: str) -> None:
        if text.isascii() and text.isprintable():
            self.shown = list(text)
            self.widths = [1] * len(text)
        else:
            self.shown = [TAB if character == "\t" else _shown(character) for character in text]
            self.widths = [_width(shown) for shown in self.shown]

    def fitting(self, start: int, room: int, step: int) -> int:
        """How many cells from `start` on, to the right (step 1) or from the one before to the left (-1), fill
        `room`."""
        count, position = 0, start if step > 0 else start - 1
        while 0 <= position < len(self.widths) and self.widths[position] <= room:
            room -= self.widths[position]
            count += 1
            position += step
        return count


def _width(shown: str) -> int:
    if shown.isascii():
        return len(shown)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(character) in ("Mn", "Me") else 2 if east_asian_width(character) in "WF" else 1
        for character in shown
    )


def excerpt(span: Span, width: int) -> tuple[int, str, str, str]:
    """(line number, line as shown, blanks before the carets, carets), the line cut to at most `width` columns
    around the start of the span. Of a span over several lines the first is shown; an empty span has one
    caret."""
    source = span.source
    line, _ = source.position(span.start)
    begin = source.line_starts[line - 1]
    left = max(begin, span.start - width)  # a character takes a column or more, or next to none
    right = _line_end(source, span.start, span.start + 2 * width)
    cells = _Cells(source.shown(left, right))
    first = min(span.start, right) - left
    stop = max(min(span.end, right) - left, first)
    whole = left == begin and _is_line_end(source, right)
    low, high = (0, len(cells.shown))
    if not whole or sum(cells.widths) > width:
        low, high = _window(cells, first, stop, width)
    head = _ELLIPSIS if left + low > begin else ""
    tail = _ELLIPSIS if left + high < right or not _is_line_end(source, right) else ""
    shown = head + "".join(cells.shown[low:high]) + tail
    before = len(head) + sum(cells.widths[low:first])
    under = sum(cells.widths[first : min(stop, high)])
    return line, shown.rstrip(), " " * before, "^" * max(under, 1)


def _line_end(source: Source, offset: int, limit: int) -> int:
    end = source.text.find("\n", offset, limit)
    return min(limit, len(source.text)) if end < 0 else end


def _is_line_end(source: Source, offset: int) -> bool:
    return offset >= len(source.text) or source.text[offset] == "\n"


def _window(cells: _Cells, first: int, stop: int, width: int) -> tuple[int, int]:
    """The cells to show when not all fit: the span, with a third of the room left of it, more when it ends
    early."""
    room = width - 2 * len(_ELLIPSIS)
    inside = min(sum(cells.widths[first:stop]), room * 4 // 5)
    after = sum(cells.widths[stop:])
    before = max((room - inside) // 3, room - inside - after)
    low = first - cells.fitting(first, before, -1)
    used = sum(cells.widths[low:first])
    return low, first + cells.fitting(first, room - used, 1)


def line_ranges(numbers: list[int]) -> list[str]:
    """`3`, `5-7` for the lines 3, 5, 6 and 7."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][-1] = number
        else:
            ranges.append([number, number])
    return [str(low) if low == high else f"{low}-{high}" for low, high in ranges]
