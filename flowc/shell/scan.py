"""One scan of a shell's text: its simple commands with their words, comments, strings, here-documents. Made once per
text.

What is read is what bash would read, without running it: quotes, substitutions, arithmetic, arrays, patterns, `case`,
`[[ ]]`. A text that bash would refuse is read to its end all the same.
"""

from __future__ import annotations

from _bisect import bisect_right  # what `bisect` is made of, without a file more
from sys import maxsize

from flowc.patterns import at_first_use, remembered
from flowc.record import Record
from flowc.shell.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

_ARITHMETIC = r"\$?\(\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)\)"
# What ends a command, opens or closes something, or hides text; outside double quotes, in them, and in what has no
# quotes of its own: here-documents and arithmetic.
_code = at_first_use(
    rf"\\[\s\S]|\$?'|\"|`|{_ARITHMETIC}|\$\{{|\$\(|[<>]\(|<<<|<<-?|[?*+@!]\(|\(|\)|\}}|#|\n|;;&?|;&?|\|\|?|&>>?|[<>]&|&&?"
    r"|(?<![^\s;&|(])\[\[(?=\s)|(?<=\s)\]\](?![^\s;&|)])",
    "search",
)
_quoted = at_first_use(rf"\\[\s\S]|\"|`|{_ARITHMETIC}|\$\{{|\$\(|\}}", "search")
_braced = at_first_use(rf"\\[\s\S]|\$?'|\"|`|{_ARITHMETIC}|\$\{{|\$\(|\}}", "search")
_unquoted = at_first_use(rf"\\[\s\S]|`|{_ARITHMETIC}|\$\{{|\$\(", "search")
_FIND = {'"': _quoted, "${": _quoted, "{": _braced, "<<": _unquoted}
# A line's end that begins a `case`, and the word that ends one.
_case = at_first_use(r"(?:\s|\b(?:if|then|else|elif|do|while|until|time)\s|[!{]\s)*case\s", "match")
_esac = at_first_use(r"\s*esac(?![^\s;&|)<>])", "match")
_line_end = at_first_use(r"[^\n]*", "match")
_comment_end = at_first_use(r"(?:[^\n`\\]|\\.|\\(?=\n|\Z))*", "match")
_no_op = at_first_use(r"\s*:\s*<<", "match")
_plain_end = at_first_use(r"'", "search")
_ansi_end = at_first_use(r"(?:[^'\\]|\\[\s\S])*'", "match")
_delimiter = at_first_use(r"[ \t]*((?:\\.|'[^'\n]*'|\"[^\"\n]*\"|[^\s;&|<>()'\"\\])+)", "match")
_unquote = at_first_use(r"[\\'\"]", "sub")
# What holds commands, and what a `)` closes.
_HOLDS_COMMANDS = frozenset(("(", "$(", "<(", ">(", "`"))
_ONE_COMMAND = frozenset(("A", "G", "[["))  # in which nothing separates commands
_PARENTHESES = frozenset(("(", "$(", "<(", ">(", "A", "G"))
_MOST_OPEN = 200  # what is nested deeper is read as if it stood on this level
_MOST_WITHIN = 20  # here-documents within commands within here-documents
_MOST_UNENDED = 50  # words that no line ends; each costs a search of the whole text


class HereDocument(Record):
    """The contents of a here-document: its offsets, and where the command is that reads it; `ignored`: it is `:`.
    `tabs`: those in front of its lines are none of it (`<<-`); `quoted`: its word is, so nothing in it is replaced."""

    start: int
    end: int
    command: int
    ignored: bool
    tabs: bool
    quoted: bool


