"""Sources and spans: where every text that the user wrote came from.

First stage of the flow: bytes become a `Source`; everything later speaks of it in spans (offsets). Line and column are
worked out only when something is shown.
"""

from __future__ import annotations

from _bisect import bisect_left, bisect_right  # what `bisect` is made of, without a file more
from itertools import accumulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    # A text with its places: `text`, and `span` for any stretch of it.
    Text: TypeAlias = "Source | Derived"
    # From which character of a derived text on, and the stretch that this piece of it was made of; None: of nothing.
    Piece: TypeAlias = "tuple[int, Text | None, int, int]"

_CONTEXT = 2_000  # characters around a text that are looked at for what makes it a secret


class Source:
    """A text that the user wrote: a file, standard input, a command line, an environment.

    `text` keeps bytes that are not UTF-8 as lone surrogates, so that `data` gives the input back byte for byte.
    Line ends are LF only, as sbatch counts them: a lone CR is an ordinary character. `made` is of what it was made by
    putting values into its placeholders; what is said of it is shown there.
    """

    __slots__ = ("_line_starts", "find_secrets", "hidden", "made", "path", "text")

    def __init__(self, path: str, text: str, made: Derived | None = None) -> None:
        self.path = path
        self.text = text
        self.made = made
        # Who knows the format puts here what finds its secrets, once they are asked for: (start, end, value) of each.
        self.find_secrets: Callable[[], Iterable[tuple[int, int, str]]] | None = None
        self.hidden: list[tuple[int, int, str]] = []
        self._line_starts: list[int] | None = None

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> Source:
        return cls(path, data.decode("utf-8", "surrogateescape"))

    @property
    def data(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def line_starts(self) -> list[int]:
        if self._line_starts is None:
            sizes = accumulate(map(len, self.text.split("\n")))
            self._line_starts = [0, *(size + number for number, size in enumerate(sizes, 1))]
            self._line_starts.pop()
        return self._line_starts

    def line_at(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect_right(self._line_starts or self.line_starts, offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1, the column in characters."""
        starts = self._line_starts or self.line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    @property
    def secrets(self) -> list[tuple[int, int, str]]:
        """The values of secrets that the form of the text gives away: start, end and value, in order."""
        if self.find_secrets is not None:
            from flowc.secret import may_name

            self.hidden = sorted((*self.hidden, *(self.find_secrets() if may_name(self.text) else ())))
            self.find_secrets = None
        return self.hidden

    def holds_secret(self, start: int, end: int) -> bool:
        """Whether a value that is a secret stands there, or a part of it."""
        return any(first < end and start < last for first, last, _ in self.secrets)

    def shown(self, start: int, end: int) -> str:
        """The text from `start` to `end` as it may be shown, as long as it is: with stars for secrets."""
        from flowc.secret import places, starred

        begin, stop = self._around(start, end)
        text = self.text[begin:stop]
        found = [
            (max(first - begin, 0), last - begin) for first, last, _ in self.secrets if first < end and begin < last
        ]
        return starred(text, sorted([*places(text), *found]))[start - begin : end - begin]

    def _around(self, start: int, end: int) -> tuple[int, int]:
        """What is looked at for a stretch: its lines, as the name of a secret may stand before it, within reason."""
        begin = max(self.text.rfind("\n", 0, start) + 1, start - _CONTEXT)
        stop = self.text.find("\n", end, end + _CONTEXT)
        return begin, stop if stop >= 0 else min(end + _CONTEXT, len(self.text))

    def lines_near(self, span: Span) -> str:
        """The lines of a span, within reason: what makes a word of it a secret stands there."""
        return self.text[slice(*self._around(span.start, min(span.end, span.start + _CONTEXT)))]

    @property
    def secret_values(self) -> list[str]:
        if not self.secrets:
            return []
        from flowc.secret import parts

        return [part for _, _, value in self.secrets for part in parts(value)]

    def masked(self, text: str) -> str:
        """A text about this source as it may be shown: with stars for what is secret by its own words, or here."""
        from flowc.secret import masked

        return masked(text, self.secret_values)

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)

    def __repr__(self) -> str:
        return f"Source({self.path!r}, {len(self.text)} characters)"


class Span:
    """A stretch of a source: offsets `start` (included) to `end` (excluded)."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.line_at(self.start)

    @property
    def written(self) -> Span:
        """The same as the user wrote it, where values were put into the placeholders of the source."""
        if self.source.made is None:
            return self
        found = self.source.made.span(self.start, self.end)
        assert found is not None, "each piece was made of something"
        return found

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Span)
            and other.source is self.source
            and (other.start, other.end) == (self.start, self.end)
        )

    def __hash__(self) -> int:
        return hash((id(self.source), self.start, self.end))

    def __repr__(self) -> str:
        line, column = self.source.position(self.start)
        return f"Span({self.source.path}:{line}:{column} {self.source.shown(self.start, self.end)!r})"


class Derived:
    """Text made of other text: `text` was made of `base` from `start` to `end`, by taking quotes, escapes, indents away
    or by putting pieces together. `base` may be derived itself; it is None where there are several or none.

    `trace` gives the pieces, in order, and is asked only for a place. A piece that reads as what it was made of is
    mapped character by character, any other stands for all of its stretch; without a `trace` it is all one piece.
    """

    __slots__ = ("_pieces", "_trace", "base", "end", "start", "text")

    def __init__(
        self, text: str, base: Text | None, start: int, end: int, trace: Callable[[], list[Piece]] | None = None
    ) -> None:
        self.text = text
        self.base = base
        self.start = start
        self.end = end
        self._trace = trace
        self._pieces: list[Piece] | None = None

    @classmethod
    def of(cls, base: Text, start: int, end: int) -> Derived:
        """A stretch as it is."""
        text = base.text[start:end]
        if isinstance(base, Derived) and base._reads_as_made:
            start, end, base = base.start + start, base.start + end, base.base  # type: ignore[assignment]
        return cls(text, base, start, end)

    @property
    def _reads_as_made(self) -> bool:
        return self._trace is None and self.base is not None and self.base.text[self.start : self.end] == self.text

    @classmethod
    def joined(cls, *parts: Text | str) -> Derived:
        """One behind the other; what is a plain text was made of nothing."""
        texts = [part if isinstance(part, str) else part.text for part in parts]

        def trace() -> list[Piece]:
            found: list[Piece] = []
            at = 0
            for part, text in zip(parts, texts, strict=True):
                found.append((at, None if isinstance(part, str) else part, 0, len(text)))
                at += len(text)
            return found

        return cls("".join(texts), None, 0, 0, trace)

    @property
    def source(self) -> Source:
        """The source at the bottom of what was made of one stretch."""
        assert self.base is not None, "text of several sources, or of none"
        return self.base if isinstance(self.base, Source) else self.base.source

    @property
    def pieces(self) -> list[Piece]:
        if self._pieces is None:
            self._pieces = self._trace() if self._trace is not None else [(0, self.base, self.start, self.end)]
        return self._pieces

    def span(self, start: int, end: int) -> Span | None:
        """The stretch of a source that `text[start:end]` was made of; of several sources, in the first. For an empty
        one, the place in front of the next character. None where it was made of nothing."""
        size, base, first = len(self.text), self.base, self.start
        start = size if start > size else start
        end = start if end < start else size if end > size else end
        if self._trace is None:
            if base is not None and base.text[first : self.end] == self.text:  # most are whole and without quotes
                return base.span(first + start, first + end)
            return self._place(0, base, first, self.end, size, start, end)
        first = max(0, bisect_right(self.pieces, start, key=_at) - 1)
        last = max(first + 1, bisect_left(self.pieces, end, key=_at))
        behind = [*(piece[0] for piece in self.pieces[first + 1 : last + 1]), size]
        places = (
            self._place(*piece, after, start, end)
            for piece, after in zip(self.pieces[first:last], behind, strict=False)
        )
        spans = [span for span in places if span is not None]
        if len(spans) < 2:
            return spans[0] if spans else None
        source = spans[0].source
        spans = [span for span in spans if span.source is source]
        return Span(source, min(span.start for span in spans), max(span.end for span in spans))

    def _place(
        self, at: int, base: Text | None, first: int, last: int, after: int, start: int, end: int
    ) -> Span | None:
        """What a piece, the characters `at` to `after`, gives to the stretch from `start` to `end`."""
        if base is None:
            return None
        if base.text[first:last] == self.text[at:after]:
            return base.span(first - at + (start if start > at else at), first - at + (end if end < after else after))
        if start == end:
            return base.span(last, last) if start == after > at else base.span(first, first)
        return base.span(first, last)

    def __repr__(self) -> str:
        return f"Derived({len(self.text)} characters of {self.base!r})"


def _at(piece: Piece) -> int:
    return piece[0]
