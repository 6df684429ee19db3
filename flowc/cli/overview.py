"""`--help`, `--version`, and what to say when no command was given or it is not known."""

from __future__ import annotations

import os
import sys

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.commands import COMMANDS, all_commands, load
from flowc.cli.table import HELP, VERSION
from flowc.diag.render import WIDTH
from flowc.version import VERSION as NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.table import Command, Option

_ABOUT = "flowc compiles jobs to Mithril bids: checked, priced, ready to submit. It reads Slurm scripts and job YAML."
_COLUMN = 30  # where what an option does begins
_NARROW = 72  # columns below which it stands below the option
_PROSE = 100  # columns of running text at most
_TIED = "\N{NO-BREAK SPACE}"
_STATUSES = (
    "Exit status: 0 done, 1 errors in a source, 2 wrong usage, 3 a bug in flowc, 4 a file, the network or the provider "
    "failed."
)


def run(words: list[str]) -> int:
    """A command line whose first word is no command. Raises UsageError unless it asks for help or the
    version."""
    first = words[0] if words else ""
    if first == "help" and words[1:] and words[1] in COMMANDS:
        return show_help(load(words[1]).COMMAND)
    if first in (HELP.name, HELP.short) or words == ["help"]:
        terminal.write(sys.stdout, _overview(_width()))
        return 0
    if first in (VERSION.name, VERSION.short):
        terminal.write(sys.stdout, f"flowc {NUMBER}\n")
        return 0
    if not words:
        terminal.write(sys.stderr, _overview(_width()))
        return 2
    raise _unknown(words[1] if first == "help" else first)


def _unknown(word: str) -> UsageError:
    from flowc.diag.suggest import nearest

    if word.startswith("-"):
        return UsageError(f"unknown option `{word}`", "options follow a command: flowc compile job.sbatch --emit plan")
    near = nearest(word, COMMANDS)
    if near:
        return UsageError(f"unknown command `{word}`", f"did you mean `flowc {near}`?")
    if os.path.exists(word):
        return UsageError(f"unknown command `{word}`", f"to compile that file: `flowc compile {word}`")
    return UsageError(f"unknown command `{word}`", "`flowc --help` lists the commands")


def show_help(command: Command) -> int:
    terminal.write(sys.stdout, _page(command, _width()))
    return 0


def show_usage(command: Command) -> int:
    """Its help where it was given nothing to do. 2, wrong usage."""
    terminal.write(sys.stderr, _page(command, _width()))
    return 2


def _width() -> int:
    """Columns to write in: what COLUMNS says, or the terminal's, within reason."""
    said = os.environ.get("COLUMNS", "")
    asked = int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0
    return max(40, min(asked or terminal.width(sys.stdout), WIDTH))


def _overview(width: int) -> str:
    lines = [*_wrapped(_ABOUT, min(width, _PROSE)), "", "Usage: flowc COMMAND [OPTIONS] …", "", "Commands:"]
    commands = all_commands()
    for command in commands:
        lines += _wrapped(f"  {command.name:<12} {command.summary}", width, 15)
    lines += ["", "Options:", f"  {HELP.short}, {HELP.name}     {HELP.help}"]
    lines += [f"  {VERSION.short}, {VERSION.name}  {VERSION.help}", "", "Examples:"]
    lines += _examples(tuple(command.examples[0] for command in commands), width)
    lines += ["", *_wrapped("`flowc COMMAND --help` has the options of a command.", width)]
    lines += ["", *_wrapped(_STATUSES, min(width, _PROSE)), ""]
    return "\n".join(lines)


def _page(command: Command, width: int) -> str:
    lines = [*_wrapped(f"{command.summary[0].upper()}{command.summary[1:]}.", width), ""]
    for number, usage in enumerate(command.usage):
        lines += _wrapped(f"{'Usage:' if number == 0 else '      '} {usage}", width, 11)
    if command.notes:
        lines += ["", *_wrapped(command.notes, min(width, _PROSE))]
    for group in dict.fromkeys(option.group for option in command.options):
        lines += ["", f"{group[0].upper()}{group[1:]}:"]
        for option in command.options:
            if option.group == group:
                lines += _option(option, width)
    lines += ["", "Examples:", *_examples(command.examples, width), "", *_wrapped(_STATUSES, min(width, _PROSE)), ""]
    return "\n".join(lines)


def _option(option: Option, width: int) -> list[str]:
    left = f"  {option.short}, " if option.short else "      "
    left += option.name
    if option.metavar:
        left += f" {'|'.join(option.choices) if len(option.choices) > 1 else option.metavar}"
    right = option.help + (" (may be repeated)" if option.repeat else "")
    column = _COLUMN + 2 if width >= _NARROW else 10
    if len(left) + 1 > column:
        return [*_wrapped(left, width, 12), *_wrapped(" " * column + right, width, column)]
    return _wrapped(f"{left:<{column}}{right}", width, column)


def _examples(examples: tuple[tuple[str, str], ...], width: int) -> list[str]:
    """Each with its meaning behind it; where that is too wide, the meaning above it."""
    column = max(len(example) for example, _ in examples)
    lines = [f"  {example:<{column}}   # {meaning}" for example, meaning in examples]
    if max(map(len, lines)) <= width:
        return lines
    lines = []
    for example, meaning in examples:
        lines += ["  # " + line for line in _wrapped(meaning, width - 4)]
        lines += [line.replace(_TIED, " ") for line in _wrapped("  " + _tied(example), width, 6, " \\")]
    return lines


def _tied(command: str) -> str:
    """What is read together stays on one line: an option and its value, flowc and its command."""
    words = command.split(" ")
    gaps = [
        _TIED if ((one[:1] == "-" and one != "--") or one == "flowc") and other[:1] != "-" else " "
        for one, other in zip(words, [*words[1:], ""], strict=True)
    ]
    return "".join(word + gap for word, gap in zip(words, gaps, strict=True)).rstrip(f" {_TIED}")


def _wrapped(text: str, width: int, indent: int = 0, end: str = "") -> list[str]:
    """Lines of at most `width` columns, from the second one on `indent` columns in; `end` stands where one goes on.
    Parted at spaces, at none within quotes, and after a `|` between choices. (`textwrap` would cost as much as all the
    rest of a page.)"""
    lines, line, quote, word, gap = [], "", "", "", ""
    for character in text + " ":
        if character in "\"'" and end:  # commands alone have words with spaces in them
            quote = "" if quote == character else quote or character
        if character != " " or quote:
            word += character
        if not quote and word and character in " |":
            if line.strip() and len(line) + len(gap) + len(word) + len(end) > width:
                lines.append(line + end)
                line, gap = " " * min(indent, max(0, width - len(word))), ""
            line, word, gap = line + gap + word, "", ""
        if character == " " and not quote:
            gap += " "
    return [*lines, line]