class Scan(Record):
    """What a text holds, each in the order of the text. `comments`, `quotes` (single) and `strings` (in double quotes)
    are stretches; a string within a command within a string has its own. Of these are the outermost: `whole_strings`,
    `children` (here-documents but those of `:`), `verbatim` (those in which nothing is replaced, or read)."""

    commands: list[Command]
    here_documents: list[HereDocument]
    comments: list[tuple[int, int]]
    quotes: list[tuple[int, int]]
    strings: list[tuple[int, int]]
    whole_strings: list[tuple[int, int]]
    children: list[tuple[int, int]]
    verbatim: list[tuple[int, int]]

    def in_comment(self, place: int) -> bool:
        return _inside(self.comments, place)

    def in_quotes(self, place: int) -> bool:
        """Within single quotes."""
        return _inside(self.quotes, place)

    def in_string(self, place: int) -> bool:
        """Within quotes of either kind, be it in a command there."""
        return self.in_quotes(place) or _inside(self.whole_strings, place)

    def in_child(self, place: int) -> bool:
        """Within a here-document, which often holds another script; not of `:`, whose are comments."""
        return _inside(self.children, place)

    def is_verbatim(self, place: int) -> bool:
        """Within a here-document in which `$` is an ordinary character, or which nobody reads."""
        return _inside(self.verbatim, place)

    def command_at(self, place: int) -> Command | None:
        """The innermost command that this place belongs to."""
        index = bisect_right(self.commands, place, key=start_of) - 1
        while index >= 0 and self.commands[index].end <= place:
            index -= 1
        return self.commands[index] if index >= 0 else None

    def commands_at(self, place: int) -> list[Command]:
        """All that it belongs to, the outermost first."""
        behind = bisect_right(self.commands, place, key=start_of)
        return [each for each in self.commands[:behind] if each.end > place]


def start_of(each: Command | HereDocument) -> int:
    return each.start


def _inside(stretches: list[tuple[int, int]], place: int) -> bool:
    """Whether one of these, which are in order and apart, holds the place."""
    index = bisect_right(stretches, (place, maxsize)) - 1
    return index >= 0 and stretches[index][1] > place


