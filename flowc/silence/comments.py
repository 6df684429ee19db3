"""Comments of a source that say which findings about it are not to be shown.

    # flowc: ignore[FC820]              behind other text: those about this line
    # flowc: ignore[FC820, brace-typo]  on a line of its own: those about the next one; at the head of the file, where
                                        only `#!` and comments that are no directives stand before it: all of the file
    # flowc: ignore-file[FC820]         anywhere: all of the file

What stands behind the bracket is the reader's: the reason.
"""

from __future__ import annotations

from flowc.diag.codes import ignores as codes
from flowc.diag.sink import Edit, Fix
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.source import Source

_comments = at_first_use(r"#[ \t]*flowc:[ \t]*ignore(-file)?(?![\w-])[ \t]*(?:\[([^\]\n]*)\])?[^\r\n]*", "finditer")
_words = at_first_use(r"[^,\s]+", "finditer")


class Word(Record):
    """A code or its name; `line` is the one it is about, None for all of the file."""

    span: Span
    text: str
    line: int | None

    def names(self, code: Code) -> bool:
        return self.text.upper() == code.id or self.text.lower() == code.name


class Comment(Record):
    """One such comment; `listed`: what stands between its brackets, None where there are none."""

    span: Span
    words: tuple[Word, ...]
    listed: Span | None
    alone: bool


class Ignores:
    """The ignores of a source, and which of them found something. `of_errors`: those of errors hold too; not where
    something is emitted, since there an error that nobody sees would be an empty answer."""

    def __init__(self, source: Source, *, of_errors: bool) -> None:
        self.comments = tuple(_read(source))
        self._source = source
        self._of_errors = of_errors
        self._used: set[int] = set()
        self._words: dict[int | None, list[Word]] = {}
        for comment in self.comments:
            for word in comment.words:
                self._words.setdefault(word.line, []).append(word)

    def cover(self, code: Code, span: Span | None) -> bool:
        """Whether a finding is not to be shown."""
        if code.severity == "error" and not self._of_errors:
            return False
        words = self._words.get(None, [])
        if span is not None and span.source.path == self._source.path:
            words = [*words, *self._words.get(span.line, ())]
        used = [word for word in words if word.names(code)]
        self._used.update(word.span.start for word in used)
        return bool(used)

    def report(self, sink: Sink, *, idle: bool) -> None:
        """What is wrong with the comments. `idle`: those too that hide nothing, where all was looked at."""
        for comment in self.comments:
            if not comment.words:
                sink.report(codes.IGNORE_WITHOUT_CODE, comment.span)
                continue
            unused = [word for word in comment.words if word.span.start not in self._used]
            unknown = [word for word in unused if not _exists(word.text)]
            for word in unknown:
                sink.report(codes.UNKNOWN_IGNORE, word.span, help=_near(word.text), word=word.text)
            unused = [word for word in unused if word not in unknown] if idle and not sink.broken else []
            if unused:
                names = ", ".join(f"`{word.text}`" for word in unused)
                sink.report(codes.UNUSED_IGNORE, comment.span, fix=self._without(comment, unused), words=names)

    def _without(self, comment: Comment, unused: list[Word]) -> Fix:
        kept = [word.text for word in comment.words if word not in unused]
        if kept and comment.listed is not None:
            return Fix(title=f"keep {', '.join(kept)}", edits=(Edit(span=comment.listed, text=", ".join(kept)),))
        text, start, end = self._source.text, comment.span.start, comment.span.end
        if comment.alone:
            start = text.rfind("\n", 0, start) + 1
            end = text.find("\n", end) + 1 or len(text)
        else:
            start = len(text[:start].rstrip(" \t"))
        return Fix(title="remove the comment", edits=(Edit(span=self._source.span(start, end), text=""),))


def _read(source: Source) -> list[Comment]:
    text, found = source.text, []
    head = _head(text)
    for match in _comments(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        alone = not text[begin : match.start()].strip()
        line: int | None = source.position(match.start())[0]
        if match[1] or (alone and begin <= head):
            line = None
        elif alone:
            line = _next_line(source, match.end())
        words = _words(match[2]) if match[2] else ()
        spans = [source.span(match.start(2) + word.start(), match.start(2) + word.end()) for word in words]
        found.append(
            Comment(
                span=source.span(match.start(), match.end()),
                words=tuple(Word(span=span, text=span.text, line=line) for span in spans),
                listed=source.span(*match.span(2)) if match[2] is not None else None,
                alone=alone,
            )
        )
    return found


def _head(text: str) -> int:
    """Where the first line begins that is neither blank nor a plain comment."""
    start = 0
    for line in text.splitlines(keepends=True):
        bare = line.lstrip()
        if bare and (not bare.startswith("#") or (start and bare.startswith(("#SBATCH", "#PBS")))):
            break
        start += len(line)
    return start


def _next_line(source: Source, end: int) -> int:
    """The line that an ignore on a line of its own is about: the next one that is no such line."""
    number = source.position(end)[0] + 1
    starts, text = source.line_starts, source.text
    while number <= len(starts):
        line = text[starts[number - 1] : starts[number] if number < len(starts) else len(text)].strip()
        if line and next(iter(_comments(line)), None) is None:
            break
        if line and not line.startswith("#"):
            break
        number += 1
    return number


def _exists(word: str) -> bool:
    from flowc.diag.codes.table import all_codes

    return any(word.upper() == code.id or word.lower() == code.name for code in all_codes())


def _near(word: str) -> str:
    from flowc.diag.codes.table import nearest_code

    found = nearest_code(word)
    return f"did you mean `{found}`?" if found else "`flowc explain --all` has them all"
