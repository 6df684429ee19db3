"""Whether the cluster that a job was written for would have taken it (measured on the controller of Slurm 22.05).

What is judged are the request's own words: partition, nodes, tasks, CPUs, memory, GPUs, features, time. Where a request
says more about nodes than that, only what holds whatever else it says is told.
"""

from __future__ import annotations

from flowc.frontends.slurm.values import meaning
from flowc.frontends.slurm.values.lists import array_spec
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.site import Limits, Machine, Site

# Options that change which nodes would do in ways that are not looked at.
UNREAD = (
    *("nodelist", "exclude", "mincpus", "cores-per-socket", "sockets-per-node", "threads-per-core", "extra-node-info"),
    *("cpus-per-gpu", "mem-per-gpu", "ntasks-per-gpu", "ntasks-per-tres", "ntasks-per-core", "ntasks-per-socket"),
    *("gpus-per-socket", "tres-per-task", "overcommit", "core-spec", "thread-spec", "tmp", "reservation", "hint"),
    *(
        "nodefile",
        "use-min-nodes",
        "spread-job",
        "contiguous",
        "gres-flags",
        "cluster-constraint",
        "clusters",
        "cluster",
    ),
    *("prefer", "switches", "oversubscribe", "batch"),
)


class Refusal(Record):
    """The `option` that asks for it, "" for several, and why it is not to be had."""

    option: str
    why: str


class Asked(Record):
    """A request in numbers; memory in MB. `gpus` are those of a node by type, None: of any. `counted`: it
    says how many nodes."""

    counted: bool = False
    low: int = 1
    high: int | None = None
    tasks: int | None = None
    cpus: int = 1
    per_node: int | None = None
    most_cpus: int | None = None
    told_mb: bool = False
    node_mb: int | None = None
    cpu_mb: int | None = None
    gpus: tuple[tuple[str | None, int], ...] = ()
    total: tuple[tuple[str | None, int], ...] = ()
    task_gpus: tuple[tuple[str | None, int], ...] = ()
    features: tuple[str, ...] = ()
    any_feature: bool = False
    exclusive: bool = False
    seconds: int | None = None


def refusal(site: Site, options: dict[str, str]) -> Refusal | None:
    """Why the cluster would refuse a request with these options, in canonical form; None where it would not, or where
    that is not known."""
    by_name = {each.name: each for each in site.partitions}
    names = options["partition"].split(",") if options.get("partition") else []
    wrong = next((name for name in names if name not in by_name), None)
    if wrong is not None:
        return Refusal(option="partition", why=f"there is no partition `{wrong}`")
    chosen = [by_name[name] for name in names] or [each for each in site.partitions if each.default]
    if not chosen:
        return Refusal(option="", why="there is no partition for jobs that name none")
    closed = [each for each in chosen if each.state in ("inactive", "drain")]
    option = "partition" if names else ""
    if len(closed) == len(chosen):
        return Refusal(option=option, why=f"partition `{closed[0].name}` takes no jobs")
    left = [each for each in chosen if each not in closed]
    others = [each for each in left if each.root_only or (each.reserved and "reservation" not in options)]
    if others and (site.enforce != "no" or len(others) == len(left)):
        whose = "of root" if others[0].root_only else "in a reservation"
        return Refusal(option=option, why=f"partition `{others[0].name}` takes no jobs but those {whose}")
    beyond_all = _by_site(site, options)
    if beyond_all is not None:
        return beyond_all
    words = _features(options)
    known = {word for each in site.machines for word in each.features}
    unknown = next((word for word in words or () if word not in known), None)
    if unknown is not None:
        return Refusal(option="constraint", why=f"no node has the feature `{unknown}`")
    if words is None or any(option in options for option in UNREAD):
        return None
    # Of memory that nobody asked for, and of the CPUs of a node, the first partition that takes jobs decides.
    asked = _asked(left, options, words)
    if asked is None:
        return None
    if site.enforce != "no":
        beyond = [_by_limits(each, asked, site) for each in left]
        refused = [each for each in beyond if each is not None]
        if refused and (site.enforce == "all" or len(refused) == len(beyond)):
            return refused[0]
    lacking = [_by_nodes(each, asked, site) for each in left]
    return lacking[0] if all(lacking) else None


