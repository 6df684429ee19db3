"""`Job`: what the user asked for, independent of the format it was written in and of any provider.

The records mirror the documents of `flowc.ir/1` key for key (contract §4): `ir.encode` writes them as they stand.
Raw numbers carry their unit in the name. None or an empty tuple means that the user did not say.
"""

from __future__ import annotations

from flowc.ir.isolation import Isolation as Isolation
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.parts import Array as Array
    from flowc.ir.parts import Choice as Choice
    from flowc.ir.parts import Container as Container
    from flowc.ir.parts import Dependency as Dependency
    from flowc.ir.parts import ExitRule as ExitRule
    from flowc.ir.parts import File as File
    from flowc.ir.parts import Mount as Mount
    from flowc.ir.parts import Port as Port
    from flowc.ir.parts import Probe as Probe
    from flowc.ir.parts import StopSignal as StopSignal
    from flowc.ir.parts import Volume as Volume


def __getattr__(name: str) -> object:
    """The records of which most jobs have none: making a class costs far more than a record of it."""
    if name[:1].isupper():
        from flowc.ir import parts

        if name in vars(parts):
            return getattr(parts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class SourceInfo(Record):
    """Where a job came from: frontend name, path as given, hex sha256 of the input bytes.

    `variables` are what the source's format tells a running job about itself beyond what job and plan say
    (SLURM_JOB_PARTITION, SLURM_GPUS with its type): set by the format, not by the user. `release` is the release of the
    format's system that the user chose (`26.05`), None where nobody did.
    """

    UNSHOWN = ("variables",)

    frontend: str
    path: str
    sha256: str
    variables: tuple[tuple[str, str], ...] = ()
    release: str | None = None


class Run(Record):
    """What is run. `kind` is `script` (text under its own interpreter line), `shell` or `argv`.

    `text` is the whole script, byte for byte, first line included (bytes that are not UTF-8 as lone surrogates);
    `interpreter` is its shebang line without `#!`. `args` arrive as $1…; `workdir` None means the default of the
    target. `commands` are a cluster's commands that are to be there though the text shows no call of them. `delivery`
    says how the text comes to the machine: `script` (in the startup script), `ssh` (copied there once it runs), `auto`
    (copied if the startup script has no room for it) or `whole` (copied with all else of the startup script).
    """

    UNSHOWN = ("text", "argv", "args")

    kind: str = "script"
    interpreter: str | None = None
    text: str | None = None
    argv: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    workdir: str | None = None
    commands: tuple[str, ...] = ()
    delivery: str = "script"


class Conventions(Record):
    """What the system that a job was written for does for every job, whatever its options say: set by the format.
    `runs_on`: `all` (each machine runs the job) or `first` (the others wait for its calls). `commands`: those of a
    cluster, such as srun, are there. `variables` are `(NAME, fact)` pairs that a job may rely on: one of `env_facts`,
    or `nodes`, `gpus` (of each machine), `job_id`, `task_name`, `task_id`, `cluster_info`, or `=` and a text. `output`
    is the file for what the job says where no other is named, `file_name` that of its text. `workdir_on`: whose folder
    the job's is, the `machine` or its `container`. `mounts_nest`: one mount may lie in another. `reads_profile`: the
    job's texts see ~/.bashrc. `fails_together`: a failure on one of the machines that run it ends the job on all."""

    runs_on: str = "all"
    commands: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    output: str | None = None
    file_name: str = "body"
    workdir_on: str = "container"
    mounts_nest: bool = False
    reads_profile: bool = False
    fails_together: bool = False


class Resources(Record):
    """What each node must have, and how many nodes. `nodes` None: as few as the layout needs.

    `gpus_per_node` None with `Layout.gpus_total` set: spread as the nodes allow. `exclusive`: the whole machine.
    `features` are the user's words for a node's properties; `alternatives` are instance types, in order of preference.
    `choices` are kinds of machine of which any will do: the first that is offered if `choices_ordered`, else the
    cheapest. `gpu_memory_bytes` (of one GPU, at least) without a count asks for a machine with any number of GPUs.
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
    choices: tuple[Choice, ...] = ()
    choices_ordered: bool = False


class Layout(Record):
    """How tasks lie on nodes. `tasks` None: one per node, and the user did not say a number."""

    tasks: int | None = None
    tasks_per_node: int | None = None
    cpus_per_task: int | None = None
    gpus_per_task: int | None = None
    gpus_total: int | None = None


class Time(Record):
    """Limits in seconds; `begin` and `deadline` as ISO text in UTC, or as the user wrote a relative form."""

    limit_s: int | None = None
    min_s: int | None = None
    attempt_limit_s: int | None = None
    begin: str | None = None
    deadline: str | None = None
    signal: StopSignal | None = None


class Io(Record):
    """File names with Slurm's patterns kept. `stderr` None: the same file as stdout."""

    stdout: str | None = None
    stderr: str | None = None
    stdin: str | None = None
    append: bool = False


# `max_restarts` of a job that starts again after each failure; Kubernetes' own word for it.
WITHOUT_LIMIT = 2**31 - 1


class Retry(Record):
    """`max_restarts` after failures of the job itself (WITHOUT_LIMIT: there is no last one); `requeue`: it starts again
    after the machine was taken away. The first restart waits `delay_ms`, each later one `delay_factor` (a decimal
    number) times as long, at most `max_delay_ms`. `keep_scratch`: a restart finds what the failed run left.
    `from_within`: the job's own text may have it started again, with all its limits anew."""

    max_restarts: int | None = None
    requeue: bool | None = None
    keep_scratch: bool | None = None
    delay_ms: int | None = None
    delay_factor: str | None = None
    max_delay_ms: int | None = None
    exit_rules: tuple[ExitRule, ...] = ()
    from_within: bool = False


class Pricing(Record):
    """USD as decimal strings, per instance-hour; `priority` is low, med or high."""

    max_usd_per_instance_hour: str | None = None
    priority: str | None = None
    budget_usd: str | None = None


class Placement(Record):
    """Where the job wants to be; a target says what it cannot. `exclude_regions` are names or globs. `clouds`: any of
    them, each as `CLOUD[/REGION[/ZONE]]`. `node_labels`: what all nodes of its cluster must be labelled with, values of
    which any will do joined by commas. `interconnect` is the user's word for the network between machines. `paused`:
    the bid is placed but not to be filled yet."""

    regions: tuple[str, ...] = ()
    exclude_regions: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    node_labels: tuple[tuple[str, str], ...] = ()
    interconnect: str | None = None
    paused: bool | None = None
    kubernetes_cluster: str | None = None
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

    UNSHOWN = ("input", "note")

    input: str
    line: int | None
    action: str
    code: str | None
    note: str | None


class Group(Record):
    """One component of a het job that is one job here; `variables` as `SourceInfo` has them."""

    UNSHOWN = ("variables",)

    resources: Resources
    layout: Layout
    variables: tuple[tuple[str, str], ...] = ()


class Job(Record):
    """One job; het jobs, arrays of documents and the like are several. A het job whose steps run over its components is
    one, with `groups`: `resources` (but for the number of nodes) and `layout` are those of the first, which runs it.

    With an `image` the job runs in a container of it: `run.argv` replaces the image's entrypoint, `run.args` are its
    arguments; with neither the image's own entrypoint and command run (`run.kind` is `argv` then). `setup` is shell
    text, run once on each machine before the first start. `env_facts` are `(NAME, fact)` pairs of what is known only on
    the machine: `private_ip`, `hostname`, `cpus`, `memory_bytes`, `rank`, `head_ip`, `ips`,
    and of its image, quoted for a shell, `entrypoint` or `entrypoint_command`; in `env`, `${NAME}` is never expanded.
    `secrets` are names of variables whose values come after boot, never by the startup script.
    `modules` are names of environment modules, maybe globs, which the setup brings; `programs` those of programs,
    `environments` those of conda's environments, `venvs` the paths of Python's virtual ones (`~/x`, `/x`, or below the
    job's own folder); `image_files` are names of image files, or globs of them, with the
    images of registries that stand in their place.
    `kill_on_invalid_dep`: where what it depends on can never hold, it counts as cancelled; else it waits for ever.
    `number` is what Slurm's variables call it, where whoever submits it has given it one, the tasks of an array those
    that follow. `terminate_on_exit`: the machine is given back when the job ends. `workers_end`: when the job counts as
    done, `all` (each node's part has ended well; the default) or `first` (node 0's has).
    """

    UNSHOWN = ("setup", "env")
    # Not of the job, but of who submits it: in no document.
    UNTOLD = ("number",)

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    source: SourceInfo
    conventions: Conventions = Conventions()
    run: Run
    setup: str | None = None
    modules: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    venvs: tuple[str, ...] = ()
    image_files: tuple[tuple[str, str], ...] = ()
    image: str | None = None
    isolation: Isolation = Isolation()
    containers: tuple[Container, ...] = ()
    resources: Resources = Resources()
    layout: Layout = Layout()
    groups: tuple[Group, ...] = ()
    time: Time = Time()
    env: tuple[tuple[str, str], ...] = ()
    env_facts: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    env_policy: str | None = None
    files: tuple[File, ...] = ()
    volumes: tuple[Volume, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    io: Io = Io()
    array: Array | None = None
    depends_on: tuple[Dependency, ...] = ()
    kill_on_invalid_dep: bool = False
    retry: Retry = Retry()
    pricing: Pricing = Pricing()
    placement: Placement = Placement()
    identity: Identity = Identity()
    notify: Notify = Notify()
    terminate_on_exit: bool | None = None
    workers_end: str | None = None
    number: int | None = None
    outcome: tuple[Outcome, ...] = ()

    def all_files(self) -> list[File]:
        """Its own, and behind them those of the containers beside it, in their order."""
        return [*self.files, *(file for each in self.containers for file in each.files)]
