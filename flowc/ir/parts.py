"""Records of which most jobs and plans have none, or nobody asks for them; `ir.job` gives those of jobs when they are
first asked for."""

from __future__ import annotations

from flowc.ir.isolation import Isolation
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job
    from flowc.source import Span


class Choice(Record):
    """One of several kinds of machine that would do; what is None is as `Resources` and `Placement` say. `name` is an
    instance type; else a GPU model and its count, a request that a larger machine may fill."""

    name: str | None = None
    gpu_model: str | None = None
    gpu_memory_bytes: int | None = None
    gpus_per_node: int | None = None
    cpus_per_node: int | None = None
    memory_bytes_per_node: int | None = None
    regions: tuple[str, ...] = ()


class StopSignal(Record):
    """Warn the job `before_s` seconds before its limit; `to` is `shell` (the batch script only) or `steps`."""

    name: str
    before_s: int
    to: str


class Volume(Record):
    """A persistent volume, by `name` or by the provider's `volume_id`. `interface` is block or file; `mount_path` is
    absolute; `create`: it is made when there is none of that name; `size_bytes` None: as it is."""

    name: str | None = None
    volume_id: str | None = None
    size_bytes: int | None = None
    interface: str = "block"
    mount_path: str
    create: bool = False
    read_only: bool = False
    iops: int | None = None
    throughput_bytes_s: int | None = None


class Mount(Record):
    """What is found at `target`, an absolute path or one below `~/` (the home of the user that runs the job).

    `kind` says what `source` is: `bucket` (a URI such as s3://bucket/path), `local` (a path on the submitter's
    computer, from where the command is given), `volume` (the name of a persistent volume, maybe with `/path` in it),
    `scratch` (a name: an empty folder on the machine's disk that all containers of the job share), `memory` (the same
    in memory), `host` (a path of the machine; PEERS is made there), `nfs` (server:/path), `git` (a repository's URL,
    maybe with `#ref`).
    `copy`: filled once at the start, not mounted. `size_bytes` bounds scratch and memory. `options` are those of a
    mount; of a repository `over` (what stands at the target stays) and `submodules` (they come too; its value is the
    repository's host), of a folder of the submitter's `ignores` (how ignore files are called that hold in place of
    git's where it has one). `create` is what is made of a path of the machine that is not there: `folder`, `file` or
    `nothing`.
    """

    UNSHOWN = ("source",)

    kind: str
    source: str
    target: str
    read_only: bool = False
    copy: bool = False
    size_bytes: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    create: str = "folder"


class File(Record):
    """A file that the job finds at `path`: its `text`, or the value of the secret that `secret` names; `mode` as
    chmod takes it, `group` the number of the group that it belongs to. `read_only`: also to root, in a container."""

    UNSHOWN = ("text",)

    path: str
    text: str | None = None
    secret: str | None = None
    mode: int = 0o644
    group: int | None = None
    read_only: bool = False


class Container(Record):
    """A container beside the main one, with its own `files`: `init` (ends before what follows) or `sidecar` (detached,
    ended after the main one), in order. A sidecar starts again `always` (what follows waits for its start),
    `on-failure` or `never`. Without `argv` the image's entrypoint runs. It sees `gpus` of the machine's GPUs."""

    UNSHOWN = ("argv", "args", "env")

    name: str
    role: str
    image: str
    argv: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    workdir: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    env_facts: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    files: tuple[File, ...] = ()
    gpus: int = 0
    isolation: Isolation = Isolation()
    restart: str = "on-failure"


class Port(Record):
    external: int
    internal: int
    protocol: str


class Array(Record):
    """`indices` in ascending order; `index_env` names the variable that holds the index at run time."""

    indices: tuple[int, ...]
    max_concurrent: int | None = None
    index_env: str | None = None


class Dependency(Record):
    """`kind` is afterok, afterany, singleton, …; `on` a job id or name, None for singleton; `minutes` go by after it
    has started (kind `after`). Of those with `any` one is enough; all others must hold."""

    kind: str
    on: str | None
    minutes: int = 0
    any: bool = False


class ExitRule(Record):
    """What a failure with one of `codes` (or with any other, if `negate`) means: `action` is `fail` (no restart),
    `free` (a restart that is not counted) or `count`. The first rule that fits decides."""

    action: str
    codes: tuple[int, ...]
    negate: bool = False


class Candidate(Record):
    """One instance type that was looked at: `chosen` or not, and why."""

    instance_type: str
    region: str | None
    chosen: bool
    reason: str


class Way(Record):
    """Another way to run a job that costs less: `what` in words, and the `flags` that take it. `machines` are those of
    all bids; money is micro-dollars per instance-hour, `market` None where it is unknown."""

    what: str
    flags: tuple[str, ...]
    instance_type: str
    region: str
    nodes: int
    machines: int
    minimum: int
    limit: int
    market: int | None


class Thrift(Record):
    """What `--optimize cost` may do: take any machine that the job allows, and, unless `bound` says what speaks against
    it, at `span`, fewer of them than nodes were asked for. `asked`: the job before that was done."""

    bound: str | None = None
    span: Span | None = None
    asked: Job | None = None


class GroupPlan(Record):
    """The part of one of a job's groups, as `JobPlan` says it of the job."""

    nodes: int
    gpus_visible: int | None


class Probe(Record):
    """How a running container is found to be dead: `argv` (inside it) fails `failures` times in a row."""

    UNSHOWN = ("argv",)

    argv: tuple[str, ...]
    period_s: int = 10
    timeout_s: int = 1
    delay_s: int = 0
    failures: int = 3