def _by_site(site: Site, options: dict[str, str]) -> Refusal | None:
    """What the cluster asks of all jobs."""
    if site.timed and "time" not in options:
        return Refusal(option="", why="it takes no job without `--time`")
    if site.indices is not None and options.get("array"):
        indices, _ = array_spec(options["array"])
        if indices and indices[-1] >= site.indices:
            return Refusal(option="array", why=f"indices of an array are below {site.indices} there")
    if site.licenses is not None and options.get("licenses"):
        has = dict(site.licenses)
        for each in options["licenses"].replace("*", ":").split(","):
            name, _, count = each.partition(":")
            if "@" in name or "|" in name or not (count.isdigit() or not count):  # of a server; of several one
                continue
            if int(count or 1) > has.get(name, 0):
                why = f"it has {has[name]} licenses `{name}`" if name in has else f"it has no licenses `{name}`"
                return Refusal(option="licenses", why=why)
    return None


def _features(options: dict[str, str]) -> tuple[str, ...] | None:
    """None for what is more than a list with `&` or with `|`."""
    text = options.get("constraint")
    if not text:
        return ()
    if any(char in text for char in "[]()*") or ("&" in text and "|" in text):
        return None
    return tuple(text.replace("|", "&").split("&"))


def _asked(chosen: list[Limits], options: dict[str, str], words: tuple[str, ...]) -> Asked | None:
    def number(name: str) -> int | None:
        return int(options[name]) if name in options else None

    part = chosen[0]
    low, high = meaning.node_range(options["nodes"]) if "nodes" in options else (1, None)
    per_node, tasks = number("ntasks-per-node"), number("ntasks")
    total = _gpus(meaning.gpu_items(options["gpus"])) if "gpus" in options else ()
    task_gpus = _gpus(meaning.gpu_items(options["gpus-per-task"])) if "gpus-per-task" in options else ()
    gpus = _gpus(meaning.gpu_items(options["gpus-per-node"])) if "gpus-per-node" in options else ()
    if "gres" in options:
        items = meaning.gres_items(options["gres"])
        if any(item.name != "gpu" for item in items) or gpus:
            return None
        gpus = _gpus(items)
    told = "mem" in options or "mem-per-cpu" in options
    node_mb = meaning.size_mib(options["mem"]) if "mem" in options else None
    cpu_mb = meaning.size_mib(options["mem-per-cpu"]) if "mem-per-cpu" in options else None
    if node_mb is None and cpu_mb is None:
        node_mb, cpu_mb = part.memory_per_node, part.memory_per_cpu
    return Asked(
        counted="nodes" in options,
        low=low,
        high=high if "nodes" in options else None,
        tasks=tasks,
        cpus=number("cpus-per-task") or 1,
        per_node=per_node,
        node_mb=node_mb,
        told_mb=told,
        most_cpus=part.max_cpus_per_node,
        cpu_mb=cpu_mb,
        gpus=gpus,
        total=total,
        task_gpus=task_gpus,
        features=words,
        any_feature="|" in options.get("constraint", ""),
        exclusive="exclusive" in options,
        seconds=meaning.duration_seconds(options["time"]) if "time" in options else None,
    )


def _gpus(items: tuple[meaning.GresItem, ...]) -> tuple[tuple[str | None, int], ...]:
    return tuple((item.type, item.count) for item in items if item.count)