def _apart(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


@remembered(16)  # what prepares a job, its text and the texts within are asked about in turns
def scan(text: str) -> Scan:
    """What a shell would see in a text."""
    return _Scanner(text).run()


class _Scanner:
    __slots__ = (
        *("cases", "closed", "commands", "comments", "documents", "last_test", "open", "pending", "quotes", "start"),
        *("strings", "text", "unended", "within"),
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.commands: list[Command] = []
        self.documents: list[HereDocument] = []
        self.comments: list[tuple[int, int]] = []
        self.quotes: list[tuple[int, int]] = []
        self.strings: list[tuple[int, int]] = []
        self.pending: list[tuple[str, bool, bool, int]] = []  # the word, `<<-`, in quotes, the command
        # What is open, the command around it, and where it began: quotes and brackets by their signs, `{` for a `${`
        # outside quotes, `A` for an array, `G` for a pattern, `case` for its commands, `case?` where a pattern of it is
        # due, `<<` for what has no quotes.
        self.open: list[tuple[str, int, int]] = []
        self.start = 0
        self.closed: dict[int, int] = {}
        self.cases = "case" in text
        self.last_test: int | None = None
        self.unended: set[str] = set()
        self.within = 0

    def run(self) -> Scan:
        self._read(0, len(self.text), 0)
        return Scan(
            commands=sorted(self.commands, key=start_of),
            here_documents=sorted(self.documents, key=start_of),
            comments=self.comments,
            quotes=self.quotes,
            strings=sorted(self.strings),
            whole_strings=_apart(self.strings),
            children=_apart([(each.start, each.end) for each in self.documents if not each.ignored]),
            verbatim=_apart([(each.start, each.end) for each in self.documents if each.quoted or each.ignored]),
        )

    def _read(self, place: int, end: int, level: int) -> None:
        """Reads up to `end`, and closes what was opened above a level."""
        text = self.text
        while place < end:
            inside = self.open[-1][0] if self.open else ""
            find = _FIND.get(inside, _code)
            match: Match[str] | None = find(text, place, end)
            if match is None:
                break
            place = self._token(match, match[0], inside)
        while len(self.open) > level:
            self._close(end)
        if not level:
            self._end(end)

    def _token(self, match: Match[str], token: str, inside: str) -> int:
        """Takes what was found, and says where to go on."""
        text, (start, end) = self.text, match.span()
        if token == "\n":
            if inside not in _ONE_COMMAND:
                self._separate(start, end)
            return self._documents(end) if self.pending else end
        if token[0] == "\\":
            return end
        if token[-2:] == "))":
            self.closed[start] = end
            if "`" in token or "$(" in token[3:]:
                self._within(start + 2, end - 2)
        elif token in ("'", "$'"):
            return self._single(token, start, end)
        elif inside in _FIND:
            if (token == '"' and inside == '"') or (token == "}" and inside in ("${", "{")):
                self._close(start)
            elif token != "}":
                self._toggle(token, start, end)
        elif token == "#":
            if self._begins_word(start):
                self.comments.append((start, self._comment_end(start)))
                return self.comments[-1][1]
        elif token in ('"', "`", "$(", "${", "<(", ">("):
            self._toggle(token, start, end)
        elif token[-1] == "(":
            self._parenthesis(token, start, end, inside)
        elif token == ")":
            self._closing(start, end)
        elif token in ("<<", "<<-"):
            word = _delimiter(text, end) if inside != "[[" else None
            if word is not None:
                plain = _unquote("", word[1])
                self.pending.append((plain, token == "<<-", plain != word[1], self.start))
                end = word.end()
        elif token == "[[":
            self.last_test = text.rfind("]]") if self.last_test is None else self.last_test
            if inside != "[[" and self.last_test >= end and len(self.open) < _MOST_OPEN:
                self.open.append(("[[", self.start, start))
        elif token == "]]":
            if inside == "[[":
                self.start = self.open.pop()[1]
        elif token[0] in ";|&" and token[-1] != ">" and inside not in _ONE_COMMAND:
            self._separate(start, end, token)
        return end

    def _comment_end(self, start: int) -> int:
        """The end of the line, or of the backquotes that it stands in, whose text bash takes out before it reads it."""
        ends = _comment_end if any(kind == "`" for kind, *_ in self.open) else _line_end
        return int(ends(self.text, start).end())

    def _begins_word(self, place: int) -> bool:
        """Whether no word holds what stands before: where a line goes on, that is what the line above ends with."""
        text = self.text
        while place and text[place - 1] in " \t\n;|&()":
            slash = place - 1
            while slash and text[slash - 1] == "\\":
                slash -= 1
            if (place - 1 - slash) % 2 == 0:
                return True
            if text[place - 1] != "\n":
                return False  # `\ #` is a word
            place -= 2
        return not place

    def _separate(self, start: int, end: int, token: str = "") -> None:
        """Ends a command, a pattern, or a branch of `case`."""
        text = self.text
        if self.open and self.open[-1][0] == "case?":
            if not _esac(text, self.start, start):
                if token != "|":
                    self.start = end
                return
            self.open.pop()
        else:
            self._end(start)
            if self._begins_case(start):
                self.open.append(("case?", self.start, start))
            elif self.open and self.open[-1][0] == "case":
                if _esac(text, self.start, start):
                    self.open.pop()
                elif token[:2] in (";;", ";&"):
                    self.open[-1] = ("case?", *self.open[-1][1:])
        self.start = end

    def _within(self, start: int, end: int) -> None:
        """Reads what has no quotes of its own."""
        if self.within < _MOST_WITHIN:
            before, level = self.start, len(self.open)
            self.within += 1
            self.open.append(("<<", before, start))
            self._read(start, end, level + 1)
            del self.open[level:]
            self.within -= 1
            self.start = before

    def _single(self, token: str, start: int, end: int) -> int:
        closing = (_ansi_end if token == "$'" else _plain_end)(self.text, end)
        if closing is None:
            return end
        self.quotes.append((start, closing.end()))
        self.closed[start] = closing.end()
        return int(closing.end())

    def _toggle(self, token: str, start: int, end: int) -> None:
        if token == "`" and any(kind == "`" for kind, *_ in self.open):
            while self.open[-1][0] != "`":
                self._close(start)
            self._close(start)
        else:
            quoted = self.open and self.open[-1][0] in ('"', "${", "<<")
            self._open("{" if token == "${" and not quoted else token, start, end)

    def _open(self, kind: str, start: int, end: int) -> None:
        if len(self.open) < _MOST_OPEN:
            self.open.append((kind, self.start, start))
            if kind in _HOLDS_COMMANDS:
                self.start = end

    def _close(self, place: int) -> None:
        kind, before, began = self.open.pop()
        if kind in _HOLDS_COMMANDS or kind == "case":
            self._end(place)
        elif kind == '"':
            self.strings.append((began, place + 1))
        self.closed[began] = place + 1
        # A subshell stood alone, or behind the name of a function.
        self.start = place + 1 if kind == "(" else before

    def _parenthesis(self, token: str, start: int, end: int, inside: str) -> None:
        text = self.text
        if token == "(" and inside == "case?" and self._is_first(start):
            self.start = end  # in front of a pattern
        elif token == "(" and inside not in _ONE_COMMAND and self._begins_case(start):
            self.open.append(("case?", self.start, start))
            self.start = end
        elif inside in ("[[", "case?") or (token != "(" and not (token == "!(" and self._is_first(start))):
            self._open("G", start, end)
        else:
            self._open("A" if text[start - 1 : start] == "=" else "(", start, end)

    def _is_first(self, place: int) -> bool:
        return not self.text[self.start : place].strip()

    def _begins_case(self, end: int) -> bool:
        return self.cases and _case(self.text, self.start, end) is not None

    def _closing(self, start: int, end: int) -> None:
        """A `)`."""
        text, kind = self.text, self.open[-1][0] if self.open else ""
        if kind == "case?":
            if not _esac(text, self.start, start):
                self.open[-1] = ("case", *self.open[-1][1:])
                self.start = end
                return
            self.open.pop()
            self.start = start
        elif kind not in ("A", "G") and self._begins_case(start):
            self.open.append(("case", self.start, start))
            self.start = end
            return
        if any(kind in _PARENTHESES for kind, *_ in self.open):
            while self.open[-1][0] not in _PARENTHESES:
                self._close(start)
            self._close(start)
        else:
            self.start = end

    def _end(self, end: int) -> None:
        start = self.start
        if start < end and not self.text[start:end].isspace():
            self.commands.append(Command(self.text, start, end, self.closed))

    def _document(self, start: int, end: int, command: int, tabs: bool, quoted: bool) -> HereDocument:
        ignored = _no_op(self.text, command) is not None
        return HereDocument(start=start, end=end, command=command, ignored=ignored, tabs=tabs, quoted=quoted)

    def _documents(self, place: int) -> int:
        """The here-documents that begin at this line; what no line ends is none (most likely a shift)."""
        pending, self.pending, text = self.pending, [], self.text
        within = next((kind for kind, *_ in reversed(self.open) if kind in ("`", "$(")), None)
        closing = {"`": "`", "$(": ")"}.get(within or "", "")
        for word, tabs, quoted, command in pending:
            at = place if len(self.unended) < _MOST_UNENDED and word not in self.unended else -1
            while 0 <= at < len(text):
                stop = text.find("\n", at)
                line = text[at:] if stop < 0 else text[at:stop]
                line = line.lstrip("\t") if tabs else line
                # What ends the command that it stands in may end the last line of it.
                closes = closing != "" and line[: len(word) + 1] == word + closing
                if closes:
                    stop = text.index(word + closing, at) + len(word) - 1
                if line == word or closes:
                    self.documents.append(self._document(place, at, command, tabs, quoted))
                    if not quoted and ("`" in text[place:at] or "$" in text[place:at]):
                        self._within(place, at)
                    place = len(text) if stop < 0 else stop + 1
                    break
                at = stop + 1 if stop >= 0 else -1
            else:
                self.unended.add(word)
        if not self.open or self.open[-1][0] not in _ONE_COMMAND:
            self.start = place
        return place
