"""Splits a directive line into words, by the terminals of grammars/slurm.lark (rule `directive`). It is not a shell."""

from __future__ import annotations

import re

from flowc._compiled.slurm_grammar import directive
from flowc.frontends.slurm.words.scan import separator
from flowc.lalr import Parser

_words = re.compile(r"[^ \t\r\v\f]+").finditer
_hard = re.compile(r"[\"'\\]").search
_parser = Parser(directive())


# No script has as many words in its directives; a line is read no further than to the one beyond.
MAX_WORDS = 5_000


class Word:
    """An argument: its `text` after quotes and escapes, and where it stands. `offsets` maps each character to its place
    in the source, None when the text stands there as it is."""

    __slots__ = ("end", "offsets", "start", "text")

    def __init__(self, text: str, start: int, end: int, offsets: list[int] | None = None) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.offsets = offsets

    def at(self, index: int) -> int:
        """The source offset of a character of `text` (of the end, for an index beyond)."""
        if self.offsets is None:
            return min(self.start + index, self.end)
        return self.offsets[index] if index < len(self.offsets) else self.end


class Line:
    """What a directive line holds. `comment` is the offset of the `#` that ends it; `broken` the offset of what is
    fatal to sbatch: an unclosed quote or a word that begins with `:`; `cut` the offset of a word that stops the line
    early (empty quotes, or a het separator), when something follows it."""

    __slots__ = ("broken", "comment", "cut", "words")

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.comment: int | None = None
        self.broken: int | None = None
        self.cut: int | None = None


def split(text: str, start: int, end: int, *, keep_escaped_blank: bool = False) -> Line:
    """The words of `text[start:end]`. `keep_escaped_blank`: a backslash keeps a blank in the word (24.05 and later)."""
    line = Line()
    if _hard(text, start, end):
        _split_quoted(line, text, start, end, keep_escaped_blank)
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
        line.words.append(Word(word, at, found.end()))
        if len(line.words) > MAX_WORDS:
            break
    return line


def _split_quoted(line: Line, text: str, start: int, end: int, keep_escaped_blank: bool) -> None:
    match = _parser.match()
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
            if not _finish(line, text, pieces):
                line.cut = pieces[0][1] if pieces else None
                return
            if kind == "COMMENT":
                return
            pieces = []
        else:
            pieces.append((kind, at, position))
    if pieces and not _finish(line, text, pieces):
        line.cut = pieces[0][1]


def _finish(line: Line, text: str, pieces: list[tuple[str, int, int]]) -> bool:
    """Add the word that the pieces make; False when it is empty, which ends the line for sbatch."""
    if not pieces:
        return True
    offsets: list[int] = []
    for kind, start, end in pieces:
        if kind == "PLAIN":
            offsets.extend(range(start, end))
        elif kind == "ESCAPED":
            offsets.append(start + 1)
        elif kind != "LAST_BACKSLASH":
            at = start + 1
            while at < end - 1:
                at += text[at] == "\\"
                offsets.append(at)
                at += 1
    if not offsets:
        return False
    word = "".join([text[at] for at in offsets])
    line.words.append(Word(word, pieces[0][1], pieces[-1][2], offsets))
    return True
