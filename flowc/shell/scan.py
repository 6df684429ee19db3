"""One scan of a shell's text: its simple commands with their words, comments, here-documents. Made once per text.

What is read is what bash would read, without running it: quotes, substitutions, arrays, patterns of `case`. A text that
bash would refuse is read to its end all the same.
"""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

_ARITHMETIC = r"\$?\(\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)\)"
# What ends a command, opens or closes something, or hides text; outside double quotes, and in them.
_code = at_first_use(
    rf"\\[\s\S]|\$?'|\"|`|{_ARITHMETIC}|\$\{{|\$\(|[<>]\(|<<<|<<-?|\(|\)|\}}|#|\n|;|\|\|?|&>>?|[<>]&|&&?", "search"
)
_quoted = at_first_use(rf"\\[\s\S]|\"|`|{_ARITHMETIC}|\$\{{|\$\(|\}}", "search")
_plain_end = at_first_use(r"'", "search")
_ansi_end = at_first_use(r"(?:[^'\\]|\\[\s\S])*'", "match")
_delimiter = at_first_use(r"[ \t]*((?:\\.|'[^'\n]*'|\"[^\"\n]*\"|[^\s;&|<>()'\"\\])+)", "match")
_unquote = at_first_use(r"[\\'\"]", "sub")
_NESTED = r"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)"
_piece = at_first_use(
    rf"(?:[^\s\"'`$\\;&|()<>]|\\[\s\S]|\"(?:[^\"\\$`]|\\[\s\S]|\${_NESTED}|`[^`]*`|\$\{{(?:[^}}\"]|\"[^\"]*\")*\}}|\$)*\""
    rf"|\$'(?:[^'\\]|\\[\s\S])*'|'[^']*'|[$<>]{_NESTED}|`[^`]*`|\$\{{[^}}]*\}}|\$|(?<==){_NESTED})+",
    "match",
)
# A word without commands in it, as most are: what it matches, `_piece` matches too if a character of _ENDS follows.
_simple = at_first_use(
    r"(?:[^\s\"'`$\\;&|()<>]|\\[\s\S]|\$\w|\$\{[^}]*\}|\"(?:[^\"\\$`]|\\[\s\S]|\$\w|\$\{[^}\"]*\})*\"|'[^']*')+",
    "match",
)
_ENDS = frozenset(" \t\n;&|)")
_between = at_first_use(r"(?:[ \t\n]|\\\r?\n|#[^\n]*)*", "match")
_redirection = at_first_use(r"\d*(?:<<<|<<-?|<>|>>|[<>]&|>\||&>>?|[<>])[ \t]*", "match")
_assignment = at_first_use(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=", "match")
# Words in front of a command that are none of it.
LEADING = frozenset(("if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "time", "fi", "done", "esac"))
_MOST_WORDS = 200
_MOST_OPEN = 200  # what is nested deeper is read as if it stood on this level


class HereDocument(Record):
    """The contents of a here-document: its offsets, and where the command is that reads it."""

    start: int
    end: int
    command: int


class Command(Record):
    """A simple command of `text[start:end]`; `depth`: in so many substitutions, subshells and arrays; `piped`: the
    output of another one is its input."""

    text: str
    start: int
    end: int
    depth: int
    piped: bool

    def words(self) -> list[tuple[int, str]]:
        """Its words with their offsets as they are written, from its name on: without reserved words, assignments and
        redirections in front of it."""
        return self.parts()[1]

    def parts(self) -> tuple[list[tuple[int, str]], list[tuple[int, str]], list[tuple[int, str, str]]]:
        """All that it is made of, with offsets: `NAME=VALUE` in front of its name; its `words`; the operator and the
        word of each redirection."""
        text, place, end = self.text, self.start, self.end
        assigned: list[tuple[int, str]] = []
        words: list[tuple[int, str]] = []
        redirections: list[tuple[int, str, str]] = []
        left = _MOST_WORDS
        while left > 0:
            while place < end and text[place] in " \t":
                place += 1
            if place < end and text[place] in "\n\\#":
                place = _between(text, place, end).end()
            at = place
            while at < end and text[at].isdecimal():
                at += 1
            operator = _redirection(text, place, end) if at < end and text[at] in "<>&" else None
            if operator is not None:
                place = operator.end()
            start, place = place, _end_of_word(text, place, end)
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
            elif word not in LEADING:
                assigned.append((start, word))
        return assigned, words, redirections


def _end_of_word(text: str, place: int, end: int) -> int:
    """Where the word ends that begins at `place`: there, if none does."""
    match = _simple(text, place, end)
    stop = place if match is None else int(match.end())
    if stop < end and text[stop] not in _ENDS:
        match = _piece(text, place, end)
    return place if match is None else int(match.end())


class Scan(Record):
    """What a text holds, each in the order of the text. `comments` and `quotes` (in single quotes) are stretches."""

    commands: tuple[Command, ...]
    here_documents: tuple[HereDocument, ...]
    comments: tuple[tuple[int, int], ...]
    quotes: tuple[tuple[int, int], ...]

    def in_here_document(self, place: int) -> HereDocument | None:
        return next((each for each in self.here_documents if each.start <= place < each.end), None)

    def in_comment(self, place: int) -> bool:
        return any(start <= place < end for start, end in self.comments)

    def command_at(self, place: int) -> Command | None:
        """The innermost command that this place belongs to."""
        around = [each for each in self.commands if each.start <= place < each.end]
        return max(around, key=lambda each: (each.start, -each.end)) if around else None


# The last text and its scan, in one value, which threads see whole.
_last: tuple[str, Scan] = ("", Scan(commands=(), here_documents=(), comments=(), quotes=()))


def scan(text: str) -> Scan:
    global _last
    known, found = _last
    if known != text:
        found = _Scanner(text).run()
        _last = text, found
    return found


class _Scanner:
    __slots__ = ("commands", "comments", "documents", "open", "pending", "piped", "quotes", "start", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.commands: list[Command] = []
        self.documents: list[HereDocument] = []
        self.comments: list[tuple[int, int]] = []
        self.quotes: list[tuple[int, int]] = []
        self.pending: list[tuple[str, bool, int]] = []
        self.open: list[tuple[str, int, bool]] = []  # what is open, and the command around it
        self.start = 0
        self.piped = False

    def run(self) -> Scan:
        text, place, size = self.text, 0, len(self.text)
        while place < size:
            inside = self.open[-1][0] if self.open else ""
            match: Match[str] | None = (_quoted if inside in ('"', "${") else _code)(text, place)
            if match is None:
                break
            place = self._token(match, match[0], inside)
        while self.open:
            self._close(size)
        self._end(size)
        return Scan(
            commands=tuple(sorted(self.commands, key=lambda each: each.start)),
            here_documents=tuple(self.documents),
            comments=tuple(self.comments),
            quotes=tuple(self.quotes),
        )

    def _token(self, match: Match[str], token: str, inside: str) -> int:
        """Takes what was found, and says where to go on."""
        text, start, end = self.text, match.start(), match.end()
        if inside in ('"', "${"):
            if (token == '"' and inside == '"') or (token == "}" and inside == "${"):
                self.start = self.open.pop()[1]
            elif token in ("`", "$(") or (token == '"' and inside == "${") or token == "${":
                self._toggle(token, start, end)
        elif token in ("'", "$'"):
            return self._single(token, start, end)
        elif token == "#":
            if start == 0 or text[start - 1] in " \t\n;|&()":
                stop = text.find("\n", start)
                stop = len(text) if stop < 0 else stop
                self.comments.append((start, stop))
                return stop
        elif token in ('"', "`", "$(", "${", "<(", ">("):
            self._toggle(token, start, end)
        elif token == "(":
            self._open("A" if text[start - 1 : start] == "=" else "(", end)
        elif token == ")":
            self._parenthesis(start, end)
        elif token in ("<<", "<<-"):
            word = _delimiter(text, end)
            if word is not None:
                self.pending.append((_unquote("", word[1]), token == "<<-", self.start))
                end = word.end()
        elif token == "\n":
            if inside != "A":
                self._end(start)
                self.start = end
            return self._documents(end) if self.pending else end
        elif token in (";", "|", "||", "&", "&&") and inside != "A":
            self._end(start)
            self.start, self.piped = end, token == "|"
        return end

    def _single(self, token: str, start: int, end: int) -> int:
        closing = (_ansi_end if token == "$'" else _plain_end)(self.text, end)
        if closing is None:
            return end
        self.quotes.append((start, closing.end()))
        return int(closing.end())

    def _toggle(self, token: str, start: int, end: int) -> None:
        if token == "`" and any(kind == "`" for kind, _, _ in self.open):
            while self.open[-1][0] != "`":
                self._close(start)
            self._close(start)
        else:
            self._open(token, end)

    def _open(self, kind: str, end: int) -> None:
        if len(self.open) < _MOST_OPEN:
            self.open.append((kind, self.start, self.piped))
            if kind not in ('"', "${"):
                self.start, self.piped = end, False

    def _close(self, place: int) -> None:
        kind = self.open[-1][0]
        if kind not in ('"', "${", "A"):
            self._end(place)
        _, self.start, self.piped = self.open.pop()
        if kind == "(":
            self.start, self.piped = place + 1, False  # it stood alone, or behind the name of a function

    def _parenthesis(self, start: int, end: int) -> None:
        if any(kind in ("(", "$(", "<(", ">(", "A") for kind, _, _ in self.open):
            while self.open[-1][0] not in ("(", "$(", "<(", ">(", "A"):
                self._close(start)
            self._close(start)
        else:
            self.start, self.piped = end, False  # what stands before it is a pattern of `case`

    def _end(self, end: int) -> None:
        start = self.start
        if start < end and not self.text[start:end].isspace():
            self.commands.append(Command(text=self.text, start=start, end=end, depth=len(self.open), piped=self.piped))
            self.piped = False

    def _documents(self, place: int) -> int:
        """The here-documents that begin at this line; what no line ends is none (most likely a shift)."""
        for word, tabs, command in self.pending:
            at = place
            while 0 <= at < len(self.text):
                stop = self.text.find("\n", at)
                line = self.text[at:] if stop < 0 else self.text[at:stop]
                if (line.lstrip("\t") if tabs else line) == word:
                    self.documents.append(HereDocument(start=place, end=at, command=command))
                    place = len(self.text) if stop < 0 else stop + 1
                    break
                at = stop + 1 if stop >= 0 else -1
        self.pending.clear()
        self.start = place
        return place
