"""Variables of a shell's text: which it reads as they are, and which it gives a value."""

from __future__ import annotations

from flowc._compiled.shell_words import DECLARERS
from flowc.patterns import at_first_use, at_words
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.shell.command import Command

# `$NAME`, `${NAME}`, `${NAME/…}`; the sign behind a name in braces says what becomes of one that is not set.
_reads = at_first_use(r"(?<!\\)\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)([^}\n]?)[^}\n]*\}?)", "finditer")
# Whatever may give a value: an assignment, in arithmetic too, and the names behind the words that set some.
_assigned = at_first_use(r"(?<![\w$])([A-Za-z_]\w*+)(?:\[[^\]\n]{0,200}\])?(?:[-+*/%&|^]|<<|>>)?=(?!=)", "finditer")
_defaulted = at_first_use(r"\$\{([A-Za-z_]\w*)(?:\[[^\]\n]{0,200}\])?:?=", "finditer")
_stepped = at_first_use(r"(?<![\w${-])([A-Za-z_]\w*+)[ ]?(?:\+\+|--(?![\w-]))", "finditer")
_steps = at_words(r"\+\+|--(?![\w-])", ("++", "--"))
_named = at_words(
    r"\b(?:for|select|read|mapfile|readarray|getopts|local|declare|typeset|unset|let|setenv|printf[ \t]+-v)\b"
    r"([^\n;|&]{1,400})",
    ("for", "select", "read", "mapfile", "getopts", "local", "declare", "typeset", "unset", "let", "setenv", "printf"),
)
_word = at_first_use(r"(?<![\w${])[A-Za-z_]\w*", "findall")
_counted = at_words(r"(?:\(\(|;)[ ]*([A-Za-z_]\w*)[ ]*=(?!=)", ("((", ";"))
# What asks whether one is set: the text knows that it may not be.
_asked = at_words(
    r"(?:-[nzv]|\b(?:test|unset))[ \t]+[\"']?\$?\{?([A-Za-z_]\w*)",
    tuple(f"{word}{blank}" for word in ("-n", "-z", "-v", "test", "unset") for blank in " \t"),
)
_SAYING = ("echo", "printf")
_KEPT = ("", "}", "/", "#", "%", "^", ",", "@", "[")
_MOST = 2_000


def read_plain(text: str, *, said: bool = True) -> dict[str, tuple[int, int]]:
    """Each variable that is read with nothing said for the case that it has no value, with its first such place. Not
    within single quotes, comments and here-documents whose word is quoted; nor, without `said`, where a text only says
    its value."""
    seen, found = scan(text), dict[str, tuple[int, int]]()
    for match, _ in zip(_reads(text), range(_MOST), strict=False):
        name, place = match[1] or match[2], match.start()
        if name in found or (match[2] and match[3] not in _KEPT):
            continue
        if not said and only_said(text, place):
            continue
        if seen.in_quotes(place) or seen.in_comment(place) or seen.is_verbatim(place):
            continue
        found[name] = match.span()
    return found


def only_said(text: str, place: int) -> bool:
    """Whether it is written to the job's output and goes nowhere else: there it may well be empty."""
    commands = scan(text).commands_at(place)
    words = commands[0].words() if len(commands) == 1 else []
    if not words or words[0][1] not in _SAYING:
        return False
    rest = text[place : commands[0].end]
    return ">" not in rest and text[commands[0].end : commands[0].end + 1] != "|" and "|" not in rest


def set_in(text: str) -> set[str]:
    """The variables that may have a value by this text, or of which it asks whether they have one."""
    found = {match[1] for match in _asked(text)}
    if "${" in text:
        found.update(match[1] for match in _defaulted(text))
    for find in (_assigned, _counted, _stepped):
        if find is not _stepped or any(True for _ in _steps(text)):
            found.update(match[1] for match in find(text))
    for match in _named(text):
        found.update(_word(match[1]))
    return found


def surely_set(text: str, name: str, start: int = 0) -> bool:
    """Whether the text gives the variable a value itself, from `start` on: in its own shell, and not as a word of a
    command."""
    if text.find(name, start) < 0:
        return False
    seen = scan(text)
    for match in _named(text, start):
        if name in _word(match[1]) and not seen.in_comment(match.start()):
            return True
    for find in (_assigned, _counted, _stepped):
        for match in find(text, start):
            place = match.start(1)
            if match[1] != name or seen.in_comment(place) or seen.in_child(place):
                continue
            command = seen.command_at(place)
            if command is None or _assigns(command, place):
                return True
    return False


def _assigns(command: Command, place: int) -> bool:
    assigned, words, _ = command.parts()
    first = words[0][1] if words else ""
    return first in DECLARERS or first[:2] == "((" or any(start == place for start, _ in assigned)
