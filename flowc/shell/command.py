"""A simple command of a shell's text: its words, what it assigns, its redirections."""

from __future__ import annotations

from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Parts: TypeAlias = "tuple[list[tuple[int, str]], list[tuple[int, str]], list[tuple[int, str, str]]]"

# Words as most are, and the letters of a word that open nothing.
_simple = at_first_use(
    r"(?:[^\s\"'`$\\;&|()<>]|\\[\s\S]|\$\w|\$\{[^}'\"`$\\]*\}|\"(?:[^\"\\$`]|\\[\s\S]|\$\w)*\"|'[^']*')+", "match"
)
_letters = at_first_use(r"(?:[^\s\"'`\\;&|()<>]|\\[\s\S])+?(?=[\s\"'`$;&|()<>]|[?*+@!]\(|\Z)", "match")
_ENDS = frozenset(" \t\n;&|)")
_between = at_first_use(r"(?:[ \t\n]|\\\r?\n|#[^\n]*)*", "match")
_redirection = at_first_use(r"\d*(?:<<<|<<-?|<>|>>|[<>]&|>\||&>>?|[<>])[ \t]*", "match")
_assignment = at_first_use(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=", "match")
# Words in front of a command that are none of it.
LEADING = frozenset(
    (
        "if",
        "then",
        "else",
        "elif",
        "do",
        "while",
        "until",
        "!",
        "{",
        "}",
        "time",
        "fi",
        "done",
        "esac",
        "coproc",
        "function",
    )
)
MOST_WORDS = 200


class Command:
    """A simple command of `text[start:end]`. `closed`: where what begins at a place of the text ends."""

    __slots__ = ("_parts", "closed", "end", "start", "text")

    def __init__(self, text: str, start: int, end: int, closed: dict[int, int]) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.closed = closed
        self._parts: Parts | None = None  # read once: several ask

    def reserved(self) -> list[str]:
        """The reserved words in front of it."""
        found: list[str] = []
        place = self.start
        while True:
            start = _between(self.text, place, self.end).end()
            place = self._end_of_word(start)
            word = self.text[start:place]
            if word not in LEADING:
                return found
            found.append(word)

    def words(self) -> list[tuple[int, str]]:
        """Its words with their offsets as they are written, from its name on: without reserved words, assignments and
        redirections in front of it."""
        return self.parts()[1]

    def parts(self) -> Parts:
        """All that it is made of, with offsets: `NAME=VALUE` in front of its name; its `words`; the operator and the
        word of each redirection."""
        if self._parts is None:
            self._parts = self._read()
        return self._parts

    def _read(self) -> Parts:
        text, place, end = self.text, self.start, self.end
        assigned: list[tuple[int, str]] = []
        words: list[tuple[int, str]] = []
        redirections: list[tuple[int, str, str]] = []
        left = MOST_WORDS
        while left > 0:
            while place < end and text[place] in " \t":
                place += 1
            if place < end and text[place] in "\n\\#":
                place = _between(text, place, end).end()
            at = place
            while at < end and text[at].isdecimal():
                at += 1
            redirects = at < end and text[at] in "<>&" and at not in self.closed
            operator = _redirection(text, place, end) if redirects else None
            if operator is not None:
                place = operator.end()
            start, place = place, self._end_of_word(place)
            word = text[start:place]
            if operator is not None:
                if word:
                    redirections.append((start, operator[0].strip(), word))
                continue
            if not word:
                break
            left -= 1
            if words or (word not in LEADING and not ("=" in word and _assignment(word))):
                words.append((start, word))
            elif word == "function":  # its name is none of a command
                place = self._end_of_word(_between(text, place, end).end())
            elif word not in LEADING:
                assigned.append((start, word))
        return assigned, words, redirections

    def _end_of_word(self, place: int) -> int:
        """Where the word ends that begins at `place`: there, if none does."""
        text, end, closed = self.text, self.end, self.closed
        match = _simple(text, place, end)
        stop = place if match is None else int(match.end())
        if stop == end or (stop < end and text[stop] in _ENDS):
            return stop
        while place < end:
            if place in closed:
                place = closed[place]
            elif text[place] == "$":
                place += 1
            else:
                match = _letters(text, place, end)
                if match is None:
                    break
                place = int(match.end())
        return min(place, end)
