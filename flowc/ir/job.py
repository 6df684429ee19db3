"""`Job`: what the user asked for, independent of the format it was written in and of any provider.

The records mirror the documents of `flowc.ir/1` key for key (contract §4): `ir.encode` writes them as they stand.
Raw numbers carry their unit in the name. None or an empty tuple means that the user did not say.
"""

from __future__ import annotations

from flowc.record import Record


class SourceInfo(Record):
    """Where a job came from: frontend name, path as given, hex sha256 of the input bytes.

    `variables` are what the source's format tells a running job about itself beyond what job and plan say
    (SLURM_JOB_PARTITION, SLURM_GPUS with its type): set by the format, not by the user.
    """

    frontend: str
    path: str
    sha256: str
    variables: tuple[tuple[str, str], ...] = ()


class Run(Record):
    """What is run. `kind` is `script` (text under its own interpreter line), `shell` or `argv`.

    `text` is the whole script, byte for byte, first line included (bytes that are not UTF-8 as lone surrogates);
    `interpreter` is its shebang line without `#!`. `args` arrive as $1…; `workdir` None means the default of the
    target.
    """

    kind: str = "script"
    interpreter: str | None = None
    text: str | None = None
    argv: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    workdir: str | None = None


class Resources(Record):
    """What each node must have, and how many nodes. `nodes` None: as few as the layout needs.

    `gpus_per_node` None with `Layout.gpus_total` set: spread as the nodes allow. `exclusive`: the whole machine.
    `features` are the user's words for a node's properties; `alternatives` are instance types, in order of preference.
    """

    nodes: int | None = None
    nodes_max: int | None = None
    gpus_per_node: int | None = None
    gpu_model: str | None = None
    gpu_memory_bytes: int | None = None
    cpus_per_node: int | None = None
    cpus_per_gpu: int | None = None
    memory_bytes_per_node: int | None = None
    memory_bytes_per_cpu: int | None = None
    memory_bytes_per_gpu: int | None = None
    disk_bytes: int | None = None
    shm_bytes: int | None = None
    exclusive: bool = False
    features: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()


class Layout(Record):
    """How tasks lie on nodes. `tasks` None: one per node, and the user did not say a number."""

    tasks: int | None = None
    tasks_per_node: int | None = None
    cpus_per_task: int | None = None
    gpus_per_task: int | None = None
    gpus_total: int | None = None


class StopSignal(Record):
    """Warn the job `before_s` seconds before its limit; `to` is `shell` (the batch script only) or `steps`."""

    name: str
    before_s: int
    to: str


class Time(Record):
    """Limits in seconds; `begin` and `deadline` as ISO text in UTC, or as the user wrote a relative form."""

    limit_s: int | None = None
    min_s: int | None = None
    attempt_limit_s: int | None = None
    begin: str | None = None
    deadline: str | None = None
    signal: StopSignal | None = None


class Volume(Record):
    name: str | None
    size_bytes: int | None
    interface: str
    mount_path: str
    create: bool
    read_only: bool


class Mount(Record):
    source: str
    target: str
    read_only: bool


class Port(Record):
    external: int
    internal: int
    protocol: str


class Io(Record):
    """File names with Slurm's patterns kept. `stderr` None: the same file as stdout."""

    stdout: str | None = None
    stderr: str | None = None
    stdin: str | None = None
    append: bool = False


class Array(Record):
    """`indices` in ascending order; `index_env` names the variable that holds the index at run time."""

    indices: tuple[int, ...]
    max_concurrent: int | None = None
    index_env: str | None = None


class Dependency(Record):
    """`kind` is afterok, afterany, singleton, …; `on` a job id or name, None for singleton."""

    kind: str
    on: str | None


class Retry(Record):
    max_restarts: int | None = None
    requeue: bool | None = None
    keep_scratch: bool | None = None


class Pricing(Record):
    """USD as decimal strings, per instance-hour; `priority` is low, med or high."""

    max_usd_per_instance_hour: str | None = None
    priority: str | None = None
    budget_usd: str | None = None


class Placement(Record):
    regions: tuple[str, ...] = ()
    reservation: str | None = None
    preemptible: bool | None = None


class Identity(Record):
    project: str | None = None
    ssh_keys: tuple[str, ...] = ()


class Notify(Record):
    email: str | None = None
    events: tuple[str, ...] = ()


class Outcome(Record):
    """What became of one option of the source. `input` is the option as written, `line` None outside the file;
    `action` is lowered, approximated, ignored or refused; `code` the diagnostic that said so, if any."""

    input: str
    line: int | None
    action: str
    code: str | None
    note: str | None


class Job(Record):
    """One job; het jobs, arrays of documents and the like are several."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    source: SourceInfo
    run: Run
    setup: str | None = None
    image: str | None = None
    containers: tuple[object, ...] = ()
    resources: Resources = Resources()
    layout: Layout = Layout()
    time: Time = Time()
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    env_policy: str | None = None
    volumes: tuple[Volume, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    io: Io = Io()
    array: Array | None = None
    depends_on: tuple[Dependency, ...] = ()
    retry: Retry = Retry()
    pricing: Pricing = Pricing()
    placement: Placement = Placement()
    identity: Identity = Identity()
    notify: Notify = Notify()
    outcome: tuple[Outcome, ...] = ()