def _by_limits(part: Limits, asked: Asked, site: Site) -> Refusal | None:
    """What a partition's limits refuse where they are enforced."""
    if part.max_s is not None and asked.seconds is not None and asked.seconds > part.max_s:
        return Refusal(option="time", why=f"`{part.name}` lets no job run longer than {_clock(part.max_s)}")
    if part.state == "up":
        found = _by_counts(part, asked, [each for each in site.machines if part.name in each.partitions])
        if found is not None:
            return found
    if part.max_memory_per_node is not None and asked.told_mb:
        least = -(-(asked.tasks or 1) // asked.high) if asked.high else 1
        cpus = asked.cpus * max(asked.per_node or 1, least)
        if asked.exclusive or part.exclusive:
            cpus = max((each.cpus for each in site.machines if part.name in each.partitions), default=1)
        node = asked.node_mb if asked.node_mb is not None else (asked.cpu_mb or 0) * cpus
        if node > part.max_memory_per_node:
            return Refusal(option="", why=f"`{part.name}` gives a job at most {part.max_memory_per_node} MB a node")
    return None


def _by_counts(part: Limits, asked: Asked, machines: list[Machine]) -> Refusal | None:
    """What is beyond how many nodes and CPUs a partition gives to a job; one that is down does not look."""
    nodes = sum(each.count for each in machines)
    most = nodes if part.max_nodes is None else part.max_nodes
    high = min(each for each in (asked.high or 0, *(count for _, count in asked.total)))
    if asked.low > most or (part.max_nodes is not None and high > part.max_nodes):
        return Refusal(option="nodes", why=f"`{part.name}` gives a job at most {most} nodes")
    if asked.counted and asked.low < part.min_nodes:
        return Refusal(option="nodes", why=f"`{part.name}` gives a job at least {part.min_nodes} nodes")
    cpus = sum(each.cpus * each.count for each in machines)
    if (asked.tasks or 1) * asked.cpus > cpus:
        return Refusal(option="", why=f"`{part.name}` has {cpus} CPUs in all")
    return None


def _by_nodes(part: Limits, asked: Asked, site: Site) -> Refusal | None:
    """Whether its nodes could hold the request if they were free."""
    nodes = [each for each in site.machines if part.name in each.partitions and _has_features(each, asked)]
    low = max(asked.low, part.min_nodes)
    all_tasks = asked.tasks if asked.tasks is not None else low * (asked.per_node or 1)
    total = asked.total or tuple((kind, number * all_tasks) for kind, number in asked.task_gpus)
    spread = None if asked.tasks is None else max(asked.tasks, low)
    # GPUs of the whole job bound its nodes where it counts them itself, else they are at least as many as the nodes.
    by_gpus = [count for _, count in total]
    bounds = [sum(each.count for each in nodes), part.max_nodes, asked.high, spread]
    bounds += by_gpus if asked.counted else []
    if not asked.counted and any(count < part.min_nodes for count in by_gpus):
        return Refusal(option="gpus", why=f"`{part.name}` gives a job at least {part.min_nodes} nodes, with a GPU each")
    high = min(each for each in bounds if each is not None)
    whole = asked.exclusive or part.exclusive
    if asked.total and asked.counted and asked.tasks is None and site.enforce == "no" and not whole:
        high = max(high, low)  # such a job is taken, and waits
    rooms = sorted(((_room(each, part, asked), each) for each in nodes), key=lambda pair: -pair[0])
    taken, tasks = 0, 0
    gpus: dict[str | None, int] = {}
    for room, each in rooms:
        count = min(each.count, max(high - taken, 0)) if room else 0
        taken += count
        tasks += count * room
        for kind, number in each.gpus:
            gpus[kind] = gpus.get(kind, 0) + number * count
    if taken >= low and tasks >= all_tasks and all(_count(gpus, kind) >= number for kind, number in total):
        return None
    where = f"the nodes of `{part.name}`" + (" with these features" if asked.features else "")
    return Refusal(option="", why=f"{where} do not hold it")


def _room(each: Machine, part: Limits, asked: Asked) -> int:
    """How many tasks a node may have."""
    cpus = each.cpus if asked.most_cpus is None else min(each.cpus, asked.most_cpus)
    room = cpus // asked.cpus
    if asked.exclusive and cpus < each.cpus:
        return 0
    if asked.node_mb and asked.node_mb > each.memory_mb:
        return 0
    if asked.cpu_mb:
        room = min(room, each.memory_mb // (asked.cpu_mb * asked.cpus))
        if asked.exclusive and asked.cpu_mb * each.cpus > each.memory_mb:
            return 0
    has = dict(each.gpus)
    if any(_count(has, kind) < number for kind, number in asked.gpus):
        return 0
    for kind, number in asked.task_gpus:
        room = min(room, _count(has, kind) // number)
    if asked.total and not any(_count(has, kind) for kind, _ in asked.total):
        return 0
    if asked.per_node is not None:
        room = asked.per_node if room >= asked.per_node else 0
    return room


def _count(has: dict[str | None, int], kind: str | None) -> int:
    """GPUs of a type; of any where none is asked for."""
    return sum(has.values()) if kind is None else has.get(kind, 0)


def _has_features(each: Machine, asked: Asked) -> bool:
    if not asked.features:
        return True
    return (any if asked.any_feature else all)(word in each.features for word in asked.features)


def _clock(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return (f"{days}-" if days else "") + f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
