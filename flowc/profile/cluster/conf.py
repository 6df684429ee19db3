"""slurm.conf and gres.conf as lines of keys and values, as Slurm's daemons read them.

A `#` begins a comment anywhere unless a backslash stands before it; a line that ends in a backslash goes on in the next
one, which comments end; `include` is relative to the folder of the file that it stands in; keys know no case.
"""

from __future__ import annotations

import os

from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 16 << 20
_DEEPEST = 10  # includes within includes
_comment = at_first_use(r"(?<!\\)(?:\\\\)*(#)", "search")
_include = at_first_use(r"\s*include\s+(\S.*?)\s*", "fullmatch", 2)
_pair = at_first_use(r"\s*([A-Za-z0-9_.]+)\s*[-+*/]?=\s*(?:\"([^\"]*)\"|(\S+))(?=\s|\Z)", "match")


class ConfError(Exception):
    """What cannot be read: the user's mistake, at a place or in no place in particular."""

    def __init__(self, path: str, reason: str, span: Span | None = None) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason
        self.span = span


class Line(Record):
    """One logical line: its first key in small letters, its values by such keys (of one given twice the last), and
    where it begins."""

    key: str
    values: dict[str, str]
    span: Span


def read(path: str) -> list[Line]:
    """The lines of a file and of those that it includes. Raises ConfError."""
    return [*_lines(path, 0)]


def _lines(path: str, depth: int) -> Iterator[Line]:
    source = _source(path)
    for start, end, text in _logical(source):
        span = Span(source, start, end)
        included = _include(text)
        if included is not None:
            if depth == _DEEPEST:
                raise ConfError(path, "files are included too deep", span)
            yield from _lines(os.path.join(os.path.dirname(path), included[1].strip('"')), depth + 1)
        elif text.strip():
            yield _line(text, path, span)


def _source(path: str) -> Source:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfError(path, (getattr(error, "strerror", None) or str(error)).lower()) from None
    if len(data) > MOST_BYTES:
        raise ConfError(path, f"it holds more than {MOST_BYTES >> 20} MiB")
    return Source.from_bytes(path, data)


def _logical(source: Source) -> Iterator[tuple[int, int, str]]:
    """Lines with those that go on joined, comments and escapes taken away: where each begins and ends."""
    parts: list[str] = []
    begin = 0
    for start, line in zip(source.line_starts, source.text.split("\n"), strict=True):
        text = line.rstrip("\r")
        comment = _comment(text)
        if comment is not None:
            text = text[: comment.start(1)]
        if not parts:
            begin = start
        if text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2:
            parts.append(text[:-1])
            continue
        yield begin, start + len(line), _unescaped("".join((*parts, text)))
        parts.clear()
    if parts:
        yield begin, len(source.text), _unescaped("".join(parts))


def _unescaped(text: str) -> str:
    return text if "\\" not in text else text.replace("\\#", "#").replace("\\\\", "\\")


def _line(text: str, path: str, span: Span) -> Line:
    values: dict[str, str] = {}
    first, at = "", 0
    while text[at:].strip():
        match = _pair(text, at)
        if match is None:
            raise ConfError(path, f"expected KEY=VALUE, found `{text[at:].split()[0]}`", span)
        key = match[1].lower()
        first = first or key
        values[key] = match[3] if match[2] is None else match[2]
        at = match.end()
    return Line(key=first, values=values, span=span)
