"""The options of one component while they are being read: sbatch's option structure, as far as it shows.

Several options share one variable in sbatch (`--requeue` and `--no-requeue`, `-B` and `--cores-per-socket`), so
printing one shows what another set. Those variables are `slots`; the other options keep their printed text in `texts`.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import wrap32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    # What judges the value of an option and keeps it: (state, option, text), the text None for a bare flag.
    Setter: TypeAlias = "Callable[[State, str, str | None], None]"

NO_VAL = -2  # what a C int shows of Slurm's "no value"
INFINITE = -1

# The options that print a slot, and the slot.
SHARED = {
    "exclusive": "shared",
    "oversubscribe": "shared",
    "requeue": "requeue",
    "no-requeue": "requeue",
    "cluster": "clusters",
    "clusters": "clusters",
}
UNSET = "unset"
UMASK = "umask"  # an option of PBS alone; sbatch prints it without a name
NULL = "(null)"  # what sbatch prints where there is no text

_SHAPE = {"sockets-per-node": "sockets", "cores-per-socket": "cores", "threads-per-core": "threads"}
_PATHS = ("output", "error", "input")

# Slots that start anew in each component of a het job.
_COMPONENT_SLOTS = (
    "shared", "core-spec", "sockets", "cores", "threads", "extra_set", "mail", "mem_bind", "min_nodes", "max_nodes",
    "nodes_set", "nodes_are_a_set", "ntasks", "cpus-per-task", "nodelist", "nodefile", "switches", "switch_wait",
    "distribution", "plane", "tasks_known", "umask", "tres_bind", "tres_per_task", "words_per_task",
    "gres_sharing", "segment",
)  # fmt: skip


class State:
    """`given` maps an option that is set to whether the environment set it (False: script or command line).

    `slots` holds variables by name (numbers, texts), absent when unset. `variables` is the environment.
    """

    __slots__ = ("given", "slots", "texts", "variables", "version")

    def __init__(self, version: tuple[int, ...], variables: dict[str, str]) -> None:
        self.version = version
        self.variables = variables
        self.given: dict[str, bool] = {}
        self.texts: dict[str, str] = {}
        self.slots: dict[str, Any] = {}

    def next_component(self, carried: frozenset[str]) -> None:
        """Forget what each component starts anew with; `carried` are the options that stay."""
        if "get-user-env" in self.given and self.version < (25, 5) and self.slots.get("user_env") == 0:
            self.texts["get-user-env"] = "0" + self.slots.get("user_env_mode", "")
        for name in [name for name in self.given if name not in carried]:
            self.given.pop(name)
            self.texts.pop(name, None)
            self.slots.pop(name, None)
        for slot in _COMPONENT_SLOTS:
            self.slots.pop(slot, None)

    def reset(self, name: str) -> None:
        """Unset one option, as an environment variable that says no does, and some rules between options."""
        self.given.pop(name, None)
        self.texts.pop(name, None)
        self.slots.pop(SHARED.get(name, name), None)
        if name == "extra-node-info":
            for slot in ("sockets", "cores", "threads", "extra_set"):
                self.slots.pop(slot, None)
        elif name in _SHAPE:
            self.slots.pop(_SHAPE[name], None)

    def by_user(self, name: str) -> bool:
        """Set by the script or the command line, not by the environment."""
        return self.given.get(name) is False

    def by_environment(self, name: str) -> bool:
        return self.given.get(name) is True

    def number(self, slot: str, default: int = NO_VAL) -> int:
        value: int = self.slots.get(slot, default)
        return value

    def text(self, name: str) -> str:
        """What sbatch prints for an option that is set."""
        if name in self.texts:
            return self.texts[name]
        show = _SPECIAL.get(name)
        return show(self) if show else UNSET

    def listing(self) -> dict[str, str]:
        """The list of defined options, in the order of first setting."""
        return {name: self.text(name) for name in self.given}


def _show_slot(slot: str) -> Any:
    return lambda state: state.slots.get(slot, UNSET)


def _show_shape(slot: str) -> Any:
    return lambda state: str(state.number(slot))


def _show_path(name: str) -> Any:
    def show(state: State) -> str:
        text, absolute = state.slots[name]
        return text if absolute else f"{state.slots.get('directory', '{cwd}')}/{text}"

    return show


def _show_core_spec(state: State) -> str:
    value = state.number("core-spec", 0xFFFE)
    return UNSET if value == 0xFFFE or value & 0x8000 else str(value)


def _show_thread_spec(state: State) -> str:
    value = state.number("core-spec", 0xFFFE)
    return UNSET if value == 0xFFFE or not value & 0x8000 else str(value & ~0x8000)


def _show_extra(state: State) -> str:
    sockets, cores, threads = (state.number(slot) for slot in ("sockets", "cores", "threads"))
    text = str(sockets) if sockets != NO_VAL else ""
    text += f":{cores}" if cores != NO_VAL else ""
    text += f":{threads}" if threads != NO_VAL else ""
    return text or UNSET


def _show_nodes(state: State) -> str:
    low, high = state.number("min_nodes", 1), state.number("max_nodes", 0)
    return str(low) if low == high else f"{low}-{high}"


def _show_switches(state: State) -> str:
    count, wait = state.number("switches", -1), state.number("switch_wait", -1)
    if wait != -1:
        return f"{count}@{clock(wait)}"
    return str(count) if count != -1 else UNSET


def _show_null(state: State) -> str:
    """The variables without an option's name: SBATCH_REQ_SWITCH, SBATCH_WAIT4SWITCH and a PBS umask; the last shows."""
    if "umask" in state.slots:
        return f"0{state.slots['umask']:o}"
    if "wait_set" in state.slots:
        seconds = state.number("switch_wait", -1)
        return NULL if seconds == NO_VAL and state.version >= (23, 11) else clock(seconds, below="UNLIMITED")
    count = state.number("switches", -1)
    return str(count) if count != -1 else UNSET


def clock(seconds: int, below: str = "INVALID") -> str:
    """Seconds as `[D-]HH:MM:SS`; `below` for a negative number."""
    if seconds < 0:
        return below if seconds == -1 else "INVALID"
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}-{text}" if days else text


_SPECIAL = {
    **{name: _show_slot(slot) for name, slot in SHARED.items()},
    **{name: _show_shape(slot) for name, slot in _SHAPE.items()},
    **{name: _show_path(name) for name in _PATHS},
    "core-spec": _show_core_spec,
    "thread-spec": _show_thread_spec,
    "extra-node-info": _show_extra,
    "nodes": _show_nodes,
    "switches": _show_switches,
    "tres-bind": lambda state: state.slots.get("tres_bind", NULL),
    "mincpus": lambda state: str(wrap32(state.number("mincpus", -1))),
    "nodelist": lambda state: state.slots.get("nodelist", NULL),
    "nodefile": lambda state: state.slots.get("nodefile", NULL),
    NULL: _show_null,
}
