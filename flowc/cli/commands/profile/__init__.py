"""`flowc profile`: the file that says what takes the place of a cluster."""

from __future__ import annotations

from flowc.cli.table import HELP, WHAT, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.cli.arguments import Words

INIT, IMPORT = "init", "import"
COMMAND = Command(
    name="profile",
    summary="write the profile that a tree of job files needs, or a cluster's own",
    usage=("flowc profile init [OPTIONS] DIR…", "flowc profile import [OPTIONS] SLURM.CONF [GRES.CONF]…"),
    operand=WHAT,
    operand_choices=(INIT, IMPORT),
    then="file",
    options=(
        HELP,
        Option(
            name="--output",
            short="-o",
            metavar="FILE",
            kind="file",
            help="the profile, - for standard output (default: .flowc/profile.yaml, the one there is upwards)",
        ),
        Option(name="--exclude", metavar="PATTERN", repeat=True, help="pass over these files: old, *.tmp.yaml"),
    ),
    examples=(
        ("flowc profile init jobs/", "reads the job files there, and writes .flowc/profile.yaml"),
        ("flowc profile init -o - jobs/", "shows it, and writes nothing"),
        ("flowc profile import /etc/slurm/slurm.conf", "its partitions: GPU models, usual memory and time"),
        ("flowc check --summary jobs/", "what is still missing with it"),
    ),
    notes="Lines for what flowc knows (compilers, MPI, CUDA, Python, R, common programs and libraries) are filled in: "
    "look at what each brings. The others are comments, in the order in which they free most files: put a package, a "
    "volume or a value there, and take the # away. A profile that is there keeps all it says, and gets what is new.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError."""
    from flowc.cli.arguments import UsageError

    if words.operands[:1] not in ((INIT,), (IMPORT,)):
        found = f"`{words.operands[0]}` is nothing to do with a profile" if words.operands else "nothing to do given"
        raise UsageError(found, f"flowc profile {INIT} DIR, or flowc profile {IMPORT} SLURM.CONF")
    if words.operands[0] == IMPORT:
        if len(words.operands) == 1:
            raise UsageError("no SLURM.CONF given", f"flowc profile {IMPORT} /etc/slurm/slurm.conf")
        from flowc.cli.commands.profile.cluster import run_import

        return run_import(words)
    if len(words.operands) == 1:
        raise UsageError("no DIR given", f"name the folder of the job files: flowc profile {INIT} .")
    from flowc.cli.commands.profile.init import init

    return init(words, argv)
