"""The commands. A module each, with `COMMAND`, its row of the table, and `run`, which takes the words that the parser
made, and the whole command line, and gives the exit status.

A command line loads the module of its own command alone. So a module imports at its top what the row needs, and within
`run` what the work needs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from flowc.cli.table import Command

# In the order of `flowc --help`.
COMMANDS = (
    "compile",
    "check",
    "price",
    "run",
    "submit",
    "sbatch",
    "catalog",
    "list",
    "status",
    "logs",
    "ssh",
    "wait",
    "cancel",
    "watch",
    "local",
    "doctor",
    "init",
    "profile",
    "explain",
    "schema",
    "completion",
)
# Those that stand in a folder of their own kind.
_FOLDERS = {"watch": "setup", "doctor": "setup", "init": "setup", "price": "money", "catalog": "money"}


def load(name: str) -> ModuleType:
    """The module of one of COMMANDS."""
    folder = f"{__name__}.{_FOLDERS[name]}" if name in _FOLDERS else __name__
    return __import__(f"{folder}.{name}", fromlist=["COMMAND"])


def all_commands() -> tuple[Command, ...]:
    return tuple(load(name).COMMAND for name in COMMANDS)
