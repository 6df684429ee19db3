"""Which places of a shell's text stand in a loop, a condition, a group or a function: what such a block is fed, its
commands are fed."""

from __future__ import annotations

from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# A closing word and the word that it closes. `)` is one only where it stands alone: `a)` begins a branch of `case`.
_PAIRS = {"done": "do", "fi": "if", "esac": "case", "}": "{", ")": "("}
_marks = at_first_use(
    r"(?<![\w$./\"'-])(?:do|done|if|fi|case|esac)(?![\w=:./\"'-])|\(\)|(?<![^\s;])[(){}](?=[\s;(<>|&]|\Z)", "finditer"
)
_begins_command = at_first_use(r"(?:\A|[\n;&|({]|\b(?:then|else|do)|[\s!]!)\s*\Z", "search")
_python = at_first_use(r"[^\n]{0,300}:[ \t]*(?:\n|\Z)", "match")


def any_enclosed(text: str, places: Iterable[int]) -> bool:
    """Whether one of these places of a text stands in a block; of a text that is read wrongly rather too often."""
    left = sorted(places)
    # Going backward: by how many words more than are opened a block is closed, at most, from here on.
    surplus = dict.fromkeys(_PAIRS.values(), 0)
    for match in reversed(list(_marks(text))):
        while left and left[-1] >= match.end():
            left.pop()
            if any(surplus.values()):
                return True
        mark = match[0]
        kind = _PAIRS.get(mark, mark)
        # Words of another kind, such as those of a comment, open and close nothing; nor does Python's `if …:`.
        if kind in surplus and (len(mark) == 1 or _is_command(text, mark, match.start(), match.end())):
            surplus[kind] = max(0, surplus[kind] + (1 if mark in _PAIRS else -1))
    return bool(left) and any(surplus.values())


def _is_command(text: str, mark: str, start: int, end: int) -> bool:
    before = text[max(0, start - 40) : start]
    return _begins_command(before) is not None and not (mark == "if" and _python(text, end))
