"""Steps that ask for more GPUs of a node than the job has: they are from clusters that give whole nodes with all their
GPUs. Where jobs get what they ask for, as here, such a step fails."""

from __future__ import annotations

from flowc.body.slurm_words import options_of_steps
from flowc.scripts.slurm.environment import gpus_per_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.body.slurm_words import Given
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

# Options whose number is of each node, or of a part of one; `gpus` counts those of all nodes.
OF_NODE = ("gres", "gpus-per-node", "gpus-per-task", "gpus")


def report(unit: Unit, sink: Sink) -> None:
    """Say it once, of the step that asks for most."""
    has, nodes = gpus_per_node(unit.job, unit.plan), unit.plan.nodes if unit.plan is not None else 1
    most, option = has, None
    for step in options_of_steps(unit.job):
        for name in OF_NODE:
            wants = _count(step[name]) if name in step else 0
            wants = -(-wants // nodes) if name == "gpus" else wants
            if wants > most:
                most, option = wants, step[name]
    if option is None:
        return
    from flowc.diag.codes.slurm.whole_nodes import GPUS_NOT_ASKED

    end = option.value_start + len(option.value or "")
    help = f"`#SBATCH --gpus-per-node={most}` asks for them, `--exclusive` for all of the machine"
    word = (unit.job.run.text or "")[option.start : end]
    sink.report(
        GPUS_NOT_ASKED, unit.text_span(option.start, end), help=help, word=word, has=str(has) if has else "none"
    )


def _count(option: Given) -> int:
    """The GPUs in `gpu:h100:2`, `h100:2`, `2`; 0 where the text does not show a number."""
    found = 0
    for item in (option.value or "").strip("\"'").split(","):
        kind, _, number = item.rpartition(":")
        if number.isdecimal() and (option.entry != "-=gres" or "gpu" in kind):
            found += int(number)
    return found
