"""Characters that look like others: what word processors, mail and web pages make of blanks, dashes and quotes.

To sbatch they are letters like any other. Loaded only for a script that has characters beyond ASCII in its directives.
"""

from __future__ import annotations

from flowc.diag.sink import Edit, Fix
from flowc.frontends.slurm.values.settings import accepts
from flowc.frontends.slurm.words.getopt import Table, read_options
from flowc.frontends.slurm.words.tokens import split
from flowc.patterns import at_first_use
from flowc.source import Source, Span

_BLANKS = {"\u00a0": "a no-break space", "\u202f": "a narrow no-break space", "\u3000": "an ideographic space"}
_BLANKS |= dict.fromkeys("\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u205f",
                         "a typographic space")  # fmt: skip
_INVISIBLE = {"\u200b": "a zero-width space", "\u200c": "a zero-width non-joiner", "\u200d": "a zero-width joiner",
              "\u2060": "a word joiner", "\ufeff": "a byte order mark", "\u00ad": "a soft hyphen"}  # fmt: skip
_DASHES = {
    "\u2010": "a hyphen", "\u2011": "a no-break hyphen", "\u2012": "a figure dash", "\u2013": "an en dash",
    "\u2014": "an em dash", "\u2015": "a horizontal bar", "\u2212": "a minus sign", "\ufe58": "a small em dash",
    "\ufe63": "a small hyphen", "\uff0d": "a full-width hyphen",
}  # fmt: skip
_QUOTES = dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"') | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'")
_FULL_WIDTH = {chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F) if code != 0x2D}

BLANK_LIKE = {**_BLANKS, **_INVISIBLE}
_NAMES = {
    **BLANK_LIKE,
    **_DASHES,
    **dict.fromkeys(_QUOTES, "a typographic quote"),
    **dict.fromkeys(_FULL_WIDTH, "a full-width character"),
}
_ASCII = {**dict.fromkeys(_DASHES, "-"), **_QUOTES, **_FULL_WIDTH}
_WITH_BLANKS = str.maketrans({**_ASCII, **dict.fromkeys(BLANK_LIKE, " ")})
_WITHOUT = str.maketrans({**_ASCII, **dict.fromkeys(_BLANKS, " "), **dict.fromkeys(_INVISIBLE, "")})

_leading_dashes = at_first_use(rf"(?<![^\s{''.join(BLANK_LIKE)}])[-{''.join(_DASHES)}]+", "sub")
_option_name = at_first_use(r"[A-Za-z][\w-]*", "match")
_LONGEST = 1000  # characters of a text that is mended; a longer one is no slip of a word processor


def find(text: str) -> str | None:
    """The first such character of a text."""
    if text.isascii():
        return None
    return next((char for char in text if char in _NAMES), None)


def describe(char: str) -> str:
    """`U+2014, an em dash`"""
    return f"U+{ord(char):04X}, {_NAMES[char]}"


def advice(char: str) -> str:
    """The help for a text with this character."""
    kind = "a blank" if char in _BLANKS else "nothing" if char in _INVISIBLE else f"`{_ASCII[char]}`"
    return f"`{visible(char)}` is {describe(char)}: it looks like {kind}, but is a letter to sbatch"


def visible(char: str) -> str:
    return f"\\u{ord(char):04x}" if char in BLANK_LIKE else char


def mend_options(source: Source, span: Span, table: Table) -> Fix | None:
    """The fix that writes the options of a stretch of a directive in plain characters; None unless they can be read
    then, with values that they take."""
    text = span.text
    if len(text) > _LONGEST or find(text) is None:
        return None
    if not text.translate(_WITHOUT).strip():
        return Fix(title="take it out", edits=(Edit(span=span, text=""),))

    def dashes(found: object) -> str:
        name = _option_name(text.translate(_WITHOUT), len(text[: found.end()].translate(_WITHOUT)))  # type: ignore[attr-defined]
        several = len(found.group()) > 1  # type: ignore[attr-defined]
        return "--" if several or (name and len(name[0]) > 1 and table.find(name[0])) else "-"

    fronted = _leading_dashes(dashes, text)
    for characters in (_WITHOUT, _WITH_BLANKS):
        plain = fronted.translate(characters)
        words = split(Source("", plain), 0, len(plain))
        found, problems, _ = read_options(words.words, table)
        if found and not problems and words.broken is None and all(accepts(each.name, each.text) for each in found):
            if source.text[span.start - 7 : span.start] == "#SBATCH":
                plain = " " + plain.lstrip()
            return Fix(title=f"write `{plain.strip()}`", edits=(Edit(span=span, text=plain),))
    return None
