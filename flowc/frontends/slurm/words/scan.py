"""Finds the lines that sbatch reads: the checks on the file, then the directives before the first command."""

from __future__ import annotations

from flowc.diag.codes import input as codes
from flowc.diag.sink import Edit, Fix
from flowc.frontends.slurm.values.numerals import BLANKS
from flowc.patterns import at_first_use
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.source import Source

MAX_SCRIPT = 4 * 1024 * 1024  # the controller's default for max_script_size, in bytes

# A directive (its words follow), or a line that does not end the scan: blank or a comment.
_line = at_first_use(r"(#SBATCH|#SLURM)|[ \t\r\v\f]*(?:#|$)", "match", 8)  # re.MULTILINE
# What sbatch takes for the separator of het components, at the start of a directive or of any word in it.
separator = at_first_use(r"(?i)(?:hetjob|packjob)(?=[ \t\r\v\f\n]|\Z)", "match")


class Directive:
    """The words of a directive line: offsets `start` (after the magic word) to `end` (before the line end).
    `word` is the magic word; `separator` is true when the line starts the next het component."""

    __slots__ = ("end", "separator", "start", "word")

    def __init__(self, word: str, start: int, end: int, separator: bool) -> None:
        self.word = word
        self.start = start
        self.end = end
        self.separator = separator


def check_file(source: Source, sink: Sink) -> bool:
    """The checks that sbatch makes of the whole file, in its order. False: there is nothing left to read."""
    text = source.text
    if not text.strip(BLANKS):
        sink.report(codes.EMPTY_SCRIPT, None)
        return False
    if len(text) > MAX_SCRIPT or (len(text) * 4 > MAX_SCRIPT and len(source.data) > MAX_SCRIPT):
        sink.report(codes.SCRIPT_TOO_LARGE, Span(source, 0, 0), bytes=len(source.data), limit=MAX_SCRIPT)
        return False
    if not text.startswith("#!"):
        _report_shebang(source, sink)
    if "\0" in text:
        at = text.index("\0")
        sink.report(codes.NUL_BYTE, Span(source, at, at + 1))
    if "\r\n" in text:
        at = text.index("\r\n")
        fix = Fix(
            title="end every line with LF alone",
            edits=(Edit(span=Span(source, 0, len(text)), text=text.replace("\r\n", "\n")),),
        )
        sink.report(codes.DOS_LINE_ENDS, Span(source, at, at + 1), fix=fix)
    return True


def _report_shebang(source: Source, sink: Sink) -> None:
    text = source.text
    front = len(text) - len(text.lstrip(BLANKS + "\ufeff"))
    if text.startswith("#!", front):
        fix = Fix(title="begin with `#!`", edits=(Edit(span=Span(source, 0, front), text=""),))
        sink.report(codes.MISSING_SHEBANG, Span(source, 0, front), fix=fix, help="take out what stands before `#!`")
        return
    end = text.find("\n")
    help = "write the interpreter on the first line, such as `#!/bin/bash`"
    if text.startswith("<<<<<<< "):
        help = "git left a conflict here: keep one side, and take its marks out"
    sink.report(codes.MISSING_SHEBANG, Span(source, 0, len(text) if end < 0 else end), help=help)


def directives(text: str) -> tuple[list[Directive], int | None]:
    """(directives in order, offset of the first command or None). A line ends at LF alone. Behind a byte order mark,
    for which sbatch refuses the file, they are read as they would be without it."""
    found: list[Directive] = []
    position, size = int(text.startswith("\ufeff#!")), len(text)
    while position < size:
        match = _line(text, position)
        if match is None:
            return found, position
        end = text.find("\n", position)
        end = size if end < 0 else end
        if match[1]:
            start = first = match.end()
            while first < end and text[first] in BLANKS:
                first += 1
            parts = first < end and text[first] in "hHpP" and bool(separator(text, first, end))
            found.append(Directive(match[1], start, end, parts))
        position = end + 1
    return found, None


def foreign_lines(text: str, magic: str) -> list[tuple[int, int]]:
    """The lines of another batch system (`#PBS`, `#BSUB`): offsets after the magic word and of the line's end.

    sbatch looks for them in the whole script, until more than 100 lines do not begin with `#`.
    """
    if magic not in text:
        return []
    found, others, position, size = [], 0, 0, len(text)
    while position < size:
        end = text.find("\n", position)
        end = size if end < 0 else end
        if text.startswith(magic, position):
            found.append((position + len(magic), end))
        elif text[position] != "#":
            others += 1
            if others > 100:
                break
        position = end + 1
    return found
