"""`flowc completion`: prints a script that lets a shell complete flowc's words."""

from __future__ import annotations

import sys

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.table import HELP, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="completion",
    summary="print a completion script for a shell",
    usage=("flowc completion bash|zsh|fish",),
    operand="SHELL",
    operand_choices=("bash", "zsh", "fish"),
    options=(HELP,),
    examples=(
        ('eval "$(flowc completion bash)"', "in ~/.bashrc"),
        ("flowc completion zsh > ~/.zfunc/_flowc", "in a folder of zsh's fpath"),
        ("flowc completion fish > ~/.config/fish/completions/flowc.fish", "for fish"),
    ),
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError for a shell that there is no script for."""
    from flowc.cli import completion
    from flowc.cli.commands import all_commands
    from flowc.diag.codes.table import all_codes
    from flowc.driver import completed

    makers = {"bash": completion.bash, "zsh": completion.zsh, "fish": completion.fish}
    if len(words.operands) != 1 or words.operands[0] not in makers:
        found = f", found `{' '.join(words.operands)}`" if words.operands else ""
        raise UsageError(f"`flowc completion` takes one shell: bash, zsh or fish{found}", "flowc completion bash")
    values = {**completed(), "codes": tuple(word for code in all_codes() for word in (code.id, code.name))}
    terminal.write(sys.stdout, makers[words.operands[0]](all_commands(), values))
    return 0
