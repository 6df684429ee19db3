"""The words of a command, from a place in it on."""

from __future__ import annotations

from flowc.patterns import function_at_first_use

_scan = function_at_first_use("flowc.shell.scan", "scan")
# How the name of each shell ends, and what may follow it there: a blank, an input, an output, a line that goes on.
_GIVEN = ("sh ", "sh\t", "sh<", "sh>", "sh\\")


def calls_shells(text: str) -> bool:
    """Whether other shells may be given texts by this one; most texts call none."""
    for sign in _GIVEN:  # noqa: SIM110 - a generator costs as much as the search
        if sign in text:
            return True
    return False


def words_behind(text: str, place: int) -> list[tuple[int, str]]:
    """The words that stand behind the one at `place` in its command, with their offsets, as they are written. Within a
    string or a here-document, which may be another shell's text: those of the command that would stand there."""
    command = _scan(text).command_at(place)
    if command is not None:
        words: list[tuple[int, str]] = command.words()
        for index, (start, word) in enumerate(words):
            if start <= place < start + len(word):
                if start == place:
                    return words[index + 1 :]
                break  # in a string
    from flowc.shell.command import Command

    return Command(text, place, _end_of_line(text, place), {}).words()[1:]


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    while end > 0 and text[end - 1] == "\\":
        end = text.find("\n", end + 1)
    return len(text) if end < 0 else end


def program_in(word: str) -> str:
    """The name of the program that a word calls: of `/usr/bin/a`, `$(which a)`, "`command -v a`"."""
    plain = word.strip("\"'")
    if plain[:1] in "$`" and ("which " in plain or "command -v " in plain):
        plain = plain.rstrip(")`").rpartition(" ")[2]
    return plain.rpartition("/")[2]
