"""The environment variables that sbatch reads as options: later than the script's directives, before the command
line."""

from __future__ import annotations

from flowc._compiled.slurm_options import OPTIONS
from flowc.frontends.slurm.values.amounts import seconds_of, wrong
from flowc.frontends.slurm.values.numerals import strtol, whole_number
from flowc.frontends.slurm.values.state import NO_VAL, NULL, State
from flowc.frontends.slurm.words.getopt import Table, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Two variables that are no option's; sbatch prints both without a name.
SWITCH_COUNT, SWITCH_WAIT = "SBATCH_REQ_SWITCH", "SBATCH_WAIT4SWITCH"


def readable(environ: Iterable[tuple[str, str]], table: Table, version: tuple[int, ...]) -> list[tuple[str, str, str]]:
    """(variable, option, value) of the variables that are set, in sbatch's order of reading."""
    set_ones = {name: value for name, value in environ if name.startswith(("SBATCH_", "SLURM_"))}
    if not set_ones:
        return []
    found = []
    for option, row in OPTIONS.items():
        for variable in row["variables"]:
            if variable in set_ones and _known(row["variables_since"] or row["since"], row["until"], version):
                found.append((variable, option, set_ones[variable]))
    found += [(name, NULL, set_ones[name]) for name in (SWITCH_COUNT, SWITCH_WAIT) if name in set_ones]
    return found


def _known(since: str | None, until: str | None, version: tuple[int, ...]) -> bool:
    return not (since and release(since) > version) and not (until and release(until) <= version)


def flag_is_set(value: str) -> bool:
    """How sbatch reads a flag from the environment: empty, `yes` or a number other than 0 sets it."""
    number, end = strtol(value)
    return value == "" or value.lower() == "yes" or (number != 0 and end == len(value))


def set_switch(state: State, variable: str, value: str) -> None:
    """One of the two variables without an option. Raises ValueMistake."""
    if variable == SWITCH_COUNT:
        count = whole_number(value, positive=True, version=state.version)
        if count is None:
            raise wrong(value, "expected a whole number above 0")
        state.slots["switches"] = count
        return
    seconds = seconds_of(value)
    state.slots["switch_wait"] = NO_VAL if seconds is None else seconds
    state.slots["wait_set"] = True
