"""Whether a place of a text is in a comment: of a shell, as its scan tells, or of another language that has `#` for
them."""

from __future__ import annotations

from flowc.patterns import function_at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match

_scan = function_at_first_use("flowc.shell.scan", "scan")
_LINE = 500  # characters of a line that are looked at before a word


def in_comment(text: str, start: int, *, shell: bool) -> bool:
    """Whether a word surely stands in a comment."""
    if shell:
        inside: bool = _scan(text).in_comment(start)
        return inside
    line_start = text.rfind("\n", max(0, start - _LINE), start) + 1
    before = text[max(line_start, start - _LINE) : start]
    return before.lstrip()[:1] == "#" or (" #" in before and not {"'", '"'} & {*before})


def first_in_code(finder: Callable[[str], Iterator[Match[str]]], text: str, *, shell: bool) -> Match[str] | None:
    """The first that a pattern finds outside comments."""
    return next((found for found in finder(text) if not in_comment(text, found.start(), shell=shell)), None)


def uncommented(text: str) -> str:
    """A shell's text without its comments, but for a first line that names the shell and for what is in strings and
    here-documents; no line is left out."""
    seen, kept, place = _scan(text), [], 0
    for start, end in seen.comments:
        if start and not seen.in_string(start) and not seen.in_child(start):
            kept.append(text[place:start])
            place = end
    return "".join(kept) + text[place:]
