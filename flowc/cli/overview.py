"""`--help`, `--version`, and what to say when no command was given or it is not known."""

from __future__ import annotations

import os
import sys

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.commands import COMMANDS, all_commands, load
from flowc.cli.table import HELP, VERSION
from flowc.version import VERSION as NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.table import Command, Option

_ABOUT = "flowc compiles jobs to Mithril bids: checked, priced, ready to submit. It reads Slurm scripts and job YAML."
_COLUMN = 30
_WIDTH = 100


def run(words: list[str]) -> int:
    """A command line whose first word is no command. Raises UsageError unless it asks for help or the
    version."""
    first = words[0] if words else ""
    if first == "help" and words[1:] and words[1] in COMMANDS:
        return show_help(load(words[1]).COMMAND)
    if first in (HELP.name, HELP.short) or words == ["help"]:
        terminal.write(sys.stdout, _overview())
        return 0
    if first in (VERSION.name, VERSION.short):
        terminal.write(sys.stdout, f"flowc {NUMBER}\n")
        return 0
    if not words:
        terminal.write(sys.stderr, _overview())
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
    terminal.write(sys.stdout, _page(command))
    return 0


def _overview() -> str:
    lines = [_ABOUT, "", "Usage: flowc COMMAND [OPTIONS] …", "", "Commands:"]
    commands = all_commands()
    lines += [f"  {command.name:<12} {command.summary}" for command in commands]
    lines += ["", "Options:", f"  {HELP.short}, {HELP.name}     {HELP.help}"]
    lines += [f"  {VERSION.short}, {VERSION.name}  {VERSION.help}", "", "Examples:"]
    lines += _examples(tuple(command.examples[0] for command in commands))
    lines += ["", "`flowc COMMAND --help` has the options of a command.", "", _statuses(), ""]
    return "\n".join(lines)


def _page(command: Command) -> str:
    lines = [f"{command.summary[0].upper()}{command.summary[1:]}.", ""]
    lines += [f"{'Usage:' if number == 0 else '      '} {usage}" for number, usage in enumerate(command.usage)]
    if command.notes:
        from textwrap import wrap

        lines += ["", *wrap(command.notes, _WIDTH, break_on_hyphens=False)]
    groups = list(dict.fromkeys(option.group for option in command.options))
    for group in groups:
        lines += ["", f"{group[0].upper()}{group[1:]}:"]
        for option in command.options:
            if option.group == group:
                lines += _option(option)
    lines += ["", "Examples:", *_examples(command.examples), "", _statuses(), ""]
    return "\n".join(lines)


def _option(option: Option) -> list[str]:
    left = f"{option.short}, " if option.short else "    "
    left += option.name
    if option.metavar:
        left += f" {'|'.join(option.choices) if len(option.choices) > 1 else option.metavar}"
    right = option.help + (" (may be repeated)" if option.repeat else "")
    if len(left) + 3 > _COLUMN:
        return [f"  {left}", f"  {'':<{_COLUMN}}{right}"]
    return [f"  {left:<{_COLUMN}}{right}"]


def _examples(examples: tuple[tuple[str, str], ...]) -> list[str]:
    column = max(len(example) for example, _ in examples)
    return [f"  {example:<{column}}   # {meaning}" for example, meaning in examples]


def _statuses() -> str:
    return (
        "Exit status: 0 done, 1 errors in a source, 2 wrong usage, 3 a bug in flowc,\n"
        "4 a file, the network or the provider failed."
    )
