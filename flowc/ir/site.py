"""`Site`: what a cluster would have refused, as its profile says it."""

from __future__ import annotations

from flowc.record import Record


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
    are for jobs that ask for none. `state` is up, down, drain or inactive; `root_only`: nobody else's
    jobs run there; `reserved`: only those in a reservation do."""

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
    root_only: bool = False
    reserved: bool = False


class Site(Record):
    """The old cluster itself. `enforce`: a request beyond a partition's limits is refused where `all` its partitions,
    or `any` of them, do not allow it; `no`: it is taken, and waits. `indices`: an array's are below that; `timed`: a
    job has to say how long it may run; `licenses`: how many there are of each. None: not known."""

    enforce: str
    partitions: tuple[Limits, ...]
    machines: tuple[Machine, ...]
    indices: int | None = None
    timed: bool = False
    licenses: tuple[tuple[str, int], ...] | None = None
