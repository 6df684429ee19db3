"""What sbatch does between the options of one component, after all of them are read: it changes some and refuses some.

Rules of Slurm 22.05 unless a release is named. `verify` works on the state in place; a refusal goes to `refuse`, which
takes the options concerned and the reason.
"""

from __future__ import annotations

from flowc.frontends.slurm.rules import gres
from flowc.frontends.slurm.values.state import NO_VAL, State
from flowc.frontends.slurm.values.trees import ValueMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from flowc.frontends.slurm.values.hosts import HostList

    # The options that conflict and why, or one option alone and what is wrong with its value.
    Refuse = Callable[[tuple[str, ...], str], None]

_MEMORY = ("mem", "mem-per-cpu", "mem-per-gpu")
_HINTS = ("compute_bound", "memory_bound", "multithread", "nomultithread")


def verify(state: State, refuse: Refuse, arguments: Container[str] = ()) -> None:
    """Apply the rules in sbatch's order. After a refusal the rest is still looked at where it makes sense. `arguments`:
    the options that this component has on the command line."""
    _exclusive_groups(state, refuse, arguments)
    _memory(state, refuse)
    if state.version >= (23, 11) or "tres-per-task" in state.given:
        from flowc.frontends.slurm.rules import tres

        tres.per_task(state, refuse)
        tres.cpus_per_gpu(state, refuse)
    _nodes_against_others(state, refuse)
    _hint(state, refuse)
    _absolute_paths(state)
    if _host_files(state, refuse):
        return
    try:
        hosts = _node_list(state, refuse)
    except ValueMistake as mistake:
        refuse(("nodelist",), mistake.message)
        return
    _counts(state, refuse)
    _nodes_and_tasks(state, hosts)
    _tasks_per_core(state, refuse)
    _times(state, refuse)
    _after_listing(state, refuse)


def _host_files(state: State, refuse: Refuse) -> bool:
    """Whether the list of hosts in force, not one that was given again, is the name of a file; sbatch reads it last."""
    lists = {"nodelist": state.slots.get("nodelist"), "exclude": state.texts.get("exclude")}
    files = [name for name, text in lists.items() if "/" in str(text or "")]
    for name in files:
        refuse((name,), "a file of host names is not read here; give the names")
    return bool(files)


def _exclusive_groups(state: State, refuse: Refuse, arguments: Container[str]) -> None:
    given = state.given
    if "ntasks-per-node" in arguments and "ntasks_per_gpu_exported" in state.slots:
        earlier = "`--ntasks-per-gpu` (or `--ntasks-per-tres`) of an earlier component"
        refuse(("ntasks-per-node",), f"`--ntasks-per-node` and {earlier} exclude each other")
    for per_task in ("ntasks-per-gpu", "ntasks-per-tres"):
        if per_task in given:
            for other in ("gpus-per-task", "gpus-per-socket", "ntasks-per-node"):
                if other in given:
                    refuse((other, per_task), f"`--{other}` and `--{per_task}` exclude each other")
            if _lists_gpus(state):
                refuse(("tres-per-task", per_task), f"`--tres-per-task` and `--{per_task}` exclude each other")
            # sbatch exports it at once, and so meets it again when a later component of its command line has tasks.
            state.slots["ntasks_per_gpu_exported"] = True
    if "ntasks-per-gpu" in given and "ntasks-per-tres" in given:
        per_gpu, per_tres = state.number("ntasks-per-gpu"), state.number("ntasks-per-tres")
        if per_gpu != per_tres:
            refuse(("ntasks-per-gpu", "ntasks-per-tres"), "`--ntasks-per-gpu` and `--ntasks-per-tres` differ in value")
    users = [state.by_user(name) for name in ("core-spec", "thread-spec")]
    if all(users) or (not any(users) and all(state.by_environment(n) for n in ("core-spec", "thread-spec"))):
        refuse(("core-spec", "thread-spec"), "`--core-spec` and `--thread-spec` exclude each other")
    if "bb" in given and "bbf" in given:
        refuse(("bb", "bbf"), "`--bb` and `--bbf` exclude each other")
    if state.version >= (26, 5) and "gpus-per-node" in given and "gres/gpu" in state.texts.get("gres", ""):
        refuse(("gpus-per-node", "gres"), "`--gres=gpu` and `--gpus-per-node` exclude each other")
    if state.version >= (23, 2) and state.by_user("exclusive") and state.by_user("oversubscribe"):
        refuse(("exclusive", "oversubscribe"), "`--exclusive` and `--oversubscribe` exclude each other")


