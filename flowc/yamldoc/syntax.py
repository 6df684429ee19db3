"""libyaml's errors in words that help: what most likely is wrong, and where."""

from __future__ import annotations

from flowc.diag.codes.yaml import document as codes
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink

# Parts of libyaml's texts, what to say instead, and what to do about it.
_SAYINGS = (
    (
        "mapping values are not allowed",
        "a second `: ` stands in one value",
        'put the value in quotes: `key: "a: b"`',
    ),
    (
        "could not find expected ':'",
        "a line has no `:` after its key",
        "write `key: value`, or indent text that belongs to the line above",
    ),
    (
        "did not find expected key",
        "this line fits no mapping above",
        "check its indent, and the quotes and brackets before it",
    ),
    (
        "did not find expected '-' indicator",
        "this line stands where a list goes on",
        "begin it with `- `, or indent it less",
    ),
    (
        "did not find expected ',' or",
        "a bracket is not closed",
        "close it, or put a value that holds brackets in quotes",
    ),
    (
        "did not find expected node content",
        "a value is missing",
        "close the bracket, or write a value",
    ),
    (
        "did not find expected <document start>",
        "text goes on where the document has ended",
        "check the indent; documents are separated by `---`",
    ),
    (
        "unexpected end of stream",
        "a quote is never closed",
        "close it; a quote inside quotes is doubled (`''`) or escaped (`\\\"`)",
    ),
    (
        "unknown escape character",
        "the text in double quotes has an escape that YAML does not know",
        "use single quotes, or double the backslash",
    ),
    (
        "found undefined tag handle",
        "a tag has a handle that is not declared",
        "take the tag out, or put the value in quotes if `!` begins a text",
    ),
    (
        "incompatible YAML document",
        "the `%YAML` directive names a version that cannot be read",
        "take the directive out",
    ),
    (
        "block sequence entries are not allowed",
        "a list begins on the line of its key",
        "put `- ` on a line of its own",
    ),
    (
        "hexdecimal number",
        "an escape in double quotes is cut short",
        "double the backslash, or use single quotes",
    ),
    (
        "invalid Unicode character escape",
        "an escape in double quotes is no character",
        "write the character itself",
    ),
    (
        "found duplicate %YAML directive",
        "the `%YAML` directive stands twice",
        "take one of them out",
    ),
    (
        "an indentation indicator equal to 0",
        "a block cannot be indented by 0",
        "write `|` and indent the text",
    ),
    (
        "found duplicate anchor",
        "an anchor is given twice",
        "use another name",
    ),
)

# What libyaml says of a line that is indented too far, below a plain value and below one in quotes or brackets.
_TOO_FAR = ("mapping values are not allowed", "did not find expected key")

_STARTS = {
    "@": "`@` cannot begin a value",
    "`": "a backtick cannot begin a value",
    "%": "`%` cannot begin a value",
    "\t": "a tab stands here",
}


def report(error: Any, source: Source, shift: int, sink: Sink) -> None:
    """Report a `yaml.YAMLError`."""
    text = source.text
    position = getattr(error, "position", None)
    if isinstance(position, int):  # a character that YAML does not allow at all
        place = next((at for at, char in enumerate(text) if _forbidden(char)), min(position, len(text)))
        shown = f"U+{ord(text[place]):04X}" if place < len(text) else "a character"
        help = "take it out, or write it as an escape in double quotes"
        sink.report(
            codes.YAML_SYNTAX, _span(source, place), help=help, problem=f"it holds the control character {shown}"
        )
        return
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = min(mark.index + shift, len(text)) if mark is not None else len(text)
    problem = str(getattr(error, "problem", None) or error)
    context_mark = getattr(error, "context_mark", None)
    notes: tuple[tuple[Span, str], ...] = ()
    if context_mark is not None and mark is not None and context_mark.index not in (mark.index, len(text) - shift):
        context = str(getattr(error, "context", "") or "").replace("while ", "").replace("simple key", "key")
        notes = ((_span(source, context_mark.index + shift), context),)
    if text[place : place + 1] == "\t" or _tab_in_indent(source, place):
        tab = source.line_starts[source.line_at(place) - 1]
        while tab < place and text[tab] != "\t":
            tab += 1
        sink.report(codes.YAML_TAB, _span(source, tab), help="indent with spaces")
        return
    words, help = problem, "check the lines around this place"
    for part, instead, advice in _SAYINGS:
        if part in problem:
            words, help = instead, advice
            break
    above = _value_above(source, place) if any(part in problem for part in _TOO_FAR) else None
    if above is not None:
        words = "this line is indented further than the one above, which has its value already"
        help = f"let it begin right below `{above}`, or put a text of several lines in quotes"
    elif "cannot start any token" in problem:
        words = _STARTS.get(text[place : place + 1], f"`{text[place : place + 1]}` cannot begin a value")
        help = "put the value in quotes"
    hint = _foreign(source)
    if hint is not None:
        help = hint
    elif "{{" in source.line(source.line_at(min(place, max(len(text) - 1, 0)))):
        help = "a template must be rendered first (helm template, jinja), or the value be put in quotes"
    sink.report(codes.YAML_SYNTAX, _span(source, place), help=help, notes=notes, problem=words)


def _value_above(source: Source, place: int) -> str | None:
    """Where the first `: ` of a line is one too many: the key of the line above, if it begins the value and is indented
    less."""
    number = source.line_at(place)
    line = source.line(number)
    before = line[: place - source.line_starts[number - 1]]
    if ": " in before or before.lstrip()[:1] in ("'", '"'):
        return None
    above = next((text for at in range(number - 1, 0, -1) if (text := source.line(at)).strip()), "")
    inner = above.lstrip(" -")
    further = len(line) - len(line.lstrip(" -")) > len(above) - len(inner)
    return inner.partition(": ")[0] if ": " in inner and further else None


# What the first line, or the line at fault, gives away.
_FOREIGN = (
    ("```", "it looks like Markdown: keep only what stands between the lines with backticks"),
    ("<<<<<<<", "an unresolved merge conflict stands in the file"),
    ("<!DOCTYPE", "it is a web page, not the file that was meant to be downloaded"),
    ("<html", "it is a web page, not the file that was meant to be downloaded"),
    ("diff --git", "it is a patch, not a file"),
    ("\x7fELF", "it is a program, not a text"),
)


def _foreign(source: Source) -> str | None:
    """What the file is in truth, if that is plain to see."""
    text = source.text
    for mark, words in _FOREIGN:
        if text.startswith(mark) or f"\n{mark}" in text:
            return words
    return None


def _span(source: Source, place: int) -> Span:
    """One character; at the end of the text the last one that is not white space."""
    text = source.text
    while place > 0 and (place >= len(text) or text[place] == "\n"):
        place -= 1
        if not text[place].isspace():
            break
    return Span(source, place, min(place + 1, len(text)))


def _forbidden(char: str) -> bool:
    code = ord(char)
    return (
        (code < 32 and char not in "\t\n\r")
        or (0x7F <= code < 0xA0 and code != 0x85)
        or 0xD800 <= code < 0xE000
        or code in (0xFFFE, 0xFFFF)
    )


def _tab_in_indent(source: Source, place: int) -> bool:
    line = source.line(source.line_at(min(place, max(len(source.text) - 1, 0))))
    return "\t" in line[: len(line) - len(line.lstrip())]
