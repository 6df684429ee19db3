"""Variables of a shell's text: which it reads as they are, and which it gives a value."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.shell.scan import scan

# `$NAME`, `${NAME}`, `${NAME/…}`; the sign behind a name in braces says what becomes of one that is not set.
_reads = at_first_use(r"(?<!\\)\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)([^}\n]?)[^}\n]*\}?)", "finditer")
# Whatever may give a value: an assignment, in arithmetic too, and the names behind the words that set some.
_assigned = at_first_use(r"(?<![\w$])([A-Za-z_]\w*)(?:\[[^\]\n]{0,200}\])?(?:[-+*/%&|^]|<<|>>)?=(?!=)", "findall")
_stepped = at_first_use(r"(?<!\w)([A-Za-z_]\w*)[ ]?(?:\+\+|--)", "findall")
_named = at_first_use(
    r"\b(?:for|select|read|mapfile|readarray|getopts|local|declare|typeset|unset|let|printf[ \t]+-v)\b"
    r"([^\n;|&]{1,400})",
    "findall",
)
_word = at_first_use(r"(?<![\w${])[A-Za-z_]\w*", "findall")
_counted = at_first_use(r"(?:\(\(|;)[ ]*([A-Za-z_]\w*)[ ]*=(?!=)", "findall")
# What asks whether one is set: the text knows that it may not be.
_asked = at_first_use(r"(?:-[nzv]|\b(?:test|unset))[ \t]+[\"']?\$?\{?([A-Za-z_]\w*)", "findall")
_KEPT = ("", "}", "/", "#", "%", "^", ",", "@", "[")
_MOST = 2_000


def read_plain(text: str) -> dict[str, tuple[int, int]]:
    """Each variable that is read with nothing said for the case that it has no value, with its first such place. Not
    within single quotes, comments and here-documents whose word is quoted."""
    seen, found = scan(text), dict[str, tuple[int, int]]()
    quoted = [each for each in seen.here_documents if each.quoted or each.ignored]
    for match, _ in zip(_reads(text), range(_MOST), strict=False):
        name, place = match[1] or match[2], match.start()
        if name in found or (match[2] and match[3] not in _KEPT):
            continue
        if seen.in_quotes(place) or seen.in_comment(place) or any(each.start <= place < each.end for each in quoted):
            continue
        found[name] = match.span()
    return found


def set_in(text: str) -> set[str]:
    """The variables that may have a value by this text, or of which it asks whether they have one."""
    found = {*_assigned(text), *_counted(text), *_stepped(text), *_asked(text)}
    for words in _named(text):
        found.update(_word(words))
    return found
