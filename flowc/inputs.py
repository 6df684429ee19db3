"""What a compilation is told besides its source. The CLI reads the world; everything below it gets it from here."""

from __future__ import annotations

from flowc.record import Record
from flowc.source import Derived, Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.policy import Policy
    from flowc.ir.profile import Profile
    from flowc.source import Piece

# The releases of Slurm whose rules `--slurm-version` chooses.
SLURM_RELEASES = ("22.05", "23.02", "23.11", "24.05", "24.11", "25.05", "25.11", "26.05", "26.11")

_QUOTE = "'\\''"  # a quote within quotes


class Repository(Record):
    """A commit that machines can have: `url` and the commit's id, `folder` below its root where the job runs (empty:
    there), `submodules`: it has some."""

    url: str
    commit: str
    folder: str = ""
    submodules: bool = False


class Flags(Record):
    """Job flags of the command line (contract §1); None or empty: not given. Money is decimal text.

    `mounts` are `[TARGET=]SOURCE` and `ports` `[EXTERNAL:]INTERNAL`, as written. `sets` are (path, value) of `--set`: a
    place in the source's document (`spec.backoffLimit`, `containers[0].image`) and YAML text. `fields` are (field,
    value) of earlier tools' flags that set a field of a task YAML, the value as written, `true` or `false` of a switch.
    `fill` are (name, value) of placeholders, of which the last of a name counts. `move`: what pins the job to another
    cloud or cluster is noted and left out. `optimize`: `cost`, what costs less is done where the job allows it.
    `with_commands` are names of a cluster's commands, in one text or several; `body` is `script` or `ssh`. `code`
    is a folder that the job runs in; where it says `git`, `repository` is that.
    """

    UNSHOWN = ("env", "secrets", "sets", "fill", "fields", "mounts", "pull_secrets")

    name: str | None = None
    instance_type: str | None = None
    num_instances: int | None = None
    region: str | None = None
    max_price_per_hour: str | None = None
    budget: str | None = None
    time: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    project: str | None = None
    ssh_keys: tuple[str, ...] = ()
    priority: str | None = None
    image: str | None = None
    secrets: tuple[str, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    fill: tuple[tuple[str, str], ...] = ()
    move: bool = False
    optimize: str | None = None
    with_commands: tuple[str, ...] = ()
    body: str | None = None
    code: str | None = None
    repository: Repository | None = None


class OldSpelling(Record):
    """A flag of an earlier tool, as written at `span`: `instead` is how it is spelt now, or `why` it does nothing.
    `field`: the field of a task YAML that it sets."""

    spelling: str
    span: Span
    field: str | None = None
    instead: str | None = None
    why: str | None = None


class Inputs(Record):
    """`args` is a foreign command line (`-- --nodes=2`). `environ` is the caller's environment: a frontend reads of it
    what its format names (SBATCH_*) and what the job names (`--export=NAME`); nothing else of it goes anywhere.
    `slurm_version` says which release's rules hold (None: nobody said), `catalog` is a catalog file's path (None: the
    bundled one), `own_catalog`: it is the copy that `flowc catalog refresh` keeps, which nobody named.

    `manifests` are further files of Kubernetes' objects, to which jobs may refer; none of their jobs runs.

    `profile` is the path of a cluster's profile, `cluster` what it says, once it is read; `cache` a folder in which it
    may be kept so. `policy`: what the settings
    allow.

    `flags` win over the file, the file over `defaults` (what the environment says, MITHRIL_PROJECT and the like; no
    field is in both). `flag_spans` maps a field name of either to its place; for each element of a repeated flag there
    is an entry of its own beside it: `env.0`, `sets.1`; `args` is where those begin. `old_spellings` are to be noted.

    `submitted`: what comes of it is submitted by us, and looked after until its end; `free`: nothing is paid for it;
    `releases`: its machines end their bids themselves; `returns` is a folder of the machine in which they leave what
    they return; `number` is that of the first job, which those behind it follow.

    `command` is the command line's own job (`--command`), whose source is the whole command line as a shell takes it,
    quotes and all. `once`: run a CronJob's job once, now; `allow_unknown`: unknown keys are
    warnings. `judges`: the programs that are asked about the job's texts."""

    UNSHOWN = ("args", "environ", "flag_spans", "command", "manifests")

    args: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    flags: Flags = Flags()
    defaults: Flags = Flags()
    flag_spans: tuple[tuple[str, Span], ...] = ()
    slurm_version: str | None = None
    catalog: str | None = None
    own_catalog: bool = False
    manifests: tuple[Source, ...] = ()
    profile: str | None = None
    cache: str | None = None
    cluster: Profile | None = None
    policy: Policy | None = None
    command: Derived | None = None
    once: bool = False
    allow_unknown: bool = False
    judges: tuple[str, ...] = ()
    submitted: bool = False
    free: bool = False
    releases: bool = False
    returns: str | None = None
    number: int | None = None
    old_spellings: tuple[OldSpelling, ...] = ()

    def span(self, field: str, index: int | None = None) -> Span | None:
        """Where a flag's value stands, or that of one element of a repeated flag; None without a command line."""
        key = field if index is None else f"{field}.{index}"
        for name, span in self.flag_spans:
            if name == key:
                return span
        return None

    def variable(self, name: str) -> str | None:
        for key, value in self.environ:
            if key == name:
                return value
        return None


def command_line(args: tuple[str, ...], path: str = "<command line>") -> tuple[Source, list[Derived]]:
    """A source that shows `args` as a shell would take them, and each argument with its places in it."""
    shown = [arg if arg and all(c.isalnum() or c in "@%+=:,./-_" for c in arg) else _quoted(arg) for arg in args]
    source, found, offset = Source(path, " ".join(shown)), list[Derived](), 0
    for arg, each in zip(args, shown, strict=True):
        inset = len(each) != len(arg)
        found.append(_argument(arg, source, offset + inset, offset + len(each) - inset))
        offset += len(each) + 1
    return source, found


def _quoted(arg: str) -> str:
    return "'" + arg.replace("'", _QUOTE) + "'"


def _argument(arg: str, source: Source, start: int, end: int) -> Derived:
    """An argument that stands in quotes from `start` to `end`, or without."""

    def trace() -> list[Piece]:
        pieces: list[Piece] = []
        at, place = 0, start
        for part in arg.split("'"):
            stop = place + len(part)
            pieces += [(at, source, place, stop), (at + len(part), source, stop, stop + len(_QUOTE))]
            at, place = at + len(part) + 1, stop + len(_QUOTE)
        return pieces[:-1]

    return Derived(arg, source, start, end, trace if "'" in arg else None)
