"""What of a shell text is not run as it stands: here-documents, which often hold other batch scripts, and text in
single quotes."""

from __future__ import annotations

from flowc.patterns import at_first_use

_start = at_first_use(r"<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([A-Za-z_][\w.-]*))", "search")
_no_op = at_first_use(r"[ \t]*:[ \t]*<<", "match")
_MOST_OPEN = 50  # words that no line ends; each costs a search of the whole text


def outside_child_scripts(text: str, body: int, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches (by offset, sorted) that stand in no here-document, or in one that is only a comment (`:
    <<END`)."""
    if not found or text.find("<<", body) < 0:
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
    """(start, end) of the contents of the here-documents after `body`, those of `:` left out. What no line ends is
    none: most likely it is a shift, `$((1<<N))`."""
    documents: list[tuple[int, int]] = []
    open_words: set[str] = set()
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
        end = -1 if word in open_words else _end_of(text, line_end + 1, word, tabs=bool(found[1]))
        if end < 0:
            open_words.add(word)
            if len(open_words) > _MOST_OPEN:
                break
            position = line_end
            continue
        if not _no_op(text, line_start):
            documents.append((line_end + 1, end))
        position = end
    return documents


def _end_of(text: str, start: int, word: str, *, tabs: bool) -> int:
    """The offset of the line that ends a here-document, -1 when there is none."""
    position = start
    while 0 <= position < len(text):
        found = text.find(word, position)
        if found < 0:
            return -1
        line_start = text.rfind("\n", 0, found) + 1
        line_end = text.find("\n", found)
        line_end = len(text) if line_end < 0 else line_end
        line = text[max(line_start, start) : line_end]
        if (line.lstrip("\t") if tabs else line) == word:
            return line_start
        position = line_end + 1
    return -1


def in_single_quotes(before: str) -> bool:
    """Whether single quotes are open at the end of `before`, the part of a line in front of something."""
    if "'" not in before:
        return False
    quote = ""
    escaped = False
    for char in before:
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif char in "'\"" and quote in ("", char):
            quote = "" if quote else char
    return quote == "'"
