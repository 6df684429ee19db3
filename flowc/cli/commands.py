"""The commands, their options and examples: the one table behind parsing, `--help` and shell completion."""

from __future__ import annotations

from flowc.frontends import FRONTENDS
from flowc.record import Record

# The frontend that `--command` stands for; it reads no file, so `--from` does not take it.
COMMAND_LINE = "command-line"


class Option(Record):
    """One option. `metavar` is None for a flag; `kind` says what a value is: text, integer, pair (KEY=VALUE),
    file or folder; `key` is the name under which the parser files it, by default the long name."""

    name: str
    help: str
    short: str | None = None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    kind: str = "text"
    repeat: bool = False
    group: str = "options"

    @property
    def key(self) -> str:
        return self.name[2:].replace("-", "_")


class Command(Record):
    """One command. `operand` is None, or how its operands are called; `foreign`: a foreign command line may
    follow `--`; `examples` are (command, what it does)."""

    name: str
    summary: str
    usage: tuple[str, ...]
    options: tuple[Option, ...]
    examples: tuple[tuple[str, str], ...]
    operand: str | None = None
    operand_choices: tuple[str, ...] = ()
    foreign: bool = False
    notes: str = ""


HELP = Option(name="--help", short="-h", help="show this help")
VERSION = Option(name="--version", short="-V", help="show the version")

_JOB = "job flags (they win over the file)"
JOB_OPTIONS = (
    Option(name="--name", short="-n", metavar="NAME", help="name of the job", group=_JOB),
    Option(
        name="--instance-type",
        short="-i",
        metavar="TYPE",
        help="machine to bid for, such as 8xh100",
        group=_JOB,
    ),
    Option(name="--num-instances", short="-N", metavar="N", kind="integer", help="number of machines", group=_JOB),
    Option(name="--region", short="-r", metavar="REGION", help="where the job may run", group=_JOB),
    Option(
        name="--max-price-per-hour",
        short="-m",
        metavar="USD",
        help="highest price of one machine for one hour",
        group=_JOB,
    ),
    Option(name="--budget", metavar="USD", help="refuse a job that could cost more in all", group=_JOB),
    Option(name="--time", metavar="TIME", help="time limit, as sbatch writes it: 90, 1:30:00, 2-12", group=_JOB),
    Option(
        name="--env",
        metavar="KEY=VALUE",
        kind="pair",
        repeat=True,
        help="environment variable of the job",
        group=_JOB,
    ),
    Option(name="--project", metavar="NAME", help="project that pays (default: MITHRIL_PROJECT)", group=_JOB),
    Option(
        name="--ssh-key",
        metavar="NAME",
        repeat=True,
        help="SSH key that may log in (default: MITHRIL_SSH_KEYS)",
        group=_JOB,
    ),
    Option(
        name="--priority",
        metavar="LEVEL",
        help="how high to bid when no price is given: low, med, high",
        group=_JOB,
    ),
    Option(name="--image", metavar="IMAGE", help="container image that the job runs in", group=_JOB),
    Option(
        name="--secret",
        metavar="KEY",
        repeat=True,
        help="variable whose value is delivered after boot, never with the bid",
        group=_JOB,
    ),
    Option(
        name="--mount",
        metavar="[TARGET=]SOURCE",
        repeat=True,
        help="bucket, volume, git repository or path the job finds at TARGET",
        group=_JOB,
    ),
    Option(name="--port", metavar="[EXT:]INT", repeat=True, help="port to reach the job at: 8080, 80:8080", group=_JOB),
    Option(
        name="--body",
        metavar="HOW",
        choices=("script", "ssh"),
        help="how the script comes to the machine: in the startup script (default), or copied over SSH",
        group=_JOB,
    ),
    Option(
        name="--with-commands",
        metavar="NAME,…",
        repeat=True,
        help="commands to bring though the script shows no call: srun, module, …",
        group=_JOB,
    ),
    Option(
        name="--set",
        metavar="PATH=VALUE",
        kind="pair",
        repeat=True,
        help="a place in the YAML document, such as resources.cpus=8+",
        group=_JOB,
    ),
)

COMMAND_OPTION = Option(
    name="--command",
    short="-c",
    metavar="COMMAND",
    help="the job is this command, there is no SOURCE",
)

