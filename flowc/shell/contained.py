"""Words of a command that runs a program in an image file, by Singularity or Apptainer: what the machine must have."""

from __future__ import annotations

from flowc.shell.words import program_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Word = tuple[int, str]

PROGRAMS = ("singularity", "apptainer")
FILES = (".sif", ".simg", ".img", ".sqsh")
_RUNNING = ("exec", "run", "shell", "test")
_MAKING = ("pull", "build")
# Options whose values are of the machine, and others that have values.
_BINDS = ("-B", "--bind", "--env-file", "-o", "--overlay")
_VALUED = (
    *("--add-caps", "--app", "--apply-cgroups", "--cpus", "--cwd", "--dns", "--drop-caps", "--env"),
    *("--fusemount", "-H", "--home", "--hostname", "--memory", "--mount", "--network", "--network-args", "--pwd"),
    *("-S", "--scratch", "--security", "-W", "--workdir"),
)
_QUOTES = "\"'"


def behind(words: list[Word]) -> tuple[int, str, list[Word]] | None:
    """Where such a program stands among a command's words, what it is to do, and what it is given."""
    number = next((number for number, (_, word) in enumerate(words) if program_in(word) in PROGRAMS), None)
    if number is None:
        return None
    rest = words[number + 1 :]
    place = next((place for place, (_, word) in enumerate(rest) if word[:1] != "-"), len(rest))
    return number, rest[place][1] if place < len(rest) else "", rest[place + 1 :]


def made(words: list[Word]) -> list[str]:
    """The words that may name an image which the command makes."""
    found = behind(words)
    return [word for _, word in found[2]] if found is not None and found[1] in _MAKING else []


def image(words: list[Word]) -> Word | None:
    """The image in which the command runs something, without quotes."""
    return next((word for option, word in _given(words) if not option), None)


def of_the_machine(words: list[Word]) -> list[Word]:
    """The image, and what is bound into it, without quotes."""
    found: list[Word] = []
    for option, (start, word) in _given(words):
        for part in word.split(",") if option else (word,):
            found.append((start, part.partition(":")[0] if option else part))
            start += len(part) + 1
    return found


def _given(words: list[Word]) -> Iterator[tuple[str, Word]]:
    """The values of its options that are of the machine, and last the image, with an empty option."""
    found = behind(words)
    if found is None or found[1] not in _RUNNING:
        return
    rest = iter(found[2])
    for start, word in rest:
        option, equals, value = word.partition("=")
        if word[:1] != "-":
            yield "", _bare(start, word)
            return
        if equals:
            start, word = start + len(option) + 1, value
        elif option in _BINDS or option in _VALUED:
            start, word = next(rest, (0, ""))
        if option in _BINDS:
            yield option, _bare(start, word)


def _bare(start: int, word: str) -> Word:
    quoted = word[:1] != "" and word[:1] in _QUOTES
    return start + quoted, word.strip(_QUOTES)
