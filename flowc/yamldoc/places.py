"""What each piece of a scalar's text was made of: only what points into a scalar asks for it.

The text is made once more from what was written, as YAML 1.1 has it made. Where that gives another text (the value of a
flag, say), the whole scalar is the place of all of it.
"""

from __future__ import annotations

from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.source import Piece
    from flowc.yamldoc.node import Scalar

_BREAKS = "\r\n\x85\u2028\u2029"
_break = at_first_use(rf"\r\n|[{_BREAKS}]", "match")
_line = at_first_use(rf"[^{_BREAKS}]*", "match")
_blanks = at_first_use(r"[ \t]*", "match")
_spaces = at_first_use(r" *", "match")
_word = at_first_use(rf"[^ \t{_BREAKS}'\"\\]+", "match")
_header = at_first_use(rf"[|>]([+-]?)[1-9]?([+-]?)[ \t]*(?:#[^{_BREAKS}]*)?", "match")
_first_text = at_first_use(rf"(?:\A|(?<=[{_BREAKS}]))( *)[ \t]*[^ \t{_BREAKS}]", "search")
# What a character behind a backslash stands for, and how many digits follow it.
_ESCAPES = {
    **{"0": "\0", "a": "\x07", "b": "\x08", "t": "\t", "\t": "\t", "n": "\n", "v": "\x0b", "f": "\x0c", "r": "\r"},
    **{"e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"},
}
_digits = {
    "x": at_first_use(r"[0-9A-Fa-f]{2}", "match"),
    "u": at_first_use(r"[0-9A-Fa-f]{4}", "match"),
    "U": at_first_use(r"00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}", "match"),
}


def pieces(scalar: Scalar) -> list[Piece]:
    """The pieces of a scalar's text, as `flowc.source.Derived` has them."""
    made = _Block(scalar) if scalar.style in ("|", ">") else _Flow(scalar)
    if made.text[scalar.start : scalar.end] != scalar.text and made.run() and "".join(made.parts) == scalar.text:
        return made.found
    return [(0, scalar.source, scalar.start, scalar.end)]


class _Maker:
    """Makes a text and notes what its pieces were made of."""

    def __init__(self, scalar: Scalar) -> None:
        self.scalar = scalar
        self.text = scalar.source.text
        self.place = scalar.start
        self.end = scalar.end
        self.parts: list[str] = []
        self.size = 0
        self.found: list[Piece] = []

    def put(self, piece: str, start: int, end: int) -> None:
        if piece:
            self.found.append((self.size, self.scalar.source, start, end))
            self.parts.append(piece)
            self.size += len(piece)

    def line_break(self) -> str:
        """The line break here as YAML reads it, "" where there is none; goes behind it."""
        found = _break(self.text, self.place, self.end)
        if found is None:
            return ""
        self.place = found.end()
        return found[0] if found[0] in "\u2028\u2029" else "\n"


class _Flow(_Maker):
    """Plain scalars and those in quotes: their lines are folded."""

    def run(self) -> bool:
        quote = self.scalar.style or ""
        if not self.text.startswith(quote, self.place) or not self.text.endswith(quote, self.place + 1, self.end):
            return False
        self.place += len(quote)
        self.end -= len(quote)
        while self.place < self.end:
            start, char = self.place, self.text[self.place]
            word = _word(self.text, start, self.end)
            if word is not None:
                self.place = word.end()
                self.put(word[0], start, self.place)
            elif char in " \t" or char in _BREAKS:
                self.fold()
            elif char == "\\" and quote == '"':
                self.escape()
            else:
                self.place += 2 if char == quote else 1
                self.put(char, start, self.place)
        return True

    def fold(self) -> None:
        """Blanks and line breaks: one break is a blank, of several the first is none."""
        start = self.place
        self.place = _blanks(self.text, start, self.end).end()
        first = self.line_break()
        if not first:
            self.put(self.text[start : self.place], start, self.place)
            return
        behind = self.place
        empty = self.empty_lines()
        if first != "\n":
            self.put(first, start, behind)
        elif not empty:
            self.put(" ", start, self.place)
        for each in empty:
            self.put(*each)

    def empty_lines(self) -> list[tuple[str, int, int]]:
        """Goes behind the indent of the line that has more."""
        found = list[tuple[str, int, int]]()
        while True:
            start = self.place
            self.place = _blanks(self.text, start, self.end).end()
            each = self.line_break()
            if not each:
                return found
            found.append((each, start, self.place))

    def escape(self) -> None:
        start, char = self.place, self.text[self.place + 1 : self.place + 2]
        digits = _digits[char](self.text, self.place + 2, self.end) if char in _digits else None
        if digits is not None:
            self.place = digits.end()
            self.put(chr(int(digits[0], 16)), start, self.place)
        elif char in _ESCAPES:
            self.place += 2
            self.put(_ESCAPES[char], start, self.place)
        else:  # the line goes on
            self.place += 1
            self.line_break()
            for each in self.empty_lines():
                self.put(*each)


class _Block(_Maker):
    """Literal and folded blocks, in the lines behind their header. `start` is where the line at `place` begins."""

    start = indent = 0

    def run(self) -> bool:
        header = _header(self.text, self.place, self.end)
        wanted = _first_text(self.scalar.text)
        if header is None:
            return False
        self.place, self.end = header.end(), len(self.text)
        self.line_break()
        written = _first_text(self.text[self.place : self.scalar.end])
        # What the first line with text has in front of what the text has there.
        self.indent = len(written[1]) - len(wanted[1]) if written is not None and wanted is not None else self.end
        last, empty = ("", 0, 0), self.empty_lines()
        while self.has_text():
            for each in empty:
                self.put(*each)
            start = self.place
            self.place = end = _line(self.text, start).end()
            self.put(self.text[start:end], start, end)
            last = self.line_break(), end, self.place
            empty = self.empty_lines()
            if not self.has_text():
                break
            if self.scalar.style == "|" or last[0] != "\n" or {self.text[start], self.text[self.place]} & {" ", "\t"}:
                self.put(*last)
            elif not empty:
                self.put(" ", end, self.place)
        chomping = header[1] or header[2]
        if chomping != "-":
            self.put(*last)
        for each in empty if chomping == "+" else ():
            self.put(*each)
        return True

    def has_text(self) -> bool:
        """Whether a line of the block begins here, behind the indent."""
        return self.place < self.end and self.place - self.start == self.indent

    def empty_lines(self) -> list[tuple[str, int, int]]:
        """Goes behind the indent of the line that has more."""
        found = list[tuple[str, int, int]]()
        while True:
            self.start = self.place
            self.place = min(_spaces(self.text, self.place).end(), self.place + max(self.indent, 0))
            each = self.line_break()
            if not each:
                return found
            found.append((each, self.start, self.place))
