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
    from flowc.cli.old_spellings import Old
    from flowc.cli.table import Command, Option


# Examples for options that take a pair.
_PAIRS = {
    "--env": "EPOCHS=10; nothing is taken from the environment here",
    "--set": "spec.backoffLimit=0",
    "--fill": "ACCOUNT=p1 for <ACCOUNT>",
}


class UsageError(Exception):
    """A command line that cannot be followed: exit status 2. `help` is one line."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class OldFlag(Record):
    """A flag of an earlier tool, `spelling`, in the word of that number. `instead` or `why` is for the note on it;
    `field`: what it sets in a task YAML."""

    spelling: str
    word: int
    field: str | None
    instead: str | None
    why: str | None


class Words(Record):
    """A command line, taken apart. `values` has an option's text, True for a flag, a list for an option that repeats;
    `operand_words`: which words the operands are; `places` says for each key where its (last) value stands: which
    word, and from which character of it; `env.0` is the first value of one that repeats. `rest` is what followed
    `--`, None without one. `old` are flags of earlier tools; `fields` is what some of them set in a task YAML: value
    and place."""

    operands: tuple[str, ...]
    operand_words: tuple[int, ...]
    values: dict[str, str | bool | list[str]]
    places: dict[str, tuple[int, int]]
    rest: tuple[str, ...] | None
    old: tuple[OldFlag, ...]
    fields: dict[str, tuple[str, tuple[int, int]]]

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
    if command.whole and words[:1] not in (["--help"], ["-h"]):
        return reader.result(tuple(words))
    while reader.index < len(words):
        word = words[reader.index]
        if word == "--" and command.foreign:
            return reader.result(tuple(words[reader.index + 1 :]))
        if word == "--":
            reader.operands += words[reader.index + 1 :]
            reader.operand_words += range(reader.index + 1, len(words))
            break
        if word.startswith("--"):
            name, equals, _ = word.partition("=")
            start = len(name) + 1 if equals else None
            if name in by_name:
                reader.take(by_name[name], start)
            elif old := reader.old_flag(name, start):
                reader.take_old(old, name, start)
            else:
                raise _unknown(command, name)
        elif word.startswith("-") and word != "-":
            reader.take_short(by_short)
        elif len(reader.operands) == command.after:
            return reader.result(tuple(words[reader.index :]))
        else:
            reader.operands.append(word)
            reader.operand_words.append(reader.index)
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
        self.operand_words: list[int] = []
        self.values: dict[str, str | bool | list[str]] = {}
        self.places: dict[str, tuple[int, int]] = {}
        self.old: list[OldFlag] = []
        self.fields: dict[str, tuple[str, tuple[int, int]]] = {}

    def take(self, option: Option, start: int | None) -> None:
        """File an option whose value, if attached, starts at `start` of the current word; else it is the next
        word."""
        word = self.words[self.index]
        shown = option.name if word.startswith("--") else str(option.short)
        if option.metavar is None:
            self.refuse_value(shown, start)
            self.values[option.key] = True
            return
        old = self.old_flag(option.name, start) if option.choices else None
        if old is not None:
            self.take_old(old, option.name, start)
            return
        value, place = self.value(shown, f"{option.name} {option.metavar}: {option.help}", start)
        self.file(option, value, place)

    def file(self, option: Option, value: str, place: tuple[int, int]) -> None:
        _check_value(option, value)
        self.places[option.key] = place
        if option.repeat:
            earlier = self.values.setdefault(option.key, [])
            assert isinstance(earlier, list)
            self.places[f"{option.key}.{len(earlier)}"] = place
            earlier.append(value)
        else:
            self.values[option.key] = value

    def value(self, shown: str, hint: str, start: int | None) -> tuple[str, tuple[int, int]]:
        """The value of the option at hand and its place; goes on to the next word where it is not attached."""
        if start is None:
            self.index += 1
            start = 0
            if self.index == len(self.words) or (self.words[self.index] == "--" and self.command.foreign):
                raise UsageError(f"`{shown}` needs a value", hint)
        return self.words[self.index][start:], (self.index, start)

    def refuse_value(self, shown: str, start: int | None) -> None:
        if start is not None:
            found = self.words[self.index][start:]
            raise UsageError(f"`{shown}` takes no value, found `{found}`", f"write `{shown}` alone")

    def take_short(self, by_short: dict[str, Option]) -> None:
        word = self.words[self.index]
        for position in range(1, len(word)):
            name = "-" + word[position]
            start = position + 1 if position + 1 < len(word) else None
            option = by_short.get(name)
            old = self.old_flag(name, start) if option is None else None
            if old is not None:
                self.take_old(old, name, start if old.metavar else None)
                if old.metavar is not None:
                    return
            elif option is None:
                raise _unknown_short(self.command, word, position)
            elif option.metavar is not None:
                equals = word[position + 1 : position + 2] == "="  # as after a long name
                self.take(option, position + 2 if equals else start)
                return
            else:
                self.values[option.key] = True

    def old_flag(self, name: str, start: int | None) -> Old | None:
        """What a flag was in earlier tools; None where this command never had any of them."""
        from flowc.cli.table import SBATCH

        if not (self.command.foreign and self.command.follows == SBATCH) and name not in self.command.old:
            return None
        from flowc.cli.old_spellings import find

        after = self.words[self.index + 1] if self.index + 1 < len(self.words) else None
        return find(name, after if start is None else self.words[self.index][start:])

    def take_old(self, old: Old, name: str, start: int | None) -> None:
        """Do what the flag meant, and remember to say how that is written now."""
        word, value, place = self.index, old.value, (self.index, 0)
        if old.metavar is None:
            self.refuse_value(name, start)
        else:
            found, place = self.value(name, f"{name} {old.metavar}, an old spelling", start)
            if old.choices and found.lower() not in old.choices:
                hint = f"it takes {', '.join(old.choices)}; sbatch's own options follow `--`"
                raise UsageError(f"`{name}` does not know `{found}`", hint)
            value = found if value is None else value
        instead = field = None
        option = next((each for each in self.command.options if each.name == old.option), None)
        if option is not None and option.metavar is None:
            self.values[option.key] = True
            instead = option.name
        elif option is not None and value is not None:
            self.file(option, value, place)
            instead = option.name if old.value is None else f"{option.name} {value}"
        elif old.field is not None and value is not None:
            field = old.field
            self.fields[field] = (value, place)
            instead = f"--set {field}={old.value or old.metavar}"
        why = None if instead else old.why
        self.old.append(OldFlag(spelling=name, word=word, field=field, instead=instead, why=why))

    def result(self, rest: tuple[str, ...] | None) -> Words:
        return Words(
            operands=tuple(self.operands),
            operand_words=tuple(self.operand_words),
            values=self.values,
            places=self.places,
            rest=rest,
            old=tuple(self.old),
            fields=self.fields,
        )


def refuse_mixtures(words: Words) -> None:
    """Raises UsageError for a job that is given twice, or in parts that do not go together."""
    if "command" not in words.values:
        return
    shown = "`--command` is the job, so there is no"
    if words.operands:
        hint = f"leave out `{words.operands[0]}` or `--command`; sbatch's own options, such as -c 4, follow `--`"
        raise UsageError(f"{shown} SOURCE beside it, found `{words.operands[0]}`", hint)
    if "from" in words.values:
        raise UsageError(f"{shown} format for `--from`", "leave out `--from`")
    if words.rest is not None:
        found = "`--`" if not words.rest else f"`-- {words.rest[0]}`"
        hint = "write the command in one word: --command 'python train.py --epochs 3'"
        raise UsageError(f"{shown} sbatch command line beside it, found {found}", hint)


def _check_value(option: Option, value: str) -> None:
    """Raises UsageError unless `value` is of the option's kind. Nothing takes an empty one: as if the option were not
    there, the job might run on another machine than was meant."""
    if not value:
        hint = f"{option.name} {option.metavar}; a variable of the shell that is not set is empty"
        raise UsageError(f"`{option.name}` needs a value, found an empty one", hint)
    if option.choices and value not in option.choices:
        suggestion = _nearest(value, option.choices)
        listed = ", ".join(option.choices)
        hint = f"did you mean `{suggestion}`? It takes {listed}" if suggestion else f"it takes {listed}"
        raise UsageError(f"`{option.name}` does not know `{value}`", hint)
    if option.kind == "integer" and not (value.isascii() and value.isdigit() and 0 < int(value[:10]) < 10**9):
        raise UsageError(f"`{option.name}` needs a whole number from 1, found `{value}`", f"such as {option.name} 2")
    if option.kind == "pair" and "=" not in value:
        hint = f"such as {option.name} {_PAIRS[option.name]}"
        raise UsageError(f"`{option.name}` needs {option.metavar}, found `{value}`", hint)


def _unknown(command: Command, name: str) -> UsageError:
    suggestion = _nearest(name, [option.name for option in command.options])
    hint = f"did you mean `{suggestion}`?" if suggestion else f"`flowc {command.name} --help` lists the options"
    if suggestion is None and command.foreign:
        hint += f"; {command.follows} `--`"
    return UsageError(f"unknown option `{name}` of `flowc {command.name}`", hint)


def _unknown_short(command: Command, word: str, position: int) -> UsageError:
    letter = "-" + word[position]
    long = "-" + word.partition("=")[0]
    if position == 1 and any(option.name == long for option in command.options):
        return UsageError(f"unknown option `{word}` of `flowc {command.name}`", f"did you mean `-{word}`?")
    hint = f"`flowc {command.name} --help` lists the options"
    if command.foreign:
        hint += f"; {command.follows} `--`"
    shown = f"`{letter}`" if len(word) == 2 else f"`{letter}` in `{word}`"
    return UsageError(f"unknown option {shown} of `flowc {command.name}`", hint)


def _nearest(word: str, candidates: list[str] | tuple[str, ...]) -> str | None:
    from flowc.diag.suggest import nearest

    return nearest(word, candidates)
