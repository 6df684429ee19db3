"""What a command and an option are: the rows behind parsing, `--help` and shell completion."""

from __future__ import annotations

from flowc.record import Record

# The frontend that `--command` stands for; it reads no file, so `--from` does not take it.
COMMAND_LINE = "command-line"


# How the operand is called that says what a command is to do.
WHAT = "WHAT"
# What most often follows `--`.
SBATCH = "sbatch's own options follow"


class Option(Record):
    """One option. `metavar` is None for a flag; `kind` says what a value is: text, integer, pair (KEY=VALUE),
    file or folder; `values` what a shell may complete where others are taken too: codes, machines, regions or levels
    (of priority); `key` is the name under which the parser files it, by default the long name."""

    name: str
    help: str
    short: str | None = None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    kind: str = "text"
    values: str = ""
    repeat: bool = False
    group: str = "options"

    @property
    def key(self) -> str:
        return self.name[2:].replace("-", "_")


class Command(Record):
    """One command. `operand` is None, or how its operands are called, `operand_values` what a shell may complete (as in
    an option); `foreign`: a foreign command line may
    follow `--`, `follows` says what it is; `then` is what stands behind one of the
    `operand_choices` (file, folder); `examples` are (command, what it does); `old` are flags of earlier tools
    that it takes and does nothing with: where sbatch's own options may follow, all are taken. `whole`: but for `--help`
    its words are a foreign command line, without `--`; `after`: so are those that follow so many operands."""

    name: str
    summary: str
    usage: tuple[str, ...]
    options: tuple[Option, ...]
    examples: tuple[tuple[str, str], ...]
    operand: str | None = None
    operand_choices: tuple[str, ...] = ()
    operand_values: str = ""
    then: str = ""
    foreign: bool = False
    whole: bool = False
    after: int | None = None
    old: tuple[str, ...] = ()
    follows: str = SBATCH
    notes: str = ""


HELP = Option(name="--help", short="-h", help="show this help")
VERSION = Option(name="--version", short="-V", help="show the version")
