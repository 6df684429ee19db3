"""Scripts that were written for clusters which give whole nodes: they ask for nodes alone and count the CPUs of one, or
start tasks on all of them. Where jobs get what they ask for, as here, that is one CPU."""

from __future__ import annotations

from flowc._compiled.slurm_commands import LAUNCHERS
from flowc.body.interpreter import is_shell
from flowc.body.slurm_variables import reads
from flowc.patterns import at_first_use
from flowc.scripts.slurm.environment import cpus_per_node
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

VARIABLES = ("SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE", "SLURM_TASKS_PER_NODE")
# Options of launchers by which they do not take the job's own count, or its nodes.
_counted = at_first_use(
    r"(?<!\S)--?(?:n|np|c|N|npernode|ppn|perhost|ppr|f|H|hosts?|(?:machine|host|rank|app|config)file|map-by|oversubscribe"
    r"|npersocket|V|version|h|help|info)(?![\w-])",
    "search",
)
_count = at_first_use(r"(?<!\S)--?(?:n|np|c)[ \t=]+([0-9]+)(?!\S)", "search")
_not_so = at_first_use(
    r"oversubscribe|hostfile|machinefile|rankfile|(?<!\S)-(?:f|H|hosts?|genv\w*)(?!\S)|I_MPI|mpich", "search"
)


def report(unit: Unit, sink: Sink) -> None:
    """Say it once, where the text shows it first."""
    job, text = unit.job, unit.job.run.text or ""
    if not is_shell(job) or cpus_per_node(job, unit.plan) != 1:
        return
    nodes = unit.plan.nodes if unit.plan is not None else 1
    found = [(start, start + len(name), f"`{name}` is 1") for name, start in reads(text, {*VARIABLES})]
    found += _launched(text, nodes)
    if not found:
        return
    from flowc.diag.codes.slurm.whole_nodes import CPUS_NOT_ASKED

    start, end, what = min(found)
    help = "`--exclusive` gives the job all CPUs, as there; `--ntasks-per-node` and `--cpus-per-task` so many of them"
    sink.report(CPUS_NOT_ASKED, unit.text_span(start, end), help=help, what=what)


def _launched(text: str, nodes: int) -> list[tuple[int, int, str]]:
    """Calls of launchers that take all slots of the job, or more than it has."""
    found = []
    if any(f"{name}(" in text or f"alias {name}" in text for name in LAUNCHERS):
        return []
    seen = scan(text)
    for command in seen.commands:
        words = command.words()
        if not words or words[0][1].rpartition("/")[2] not in LAUNCHERS or seen.in_string(words[0][0]):
            continue
        start, end = words[0][0], words[0][0] + len(words[0][1])
        given = " ".join(word for _, word in words[1:])
        name, most = words[0][1].rpartition("/")[2], f"{nodes} process{'es' * (nodes > 1)}"
        count = _count(given)
        if count is not None and int(count[1]) > nodes and not _not_so(given) and "I_MPI" not in text:
            found.append((start, end, f"`{name}` has slots for {most}, not {count[1]}"))
        elif count is None and not _counted(given) and "$" not in given.partition(" ")[0]:
            found.append((start, end, f"`{name}` starts {most}"))
    return found