_READ = "how the source is read"
SOURCE_OPTIONS = (
    Option(
        name="--from",
        metavar="FORMAT",
        choices=tuple(entry.name for entry in FRONTENDS if entry.name != COMMAND_LINE),
        help="the source's format",
        group=_READ,
    ),
    Option(
        name="--slurm-version",
        metavar="VERSION",
        choices=("22.05", "26.05"),
        help="the release whose rules hold (default: 22.05)",
        group=_READ,
    ),
    Option(
        name="--catalog",
        metavar="FILE",
        kind="file",
        help="catalog of machines and prices to use",
        group=_READ,
    ),
    Option(name="--once", help="run the job of a CronJob once, now", group=_READ),
    Option(name="--allow-unknown", help="unknown keys of a YAML file are warnings", group=_READ),
    Option(name="--strict", help="treat warnings as errors", group=_READ),
)

COMPILE = Command(
    name="compile",
    summary="turn a job into a bid",
    usage=("flowc compile [OPTIONS] SOURCE… [-- SBATCH OPTIONS]", "flowc compile [OPTIONS] --command COMMAND"),
    operand="SOURCE",
    foreign=True,
    options=(
        Option(
            name="--emit",
            metavar="TARGET",
            choices=("ast", "ir", "plan", "mithril", "script", "cloud-init"),
            help="what to produce (default: mithril)",
        ),
        Option(
            name="--output",
            short="-o",
            metavar="DIR",
            kind="folder",
            help="write the files below DIR instead of printing one",
        ),
        COMMAND_OPTION,
        HELP,
        *SOURCE_OPTIONS,
        *JOB_OPTIONS,
    ),
    examples=(
        ("flowc compile job.sbatch", "the bid, as JSON on standard output"),
        ("flowc compile job.sbatch -o out/", "request, startup script and report as files"),
        ("flowc compile job.sbatch -i 8xh100 --budget 500", "on that machine, never for more than that"),
        ("flowc compile job.sbatch --emit script", "the startup script, readable"),
        ("flowc compile job.sbatch -- --nodes=2 -t 1:00:00", "with sbatch's own options, as given to sbatch"),
        ('flowc compile -- --gpus=8 --wrap "python train.py"', "without a file"),
        ('flowc compile -c "python train.py" -i 8xh100', "a command, without sbatch's rules"),
        ("flowc compile job.yaml --set spec.backoffLimit=0", "with another value in a YAML file"),
    ),
    notes="SOURCE is a file, or - for standard input. Diagnostics go to standard error.",
)

CHECK = Command(
    name="check",
    summary="find mistakes in jobs, without producing anything",
    usage=("flowc check [OPTIONS] SOURCE… [-- SBATCH OPTIONS]", "flowc check [OPTIONS] --command COMMAND"),
    operand="SOURCE",
    foreign=True,
    options=(
        Option(
            name="--format",
            metavar="FORMAT",
            choices=("human", "json", "sarif", "github"),
            help="how findings are shown (default: human)",
        ),
        Option(name="--fix", help="apply the fixes that are certain, in place"),
        COMMAND_OPTION,
        HELP,
        *SOURCE_OPTIONS,
        *JOB_OPTIONS,
    ),
    examples=(
        ("flowc check job.sbatch", "one job"),
        ("flowc check jobs/", "every job file below a folder"),
        ("flowc check --fix jobs/", "and mend what can be mended"),
        ("flowc check --format github .", "as annotations of a pull request"),
        ("cat job.sbatch | flowc check -", "from standard input"),
    ),
    notes=(
        "SOURCE is a file, a folder, or - for standard input. In folders, files with a suffix of job files\n"
        "are checked (.sbatch, .slurm, …; .sh where it holds directives; .yaml where it is plainly a job);\n"
        "hidden folders are passed over."
    ),
)

EXPLAIN = Command(
    name="explain",
    summary="the manual of a diagnostic",
    usage=("flowc explain CODE…", "flowc explain --all"),
    operand="CODE",
    options=(
        Option(name="--all", help="every diagnostic there is"),
        Option(
            name="--format",
            metavar="FORMAT",
            choices=("markdown", "json"),
            help="how to show it (default: markdown)",
        ),
        HELP,
    ),
    examples=(
        ("flowc explain FC110", "by its code"),
        ("flowc explain unknown-option", "by its name"),
        ("flowc explain --all > diagnostics.md", "the whole manual"),
    ),
)

SCHEMA = Command(
    name="schema",
    summary="print the JSON Schema of a format",
    usage=("flowc schema task|ir|diagnostics",),
    operand="FORMAT",
    operand_choices=("task", "ir", "diagnostics"),
    options=(HELP,),
    examples=(
        ("flowc schema task > task.schema.json", "task YAML, for an editor"),
        ("flowc schema ir", "what `flowc compile --emit ir` prints"),
        ("flowc schema diagnostics", "what `flowc check --format json` prints"),
    ),
)

COMPLETION = Command(
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

COMMANDS = (COMPILE, CHECK, EXPLAIN, SCHEMA, COMPLETION)
