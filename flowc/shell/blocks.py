"""Which places of a shell's text stand in a loop, a condition, a group or a function: what such a block is fed, its
commands are fed."""

from __future__ import annotations

from _bisect import bisect_right  # what `bisect` is made of, without a file more

from flowc.patterns import at_first_use, at_words
from flowc.shell.command import LEADING
from flowc.shell.scan import scan, start_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from re import Match

    from flowc.shell.scan import Scan

# A closing word and the word that it closes. `)` is one only where it stands alone: `a)` begins a branch of `case`.
_PAIRS = {"done": "do", "fi": "if", "esac": "case", "}": "{", ")": "("}
_ENDS_CONDITION = frozenset(("then", "else", "fi", "do", "done", "esac"))
_marks = at_words(
    r"(?<![\w$./\"'-])(?:do|done|if|fi|case|esac)(?![\w=:./\"'-])|\(\)|(?<![^\s;])[(){}](?=[\s;(<>|&]|\Z)",
    ("do", "if", "fi", "case", "esac", *"(){}"),
)
_begins_command = at_first_use(r"(?:\A|[\n;&|({]|\b(?:then|else|do)|[\s!]!)\s*\Z", "search")
_python = at_first_use(r"[^\n]{0,300}:[ \t]*(?:\n|\Z)", "match")


def guarded_by(text: str, place: int) -> tuple[int, int]:
    """What is run or not by the answer of the command at this place: from its line on to the `fi` of the `if` that asks
    it, else its line, with the group that begins there."""
    commands = scan(text).commands
    index = bisect_right(commands, place, key=start_of) - 1
    line = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    end = len(text) if end < 0 else end
    asks, opens, closes = _asks(text, index), "{", "}"
    if asks:
        line, opens, closes = min(line, asks), "if", "fi"
    depth = int(bool(asks))
    for command in commands[index + 1 :]:
        if not depth and command.start >= end:
            break
        for word in command.reserved():
            depth += (word == opens) - (word == closes)
            if not depth and word == closes:
                return line, max(end if not asks else 0, command.end)
    return line, len(text) if depth > 0 else end


def _asks(text: str, index: int) -> int:
    """Where the condition begins that this command, by its number, is a part of; 0 if it is of none."""
    for command in reversed(scan(text).commands[: index + 1]):
        for word in reversed(command.reserved()):
            if word in ("if", "elif"):
                return max(1, command.start)
            if word in _ENDS_CONDITION:
                return 0
    return 0


def any_enclosed(text: str, places: Iterable[int], *, shell: bool) -> bool:
    """Whether one of these places of a text stands in a block; of the text of another language than a `shell` rather
    too often."""
    return next(enclosed(text, places, shell=shell), None) is not None


def enclosed(text: str, places: Iterable[int], *, shell: bool) -> Iterator[int]:
    """Those of these places that stand in a block, from the last to the first; of the text of another language than a
    `shell` rather too many."""
    seen = scan(text) if shell else None
    left = sorted(places)
    # Going backward: by how many words more than are opened a block is closed, at most, from here on.
    surplus = dict.fromkeys(_PAIRS.values(), 0)
    for match in reversed(list(_marks(text))):
        while left and left[-1] >= match.end():
            place = left.pop()
            if any(surplus.values()):
                yield place
        mark = match[0]
        kind = _PAIRS.get(mark, mark)
        # Words of another kind, such as those of a comment, open and close nothing; nor does Python's `if …:`.
        if kind in surplus and (_is_mark(seen, mark, match.start()) if seen else _may_be_mark(text, match)):
            surplus[kind] = max(0, surplus[kind] + (1 if mark in _PAIRS else -1))
    if any(surplus.values()):
        yield from reversed(left)


def _is_mark(seen: Scan, mark: str, start: int) -> bool:
    """Whether it is a word of the shell: in front of a command, nor in a comment, in quotes or in another text."""
    if len(mark) == 1 or mark == "esac":
        return not (seen.in_comment(start) or seen.in_quotes(start) or seen.in_child(start))
    command = seen.command_at(start)
    return command is not None and all(word in LEADING for word in command.text[command.start : start].split())


def _may_be_mark(text: str, match: Match[str]) -> bool:
    before = text[max(0, match.start() - 40) : match.start()]
    return len(match[0]) == 1 or (
        _begins_command(before) is not None and not (match[0] == "if" and _python(text, match.end()))
    )
