"""The requests of all options for GPUs and other generic resources, gathered by resource and type."""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import count_of
from flowc.frontends.slurm.values.state import State
from flowc.frontends.slurm.values.trees import ValueMistake
from flowc.patterns import at_first_use

# A name that a site's configuration can declare.
_name = at_first_use(r"[\w.+-]+\Z", "match")


class Demand:
    """What is asked of one resource and type: 0 where nothing is."""

    __slots__ = ("cpus", "job", "memory", "name", "node", "options", "socket", "task", "type")

    def __init__(self, name: str, kind: str | None) -> None:
        self.name = name
        self.type = kind
        self.job = self.node = self.socket = self.task = self.cpus = self.memory = 0
        self.options: dict[str, str] = {}  # slot to the option that set it, for the slots that are set


# What is asked of each resource and type.
Demands = dict[tuple[str, str | None], Demand]
# The options that do not agree, and why; one option alone has a bad value.
Fault = tuple[tuple[str, ...], str]


def per_task(state: State) -> str:
    """What each task is asked to get, as text."""
    given = state.texts.get("gpus-per-task", "")
    for slot in ("tres_per_task", "words_per_task"):
        given = state.slots.get(slot, given)
    return given


def gather(state: State, demands: Demands) -> Fault | None:
    """Fill `demands` from the options; the first fault ends it."""
    if state.slots.get("cpus-per-gpu"):
        demand_of(demands, "gpu", None, "cpus", "cpus-per-gpu").cpus = state.slots["cpus-per-gpu"]
    sources = (
        ("job", "gpus", "gpu:"),
        ("node", "gpus-per-node", "gpu:"),
        ("node", "gres", ""),
        ("socket", "gpus-per-socket", "gpu:"),
    )
    listed = "tres_per_task" in state.slots
    option = "tres-per-task" if "tres-per-task" in state.given else "gpus-per-task"
    last = ("task", option, "" if listed or "words_per_task" in state.slots else "gpu:")
    for slot, option, front in (*sources, last):
        text = per_task(state) if slot == "task" else state.texts.get(option)
        if not text or (option == "gres" and text.lower() == "none"):
            continue
        if state.version >= (23, 11) or (slot == "task" and listed):
            fault = _read_list(demands, slot, option, text, front)
            if fault:
                return (option,), fault
            continue
        for item in text.split(","):
            if option == "gres":
                item = item.removeprefix("gres:")
            if not item:
                continue
            fault = _read(demands, slot, option, front + item)
            if fault:
                return (option,), fault
    if state.slots.get("mem-per-gpu"):
        demand_of(demands, "gpu", None, "memory", "mem-per-gpu").memory = state.slots["mem-per-gpu"]
    return None


def demand_of(demands: Demands, name: str, kind: str | None, slot: str, option: str) -> Demand:
    demand = demands.get((name, kind))
    if demand is None:
        demand = demands[name, kind] = Demand(name, kind)
    demand.options[slot] = option
    return demand


def _read_list(demands: Demands, slot: str, option: str, text: str, front: str) -> str | None:
    """Add the items of one option; the reason when sbatch refuses one. Rules since 23.11."""
    from flowc.frontends.slurm.values.tres import GRES, items

    if front:
        text = ",".join(f"{GRES}/{front}{word}" for word in text.split(",") if word)
    try:
        for name, kind, count in items(text, GRES):
            if name is None:
                break
            if not _name(name):
                return _no_name(name)
            setattr(demand_of(demands, name, kind or None, slot, option), slot, count)
    except ValueMistake as mistake:
        return mistake.message
    return None


def _no_name(name: str) -> str:
    return f"`{name}` can be no resource's name; expected NAME[:TYPE][:COUNT], such as gpu:2"


def _read(demands: Demands, slot: str, option: str, item: str) -> str | None:
    """Add one item `name[[:type]:count]`; the reason when sbatch refuses it. Rules before 23.11."""
    name, colon, rest = item.partition(":")
    kind, second, last = rest.partition(":")
    shown = item.removeprefix("gpu:") if option != "gres" else item
    if colon and (not kind or (second and not last)):
        return f"`{shown}` lacks a type or count"
    count: int | None
    if second:
        count = count_of(last)
        if count is None:
            return f"`{last}` is not a count; expected " + ("TYPE:COUNT" if option != "gres" else "NAME:TYPE:COUNT")
    else:
        count = count_of(kind) if colon else 1
        if colon and count is not None:
            kind = ""
        count = 1 if count is None else count
    if count == 0:
        return None
    if not _name(name) or name.isdigit():
        return _no_name(name)
    demand = demand_of(demands, name, kind or None, slot, option)
    setattr(demand, slot, count)
    return None