def _lists_gpus(state: State) -> bool:
    """Whether `--tres-per-task` is given in a way that leaves no room for tasks by GPUs."""
    if "tres-per-task" not in state.given:
        return False
    whatever = state.by_user("tres-per-task") or (23, 2) <= state.version < (25, 5)
    return whatever or "gres/gpu" in state.texts["tres-per-task"]


def _nodes_against_others(state: State, refuse: Refuse) -> None:
    """`--nodes` against the layout by name (since 23.11) and the size of segments (since 26.05)."""
    if not state.slots.get("nodes_set"):
        return
    if state.version >= (23, 11) and state.slots.get("distribution") == "arbitrary":
        refuse(("distribution", "nodes"), "an arbitrary distribution and `--nodes` exclude each other")
    size = state.slots.get("segment")
    if state.version >= (26, 5) and size:
        high = state.number("max_nodes", 0) if state.slots.get("nodes_are_a_set") else 0
        nodes = high or state.number("min_nodes", 1)
        if nodes > size and nodes % size:
            refuse(("segment", "nodes"), f"{nodes} nodes do not divide into segments of {size}")


def _memory(state: State, refuse: Refuse) -> None:
    """One of the three; the environment loses in silence against the script or the command line."""
    users = [name for name in _MEMORY if state.by_user(name)]
    others = [name for name in _MEMORY if state.by_environment(name)]
    if len(users) > 1:
        refuse(tuple(users), f"{_listed(users)} exclude each other")
    elif users:
        for name in others:
            state.reset(name)
    elif len(others) > 1:
        refuse(tuple(others), f"{_listed(others)} exclude each other")


def _listed(names: list[str]) -> str:
    shown = [f"`--{name}`" for name in names]
    return ", ".join(shown[:-1]) + " and " + shown[-1]


def _hint(state: State, refuse: Refuse) -> None:
    if "hint" not in state.given:
        return
    rivals = ["ntasks-per-core", "threads-per-core", "extra-node-info"]
    if state.version >= (25, 11):
        rivals += ["sockets-per-node", "cores-per-socket"]
    by_user = state.by_user("hint")
    if any(state.by_user(name) for name in rivals) or (
        not by_user and any(state.by_environment(name) for name in rivals)
    ):
        state.reset("hint")
        return
    if by_user:
        for name in rivals:
            state.reset(name)
    for word in _hint_words(state.texts["hint"]):
        lowered = word.lower()
        if lowered not in _HINTS:
            what = "prints a text and submits nothing" if lowered == "help" else "is no hint"
            refuse(("hint",), f"`{word}` {what}; expected {', '.join(_HINTS[:-1])} or {_HINTS[-1]}")
            return
        if lowered == "compute_bound":
            state.slots.update(sockets=NO_VAL, cores=NO_VAL, threads=1)
        elif lowered == "memory_bound":
            state.slots.update(cores=1, threads=1)
        elif lowered == "multithread":
            state.slots.update(threads=NO_VAL)
        else:
            state.slots.update(threads=1)
    # sbatch exports the hint at once, and so reads it from its own environment for the next component.
    state.variables["SLURM_HINT"] = state.texts["hint"]


def _hint_words(text: str) -> list[str]:
    """Words part at `;` and at a comma that no digit follows."""
    words = [""]
    for at, char in enumerate(text):
        if char == ";" or (char == "," and not text[at + 1 : at + 2].isdigit()):
            words.append("")
        else:
            words[-1] += char
    return words


def _absolute_paths(state: State) -> None:
    """From here on names of files are absolute: later components of a het job inherit them so."""
    directory = state.slots.get("directory", "{cwd}")
    for name in ("error", "input", "output"):
        if name in state.slots:
            text, absolute = state.slots[name]
            state.slots[name] = (text if absolute else f"{directory}/{text}", True)


def _node_list(state: State, refuse: Refuse) -> HostList | None:
    """The hosts of `--nodelist`, whose number is the least number of nodes (in 22.05; later only when none is
    given). None: no list. Raises ValueMistake."""
    text = state.slots.get("nodelist")
    if text is None:
        if "SLURM_HOSTFILE" in state.variables:
            refuse(("SLURM_HOSTFILE",), "it names a file of hosts, which is not read here")
        return None
    from flowc.frontends.slurm.values.hosts import HostList

    hosts = HostList.read(text, state.version)
    count = hosts.count()
    if state.slots.get("nodes_set"):
        if state.version < (23, 2):
            state.slots["min_nodes"] = max(count, state.number("min_nodes", 1))
    else:
        state.slots["min_nodes"] = count
    state.slots["nodes_set"] = True
    return hosts


