"""What programs call of Slurm that no text shows: rows of data by words with which a text uses such a program."""

from __future__ import annotations

from flowc._compiled.slurm_commands import BEHIND, REFUSED
from flowc.patterns import at_first_use, remembered
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from re import Match
    from typing import Any


_words = tuple(at_first_use(row["words"], "finditer") for row in BEHIND)
_MOST_USES = 20  # of one program that are looked at
_MOST_SHOWN = 60  # characters of a text that name the program


def behind(text: str) -> set[str]:
    """The commands that programs call which a text starts."""
    return {name for row, _ in _uses(text) for name in row["commands"]}


def calls_freely(text: str) -> bool:
    """Whether one of them may call srun with options that neither its row nor the text names."""
    return any("srun" in row["commands"] and not row["exact"] for row, _ in _uses(text))


def features_behind(text: str) -> set[str]:
    """The features of the small Slurm that they need, beside those of each call of these commands."""
    return {feature for row, _ in _uses(text) for feature in row["features"]}


def submits(text: str, *, shell: bool) -> tuple[int, int, str | None] | None:
    """Where a text first starts a program that would submit jobs, as offsets, and what it could do instead; not in a
    comment."""
    places = [
        (*_place(match), row["instead"])
        for row, match in _uses(text, most=_MOST_USES)
        if not {*REFUSED}.isdisjoint(row["commands"]) and not in_comment(text, match.start(), shell=shell)
    ]
    return min(places, key=lambda each: each[0], default=None)


@remembered(100)  # of a text it is asked several times, and what prepares jobs is much alike
def _rows(text: str) -> list[int]:
    """The rows of the table whose words are in a text."""
    numbers = [number for number, row in enumerate(BEHIND) if any(sign in text for sign in row["signs"])]
    return [number for number in numbers if next(_words[number](text), None) is not None]


def _uses(text: str, most: int = 1) -> Iterator[tuple[Mapping[str, Any], Match[str]]]:
    for number in _rows(text):
        for match, _ in zip(_words[number](text), range(most), strict=False):
            yield BEHIND[number], match


def _place(match: Match[str]) -> tuple[int, int]:
    """The last line of its words, as far as it is no bracket."""
    line = match[0].rpartition("\n")[2].lstrip()
    shown = line if len(line) <= _MOST_SHOWN else line[-_MOST_SHOWN:].partition(" ")[2]
    start = match.end() - len(shown)
    return start, start + len(shown.rstrip(" \t("))
