"""Splits a directive line into words, by the terminals of grammars/slurm.lark (rule `directive`). It is not a shell."""

from __future__ import annotations

from flowc._compiled.slurm_grammar_directive import TABLE
from flowc.frontends.slurm.words.scan import separator
from flowc.lalr import Parser
from flowc.patterns import at_first_use
from flowc.source import Derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.source import Piece, Source

_words = at_first_use(r"[^ \t\r\v\f]+", "finditer")
_hard = at_first_use(r"[\"'\\]", "search")
_escaped = at_first_use(r"\\(.)", "finditer", 16)  # re.DOTALL
_without_backslashes = at_first_use(r"\\(.)", "sub", 16)
_parser = Parser(TABLE)


# No script has as many words in its directives; a line is read no further than to the one beyond.
MAX_WORDS = 5_000


class Line:
    """What a directive line holds. `words` are its arguments, after quotes and escapes. `comment` is the offset of the
    `#` that ends it; `broken` the offset of what is fatal to sbatch: an unclosed quote or a word that begins with `:`;
    `cut` the offset of a word that stops the line early (empty quotes, or a het separator), when something follows
    it."""

    __slots__ = ("broken", "comment", "cut", "words")

    def __init__(self) -> None:
        self.words: list[Derived] = []
        self.comment: int | None = None
        self.broken: int | None = None
        self.cut: int | None = None


def split(source: Source, start: int, end: int, *, keep_escaped_blank: bool = False) -> Line:
    """The words from `start` to `end`. `keep_escaped_blank`: a backslash keeps a blank in the word (24.05 and
    later)."""
    line, text = Line(), source.text
    if _hard(text, start, end):
        _split_quoted(line, source, start, end, keep_escaped_blank)
        return line
    comment = text.find("#", start, end)
    if comment >= 0:
        line.comment, end = comment, comment
    for found in _words(text, start, end):
        word = found.group()
        at = found.start()
        if word[0] == ":":
            line.broken = at
            break
        if len(word) < 8 and word.lower() in ("hetjob", "packjob") and found.end() != comment:
            line.cut = at
            break
        line.words.append(Derived(word, source, at, found.end()))
        if len(line.words) > MAX_WORDS:
            break
    return line


def _split_quoted(line: Line, source: Source, start: int, end: int, keep_escaped_blank: bool) -> None:
    match, text = _parser.match(), source.text
    position = start
    pieces: list[tuple[str, int, int]] = []
    while position < end and len(line.words) <= MAX_WORDS:
        found = match(text, position, end)
        kind = found.lastgroup
        at, position = position, found.end()
        if kind == "BLANK" and not pieces:
            continue
        if not pieces and kind != "COMMENT":
            if text[at] == ":":
                line.broken = at
                return
            if separator(text, at, end):
                line.cut = at
                return
        if kind == "UNCLOSED":
            line.broken = at
            return
        if kind == "LAST_BACKSLASH" and keep_escaped_blank and position < end:
            position += 1
            pieces.append(("ESCAPED", at, position))
        elif kind == "BLANK" or kind == "COMMENT":
            if kind == "COMMENT":
                line.comment = at
            if not _finish(line, source, pieces):
                line.cut = pieces[0][1] if pieces else None
                return
            if kind == "COMMENT":
                return
            pieces = []
        else:
            pieces.append((kind, at, position))
    if pieces and not _finish(line, source, pieces):
        line.cut = pieces[0][1]


def _finish(line: Line, source: Source, pieces: list[tuple[str, int, int]]) -> bool:
    """Add the word that the pieces make; False when it is empty, which ends the line for sbatch."""
    if not pieces:
        return True
    word = "".join(_made(source.text, *piece) for piece in pieces)
    if not word:
        return False
    line.words.append(Derived(word, source, pieces[0][1], pieces[-1][2], lambda: _places(source, pieces)))
    return True


def _made(text: str, kind: str, start: int, end: int) -> str:
    """The part of a word that a piece makes."""
    if kind == "PLAIN":
        return text[start:end]
    if kind == "ESCAPED":
        return text[start + 1]
    inner = "" if kind == "LAST_BACKSLASH" else text[start + 1 : end - 1]
    return _without_backslashes(r"\1", inner) if "\\" in inner else inner


def _places(source: Source, pieces: list[tuple[str, int, int]]) -> list[Piece]:
    """What each part of the word was made of: characters as they are, or a backslash with its character."""
    stretches: list[tuple[int, int]] = []
    for kind, start, end in pieces:
        if kind in ("PLAIN", "ESCAPED"):
            stretches.append((start, end))
        elif kind != "LAST_BACKSLASH":
            at = start + 1
            for match in _escaped(source.text, at, end - 1):
                stretches += [(at, match.start()), match.span()]
                at = match.end()
            stretches.append((at, end - 1))
    found: list[Piece] = []
    size = 0
    for start, end in stretches:
        if start < end:
            found.append((size, source, start, end))
            size += 1 if source.text[start] == "\\" else end - start
    return found
