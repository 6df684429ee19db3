"""Sources and spans: where every text that the user wrote came from.

First stage of the flow: bytes become a `Source`; everything later speaks of it in spans (offsets). Line and column are
worked out only when something is shown.
"""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CONTEXT = 2_000  # characters around a text that are looked at for what makes it a secret


class Source:
    """A text that the user wrote: a file, standard input, a command line, an environment.

    `text` keeps bytes that are not UTF-8 as lone surrogates, so that `data` gives the input back byte for byte.
    Line ends are LF only, as sbatch counts them: a lone CR is an ordinary character.
    """

    __slots__ = ("_line_starts", "_tells", "find_secrets", "hidden", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        # Who knows the format puts here what finds its secrets, once they are asked for: (start, end, value) of each.
        self.find_secrets: Callable[[], Iterable[tuple[int, int, str]]] | None = None
        self.hidden: list[tuple[int, int, str]] = []
        self._tells: bool | None = None
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
            starts = [0]
            find, position = self.text.find, 0
            while (position := find("\n", position) + 1) > 0:
                starts.append(position)
            self._line_starts = starts
        return self._line_starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1, the column in characters."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    @property
    def secrets(self) -> list[tuple[int, int, str]]:
        """The values of secrets that the form of the text gives away: start, end and value, in order."""
        if self.find_secrets is not None:
            self.hidden = sorted((*self.hidden, *(self.find_secrets() if self.tells_secrets else ())))
            self.find_secrets = None
        return self.hidden

    @property
    def tells_secrets(self) -> bool:
        """False where nothing in the text can be a secret by its words: most texts."""
        if self._tells is None:
            from flowc.secret import may_tell

            self._tells = may_tell(self.text)
        return self._tells

    def holds_secret(self, start: int, end: int) -> bool:
        """Whether a value that is a secret stands there, or a part of it."""
        return any(first < end and start < last for first, last, _ in self.secrets)

    def shown(self, start: int, end: int) -> str:
        """The text from `start` to `end` as it may be shown, as long as it is: with stars for secrets."""
        if not self.tells_secrets and not self.hidden:
            return self.text[start:end]
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

    def values_near(self, span: Span) -> list[str]:
        """The values of secrets that the form of the text gives away, or the words of the span's lines."""
        if not self.tells_secrets:
            return self.secret_values
        from flowc.secret import parts, places

        begin, stop = self._around(span.start, min(span.end, span.start + _CONTEXT))
        text = self.text[begin:stop]
        return [*self.secret_values, *(part for start, end in places(text) for part in parts(text[start:end]))]

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
        return self.source.position(self.start)[0]

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
