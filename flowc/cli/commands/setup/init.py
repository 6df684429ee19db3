"""`flowc init`: asks for the settings and writes them."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.options import PROVIDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

COMMAND = Command(
    name="init",
    summary="ask for the settings, and write them",
    usage=("flowc init [OPTIONS]",),
    options=(
        HELP,
        PROVIDER,
        Option(name="--project", metavar="NAME", help="project that pays"),
        Option(name="--region", short="-r", metavar="REGION", help="where jobs may run; any, if not given"),
        Option(name="--ssh-key", metavar="NAME", repeat=True, help="SSH key that may log in"),
    ),
    examples=(
        ("flowc init", "asks for provider, key, project and SSH keys"),
        ("flowc init --provider local", "jobs run on this computer from now on"),
        ("flowc init --provider mithril --project research --ssh-key laptop", "asks for nothing that is known"),
    ),
    notes="What a flag says is not asked. The key is typed unseen and stands on no command line; one that the "
    "environment or the system's keyring has is not written. It goes into that keyring, where there is one and you "
    "want it (pip install 'flowc[keyring]'); all else goes into ~/.flow/config.yaml, which nobody else may read then.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard error cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.setup.asking import ask_all
    from flowc.cli.status import WORLD_FAILED
    from flowc.cli.tasks.guard import guarded

    if words.operands:
        raise UsageError(f"`flowc init` takes no operand, found `{words.operands[0]}`", "flowc init")
    return guarded(lambda: ask_all(words), failed=WORLD_FAILED)