def _counts(state: State, refuse: Refuse) -> None:
    slots = state.slots
    low, high = state.number("min_nodes", 1), state.number("max_nodes", 0)
    per_node = state.number("ntasks-per-node")
    by_nodes = state.version < (23, 2) and (high == 0 or low == high)
    if per_node > 0 and "ntasks" not in slots and by_nodes:
        slots["ntasks"] = low * per_node
        slots["tasks_known"] = True
    elif "ntasks" in slots:
        slots["tasks_known"] = True
    cpus = slots.get("cpus-per-task")
    if cpus is not None and slots.get("mincpus", -1) < cpus:
        slots["mincpus"] = cpus
    if slots.get("ntasks", 1) < 0:
        refuse(("ntasks",), "the number of tasks is too large")
    if cpus is not None and cpus <= 0:
        refuse(("cpus-per-task",), "the number of CPUs is too large")
    if low < 0 or high < 0 or (high and low > high):
        names = ("nodelist", "nodes") if "nodelist" in slots and high >= 0 else ("nodes",)
        reason = (
            f"the node list names {low} nodes, `--nodes` allows {high}" if len(names) > 1 else "the count is too large"
        )
        refuse(names, reason)
    if slots.get("distribution") == "plane":
        tasks, size = slots.get("ntasks", 1), slots["plane"]
        if (low <= 0 or tasks // size < low) and (low - 1) * size >= tasks:
            refuse(("distribution", "ntasks", "nodes"), f"{tasks} tasks in planes of {size} do not reach {low} nodes")


def _nodes_and_tasks(state: State, hosts: HostList | None) -> None:
    slots = state.slots
    low, high = state.number("min_nodes", 1), state.number("max_nodes", 0)
    nodes_set, known = slots.get("nodes_set"), slots.get("tasks_known")
    per_node = state.version >= (23, 2) and state.number("ntasks-per-node") > 0
    if (nodes_set or slots.get("extra_set")) and (low == high or high == 0) and not known and not per_node:
        tasks = max(low, 1)
        for slot in ("sockets", "cores", "threads"):
            if state.number(slot) != NO_VAL:
                tasks *= state.number(slot)
                slots["tasks_known"] = True
        slots["ntasks_implied"] = tasks
    elif nodes_set and known:
        tasks = slots["ntasks"]
        high = min(high, tasks)
        if tasks < low:
            low = high = tasks
            if hosts is not None and hosts.count() > low and state.version < (23, 2):
                slots["nodelist"] = hosts.first(low).text()
        slots.update(min_nodes=low, max_nodes=high)
    if slots.get("distribution") == "arbitrary" and not slots.get("tasks_known"):
        slots.update(ntasks=hosts.count() if hosts else 0, tasks_known=True)


def _tasks_per_core(state: State, refuse: Refuse) -> None:
    """`--ntasks-per-core` against the threads of a core, whichever option gave them (since 23.02)."""
    per_core, threads = state.number("ntasks-per-core"), state.number("threads")
    if state.version < (23, 2) or threads == NO_VAL or per_core <= threads or "ntasks-per-core" not in state.given:
        return
    source = next((name for name in ("threads-per-core", "extra-node-info", "hint") if name in state.given), "")
    refuse(("ntasks-per-core", source), f"{per_core} tasks per core do not fit on {threads} threads per core")


def _times(state: State, refuse: Refuse) -> None:
    begin, deadline = state.slots.get("begin"), state.slots.get("deadline")
    if begin is not None and deadline is not None and deadline < begin:
        refuse(("deadline", "begin"), "the deadline comes before the earliest start")


def _after_listing(state: State, refuse: Refuse) -> None:
    """What sbatch refuses after it has printed the options, before it asks the controller."""
    by_login = state.slots.get("user_env", -1) >= 0 or (state.version >= (25, 5) and "get-user-env" in state.given)
    if "propagate" in state.given and not by_login:
        try:
            from flowc.frontends.slurm.values.bindings import check_limits

            check_limits(state.texts["propagate"])
        except ValueMistake as mistake:
            refuse(("propagate",), mistake.message)
    if state.slots.get("distribution") == "arbitrary" and "nodelist" not in state.slots:
        refuse(("distribution", "nodelist"), "an arbitrary distribution needs `--nodelist`")
    if "clusters" not in state.slots:
        gres.check(state, refuse)
    export = state.texts.get("export")
    if export is not None and export.upper() != "ALL":
        state.slots["user_env"] = 0  # shows in later components: `State.next_component`
