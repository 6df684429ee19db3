"""Reads the words of a command line by the table of its command.

A parser of our own because `argparse` costs as much to import as the whole interpreter to start, gives no
places of words and suggests nothing. Conventions are GNU's: options and operands in any order, `--name=value`
or `--name value`, `-nvalue` or `-n value`, flags of one letter together (`-hV`), the last one wins, `--` ends
the options.
"""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.commands import Command, Option


class UsageError(Exception):
    """A command line that cannot be followed: exit status 2. `help` is one line."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Words(Record):
    """A command line, taken apart. `values` has an option's text, True for a flag, a list for an option that
    repeats; `places` says for each key where its (last) value stands: which word, and from which character of
    it. `rest` is what followed `--`, None without one."""

    operands: tuple[str, ...]
    values: dict[str, str | bool | list[str]]
    places: dict[str, tuple[int, int]]
    rest: tuple[str, ...] | None

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key)
        return tuple(value) if isinstance(value, list) else ()

    def flag(self, key: str) -> bool:
        return key in self.values


def parse(command: Command, words: list[str]) -> Words:
    """Raises UsageError for what the command does not know. A `--help` among the options ends the reading."""
    by_name = {option.name: option for option in command.options}
    by_short = {option.short: option for option in command.options if option.short}
    reader = _Reader(command, words)
    while reader.index < len(words):
        word = words[reader.index]
        if word == "--" and command.foreign:
            return reader.result(tuple(words[reader.index + 1 :]))
        if word == "--":
            reader.operands += words[reader.index + 1 :]
            break
        if word.startswith("--"):
            name, equals, _ = word.partition("=")
            option = by_name.get(name) or _unknown(command, name)
            reader.take(option, len(name) + 1 if equals else None)
        elif word.startswith("-") and word != "-":
            reader.take_short(by_short)
        else:
            reader.operands.append(word)
        reader.index += 1
        if "help" in reader.values:
            break
    return reader.result(None)


class _Reader:
    def __init__(self, command: Command, words: list[str]) -> None:
        self.command = command
        self.words = words
        self.index = 0
        self.operands: list[str] = []
        self.values: dict[str, str | bool | list[str]] = {}
        self.places: dict[str, tuple[int, int]] = {}

    def take(self, option: Option, start: int | None) -> None:
        """File an option whose value, if attached, starts at `start` of the current word; else it is the next
        word."""
        word = self.words[self.index]
        shown = option.name if word.startswith("--") else option.short
        if option.metavar is None:
            if start is not None:
                raise UsageError(f"`{shown}` takes no value, found `{word[start:]}`", f"write `{shown}` alone")
            self.values[option.key] = True
            return
        if start is None:
            self.index += 1
            start = 0
            if self.index == len(self.words) or (self.words[self.index] == "--" and self.command.foreign):
                raise UsageError(f"`{shown}` needs a value", f"{option.name} {option.metavar}: {option.help}")
        value = self.words[self.index][start:]
        check_value(option, value)
        self.places[option.key] = (self.index, start)
        if option.repeat:
            earlier = self.values.setdefault(option.key, [])
            assert isinstance(earlier, list)
            earlier.append(value)
        else:
            self.values[option.key] = value

    def take_short(self, by_short: dict[str, Option]) -> None:
        word = self.words[self.index]
        for position in range(1, len(word)):
            option = by_short.get("-" + word[position])
            if option is None:
                raise _unknown_short(self.command, word, position)
            if option.metavar is not None:
                self.take(option, position + 1 if position + 1 < len(word) else None)
                return
            self.values[option.key] = True

    def result(self, rest: tuple[str, ...] | None) -> Words:
        return Words(operands=tuple(self.operands), values=self.values, places=self.places, rest=rest)


def check_value(option: Option, value: str) -> None:
    """Raises UsageError unless `value` is of the option's kind."""
    if option.choices and value not in option.choices:
        suggestion = _nearest(value, option.choices)
        listed = ", ".join(option.choices)
        hint = f"did you mean `{suggestion}`? It takes {listed}" if suggestion else f"it takes {listed}"
        raise UsageError(f"`{option.name}` does not know `{value}`", hint)
    if option.kind == "integer" and not (value.isascii() and value.isdigit() and 0 < int(value[:10]) < 10**9):
        raise UsageError(f"`{option.name}` needs a whole number from 1, found `{value}`", f"such as {option.name} 2")
    if option.kind == "pair" and "=" not in value:
        hint = f"such as {option.name} EPOCHS=10; nothing is taken from the environment here"
        raise UsageError(f"`{option.name}` needs KEY=VALUE, found `{value}`", hint)
    if not value and option.kind != "text":
        raise UsageError(f"`{option.name}` needs a value, found an empty one", f"{option.name} {option.metavar}")


def _unknown(command: Command, name: str) -> Option:
    suggestion = _nearest(name, [option.name for option in command.options])
    hint = f"did you mean `{suggestion}`?" if suggestion else f"`flowc {command.name} --help` lists the options"
    if suggestion is None and command.foreign:
        hint += "; sbatch's own options follow `--`"
    raise UsageError(f"unknown option `{name}` of `flowc {command.name}`", hint)


def _unknown_short(command: Command, word: str, position: int) -> UsageError:
    letter = "-" + word[position]
    long = "-" + word.partition("=")[0]
    if position == 1 and any(option.name == long for option in command.options):
        return UsageError(f"unknown option `{word}` of `flowc {command.name}`", f"did you mean `-{word}`?")
    hint = f"`flowc {command.name} --help` lists the options"
    if command.foreign:
        hint += "; sbatch's own options follow `--`"
    shown = f"`{letter}`" if len(word) == 2 else f"`{letter}` in `{word}`"
    return UsageError(f"unknown option {shown} of `flowc {command.name}`", hint)


def _nearest(word: str, candidates: list[str] | tuple[str, ...]) -> str | None:
    from flowc.diag.suggest import nearest

    return nearest(word, candidates)
