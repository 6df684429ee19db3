"""What a job lacks on any machine: judged once, for all formats and targets, as soon as the plan stands. The tuple is
the registry; a target reports only what it cannot say itself."""

from __future__ import annotations

from flowc._compiled.shell_words import CODE_SUFFIXES
from flowc._compiled.slurm_commands import (
    ABSENT,
    BEHIND,
    BROUGHT,
    LAUNCHERS,
    MISSING,
    MODULES,
    OF_SITES,
    PROVIDED,
    REFUSED,
)
from flowc.rules.base import (
    Rule,
    always,
    asks_for_nodes_alone,
    forget,
    has_idle_nodes,
    has_mounts,
    has_other_interpreter,
    has_pipes,
    has_secrets,
    has_several_nodes,
    is_array_script,
    is_batch_script,
    is_batch_script_on_machine,
    is_delivered,
    leave_out_preparing,
    may_lack_commands,
    may_mean_two_things,
    names_network,
    runs_on_machine,
    runs_plain_sh,
)
from flowc.shell.contained import FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

_SUBMIT = tuple(sign for row in BEHIND if not {*REFUSED}.isdisjoint(row["commands"]) for sign in row["signs"])
_COMMANDS = (
    *(*PROVIDED, *OF_SITES, *REFUSED, *MODULES, *MISSING, *ABSENT, *_SUBMIT),
    *(name for row in BROUGHT for name in row["commands"]),
)
_BY_VARIABLE = ("SQUEUE_", "SCANCEL_", "SINFO_", "SACCT_", "SBCAST_", "SCONTROL_")
_AFAR = (
    *LAUNCHERS[:4],
    "ssh",
    "scp",
    "deepspeed",
    "--container-image",
    "PYXIS_CONTAINER_IMAGE",
    "enroot",
    "--mpi",
    "SLURM_MPI_TYPE",
)
RULES = (
    Rule(name="mounts", concerns=has_mounts),
    Rule(name="secrets", concerns=has_secrets),
    Rule(name="nodes", concerns=has_idle_nodes),
    Rule(name="interpreter", concerns=has_other_interpreter),
    Rule(name="commands", concerns=may_lack_commands, words=_COMMANDS),
    Rule(name="reach", concerns=always, words=_AFAR),
    Rule(name="paths", concerns=runs_on_machine, words=("/",)),
    Rule(name="modules", concerns=always, words=("module", "ml", "activate", "conda", "mamba")),
    Rule(name="slurm_words", concerns=is_batch_script, words=(*PROVIDED, *OF_SITES)),
    Rule(name="slurm_variables", concerns=is_batch_script, words=("SLURM", "SRUN_", *_BY_VARIABLE)),
    Rule(name="plain_sh", concerns=runs_plain_sh),
    Rule(name="shared_files", concerns=has_several_nodes, words=("while", "until", "file", "FileStore")),
    Rule(name="texts.code", concerns=runs_on_machine, words=(*CODE_SUFFIXES, *FILES, "./", "cd ", "pushd ")),
    Rule(
        name="texts.prepared",
        concerns=has_several_nodes,
        words=("git clone", "install", "venv", "virtualenv", "uv ", "create"),
    ),
    Rule(name="texts.indices", concerns=is_array_script),
    Rule(name="texts.variables", concerns=is_batch_script_on_machine, words=("$",)),
    Rule(name="texts.secrets", concerns=always),
    Rule(name="texts.network", concerns=names_network),
    Rule(name="texts.wheels", concerns=runs_on_machine, words=("--no-index",)),
    Rule(name="texts.documents", concerns=always, words=("<<",)),
    Rule(name="texts.pipes", concerns=has_pipes),
    Rule(name="texts.errexit", concerns=always, words=("$?", "++")),
    Rule(name="slurm.releases", concerns=may_mean_two_things),
    Rule(name="slurm.step_gpus", concerns=is_batch_script, words=("--gpus", "--gres", "-G")),
    Rule(name="slurm.whole_nodes", concerns=asks_for_nodes_alone, words=("_PER_NODE", "_ON_NODE", "mpi", "orterun")),
    Rule(name="delivery", concerns=is_delivered),
)
_loaded: dict[str, Callable[[Unit, Sink], None]] = {}
# So many jobs are looked at whole before it is worth knowing what the lines of their profile are good for alone.
_FEW = 3
_met = 0


def run(units: list[Unit], sink: Sink) -> None:
    """Report what each of these units lacks, whose plans stand."""
    for index, unit in enumerate(units):
        sink.turn_to(index)
        own = unit.job.run.text or (unit.shell_text.text if unit.shell_text is not None else "")
        known = bool(unit.brought) and _says_nothing(unit.brought)
        text = own if known else f"{unit.job.setup or ''}\n{own}"
        if known:
            leave_out_preparing(unit)
        for rule in RULES:
            if rule.concerns(unit) and (not rule.words or _holds(text, rule.words)):
                if rule.name not in _loaded:
                    _loaded[rule.name] = rule.load()
                _loaded[rule.name](unit, sink)
        if known:
            forget()
    sink.turn_to(None)


def _says_nothing(brought: tuple[str, ...]) -> bool:
    """Whether it is known that no rule has anything to say of what these texts make up."""
    global _met
    if _met < _FEW:
        _met += 1
        return False
    from flowc.rules.texts.brought import is_harmless

    return all(map(is_harmless, brought))


def _holds(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - a generator costs as much as the search
        if word in text:
            return True
    return False
