"""Here-documents of a shell body: scripts often write other batch scripts in them, whose directives are not theirs."""

from __future__ import annotations

import re

_start = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([A-Za-z_][\w.-]*))").search
_no_op = re.compile(r"[ \t]*:[ \t]*<<").match


def outside_child_scripts(text: str, body: int, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches (by offset, sorted) that stand in no here-document, or in one that is only a comment (`:
    <<END`)."""
    if "<<" not in text[body:]:
        return found
    inside = here_documents(text, body)
    kept, at = [], 0
    for start, end in found:
        while at < len(inside) and inside[at][1] <= start:
            at += 1
        if at == len(inside) or start < inside[at][0]:
            kept.append((start, end))
    return kept


def here_documents(text: str, body: int) -> list[tuple[int, int]]:
    """(start, end) of the contents of the here-documents after `body`, those of `:` left out."""
    documents: list[tuple[int, int]] = []
    position, size = body, len(text)
    while position < size:
        mark = text.find("<<", position)
        if mark < 0:
            break
        line_start = text.rfind("\n", 0, mark) + 1
        line_end = text.find("\n", mark)
        line_end = size if line_end < 0 else line_end
        found = _start(text, mark, line_end)
        if found is None or text.startswith("<<<", mark) or text[line_start:mark].lstrip()[:1] == "#":
            position = line_end
            continue
        word = found[2] or found[3] or found[4]
        end = _end_of(text, line_end + 1, word, tabs=bool(found[1]))
        if not _no_op(text, line_start):
            documents.append((line_end + 1, end))
        position = end
    return documents


def _end_of(text: str, start: int, word: str, *, tabs: bool) -> int:
    """The offset of the line that ends a here-document, or of the text's end."""
    position = start
    while 0 <= position < len(text):
        found = text.find(word, position)
        if found < 0:
            return len(text)
        line_start = text.rfind("\n", 0, found) + 1
        line_end = text.find("\n", found)
        line_end = len(text) if line_end < 0 else line_end
        line = text[max(line_start, start) : line_end]
        if (line.lstrip("\t") if tabs else line) == word:
            return line_start
        position = line_end + 1
    return len(text)
