"""`Profile`: what a cluster gave to every job there, said once by its users, and what one job takes of it."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Mount
    from flowc.source import Span


class Entry(Record):
    """One line of a profile: the `section` that it stands in, its `key` as written (maybe a glob; empty for
    `defaults`, which has one line), and its place."""

    section: str
    key: str
    span: Span

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}" if self.key else self.section

    @property
    def shown(self) -> str:
        """How notes name it."""
        return f"line {self.span.line} of the profile, `{self.name}`"


class Nodes(Record):
    """What a partition, a constraint, a QoS or an account says of a job's nodes, where the job itself says nothing:
    a GPU model, and for jobs that ask for no GPUs how many each node has; CPUs and memory of each; the time limit; the
    region and the project of the bid, and its priority."""

    entry: Entry
    gpu: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory_bytes: int | None = None
    time_s: int | None = None
    region: str | None = None
    project: str | None = None
    priority: str | None = None


class StandIn(Record):
    """What takes the place of GPUs of the model `entry.key` where they are not sold; None: any that is at least as
    capable."""

    entry: Entry
    model: str | None


class Module(Record):
    """An environment module: `setup` is shell text that brings it, empty where the machine needs nothing."""

    entry: Entry
    setup: str = ""


class Program(Record):
    """The same for a program that texts call by its name alone, `entry.key`."""

    entry: Entry
    setup: str = ""


class Environment(Record):
    """An environment of conda, `entry.key`; `setup` makes it."""

    entry: Entry
    setup: str


class Image(Record):
    """An image that is a file, or a name of enroot's, `entry.key`, and the image of a registry in its place."""

    entry: Entry
    reference: str


class Place(Record):
    """A path of the cluster's file systems, and what a job finds there."""

    entry: Entry
    mount: Mount


class Variable(Record):
    """A variable that the site sets: `entry.key` is its name."""

    UNSHOWN = ("value",)

    entry: Entry
    value: str


class Machine(Record):
    """`count` nodes of the old cluster that are alike: CPUs, RAM in MB, GPUs by type (None: not said), features, the
    partitions that have them."""

    count: int
    cpus: int = 1
    memory_mb: int = 1
    gpus: tuple[tuple[str | None, int], ...] = ()
    features: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()


class Limits(Record):
    """What a partition of the old cluster let pass. Times in seconds, memory in MB, None: without limit; `memory_per_`
    are for jobs that ask for none. `state` is up, down, drain or inactive."""

    name: str
    default: bool = False
    state: str = "up"
    max_s: int | None = None
    min_nodes: int = 0
    max_nodes: int | None = None
    max_cpus_per_node: int | None = None
    memory_per_node: int | None = None
    memory_per_cpu: int | None = None
    max_memory_per_node: int | None = None
    exclusive: bool = False


class Site(Record):
    """The old cluster itself. `enforce`: a request beyond a partition's limits is refused where `all` its partitions,
    or `any` of them, do not allow it; `no`: it is taken, and waits."""

    enforce: str
    partitions: tuple[Limits, ...]
    machines: tuple[Machine, ...]


class Profile(Record):
    """`path` as given or found; `sha256` of the file, in hex."""

    path: str
    sha256: str
    nodes: tuple[Nodes, ...] = ()
    gpus: tuple[StandIn, ...] = ()
    modules: tuple[Module, ...] = ()
    programs: tuple[Program, ...] = ()
    environments: tuple[Environment, ...] = ()
    images: tuple[Image, ...] = ()
    places: tuple[Place, ...] = ()
    variables: tuple[Variable, ...] = ()
    site: Site | None = None


class Use(Record):
    """What a job takes of a profile by one line: `what` it brings, and the findings `instead` of which it does, as
    codes."""

    entry: Entry
    what: str
    instead: tuple[str, ...] = ()
