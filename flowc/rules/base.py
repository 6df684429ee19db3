"""What a rule is, and the texts of a job that rules look at."""

from __future__ import annotations

from flowc._compiled.shell_words import INTERFACES
from flowc.record import Record
from flowc.shell.words import calls_shells
from flowc.source import Derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.shell.inner import Inner
    from flowc.source import Piece, Text

_DEEPEST = 5  # texts within texts
# The unit that was asked about last, with its texts, and the parts of each of these: in one value, which threads see
# whole.
_last: tuple[Unit | None, tuple[Unit, ...], dict[int, list[Unit]]] = (None, (), {})


class Rule(Record):
    """The module below flowc/rules/ of this name holds `report(unit, sink)`; it is imported for the first job that it
    `concerns`. Where there are `words`, those are jobs whose texts hold one of them."""

    name: str
    concerns: Callable[[Unit], bool]
    words: tuple[str, ...] = ()

    def load(self) -> Callable[[Unit, Sink], None]:
        report: Callable[[Unit, Sink], None] = __import__(f"flowc.rules.{self.name}", fromlist=["report"]).report
        return report


def always(unit: Unit) -> bool:
    return True


def runs_on_machine(unit: Unit) -> bool:
    """Not in a container, whose image may have whatever the texts ask for."""
    return unit.job.image is None


def may_lack_commands(unit: Unit) -> bool:
    """In a container too, where it is known that no image has them."""
    return unit.job.image is None or unit.job.conventions.commands


def is_batch_script(unit: Unit) -> bool:
    return unit.job.conventions.commands and bool(unit.job.run.text)


def is_array_script(unit: Unit) -> bool:
    return unit.job.array is not None and is_batch_script(unit)


def is_batch_script_on_machine(unit: Unit) -> bool:
    """An image may set variables too."""
    return is_batch_script(unit) and runs_on_machine(unit)


def may_mean_two_things(unit: Unit) -> bool:
    """Whether it may be one of the batch scripts that mean something else under another release, of which none is
    named."""
    job = unit.job
    layout, text = job.layout, job.run.text
    if not job.conventions.commands or job.source.release is not None or not text:
        return False
    if not (layout.tasks_per_node or any(sign in text for sign in ("srun", "CPUS_PER_TASK=", "SLURM_GPUS_PER_TASK"))):
        return False
    shared = layout.cpus_per_task or layout.gpus_per_task or layout.tasks_per_node
    by_gpus = any(name[:10] == "SLURM_GPUS" for name, _ in job.source.variables)
    return bool(shared) or by_gpus or "SRUN_CPUS" in text


def asks_for_nodes_alone(unit: Unit) -> bool:
    """Whether it is a batch script that says no word of tasks, CPUs, memory or GPUs."""
    job, layout = unit.job, unit.job.layout
    asked = layout.tasks or layout.tasks_per_node or layout.cpus_per_task or layout.gpus_per_task or layout.gpus_total
    resources = job.resources
    asked = asked or resources.exclusive or resources.gpus_per_node or resources.cpus_per_node
    memory = resources.memory_bytes_per_node or resources.memory_bytes_per_cpu
    return not (asked or memory) and is_batch_script_on_machine(unit)


def has_idle_nodes(unit: Unit) -> bool:
    """Whether there are machines that wait for what the first one calls."""
    job, nodes = unit.job, unit.plan.nodes if unit.plan is not None else 1
    return nodes > 1 and job.conventions.runs_on == "first" and bool(job.run.text or job.setup)


def has_other_interpreter(unit: Unit) -> bool:
    """Whether the first line names another program than the shells that every machine has."""
    line = unit.job.run.interpreter
    return line is not None and line.split()[:1] not in (["/bin/bash"], ["/bin/sh"])


def runs_plain_sh(unit: Unit) -> bool:
    """Whether the first line names a shell that understands less than bash."""
    line = unit.job.run.interpreter
    return line is not None and "sh" in line and "bash" not in line and unit.job.image is None


def has_several_nodes(unit: Unit) -> bool:
    """Whether a batch script runs on more than one machine."""
    return unit.job.conventions.commands and unit.plan is not None and unit.plan.nodes > 1


def has_mounts(unit: Unit) -> bool:
    return bool(unit.job.mounts or unit.job.containers)


def has_pipes(unit: Unit) -> bool:
    """Whether the job's own text has any, be it none in what prepares it."""
    own = unit.job.run.text or (unit.shell_text.text if unit.shell_text is not None else "")
    return "|" in own


def names_network(unit: Unit) -> bool:
    """Whether the job sets a variable that names a network: in its environment, a text, or words of a command."""
    job = unit.job
    said = [job.setup or "", job.run.text or "", *job.run.argv, *job.run.args]
    said += [name for name, _ in job.env]
    said += [unit.shell_text.text] if unit.shell_text is not None else []
    text = "\n".join(said)
    for name in INTERFACES:  # noqa: SIM110 - a generator costs as much as the search
        if name in text:
            return True
    return False


def has_secrets(unit: Unit) -> bool:
    job = unit.job
    return bool(job.secrets or job.files or job.containers or job.isolation.pull_secrets)


def is_delivered(unit: Unit) -> bool:
    return unit.job.run.delivery == "ssh"


def texts(unit: Unit) -> Sequence[Unit]:
    """A unit for each text that a shell of the job runs: what prepares it, looked at as a job of its own, and the job
    itself. All rules that ask get the same ones."""
    global _last
    last, found, _ = _last
    if last is not unit:
        found = (*_texts(unit),)
        _last = unit, found, {}
    return found


def leave_out_preparing(unit: Unit) -> None:
    """Have `texts` give the own text of this unit alone, where nothing is to be said of what prepares it."""
    global _last
    _last = unit, (*_own(unit),), {}


def forget() -> None:
    """Have `texts` give all that there is, again."""
    global _last
    _last = None, (), {}


def _texts(unit: Unit) -> Iterator[Unit]:
    preparing = unit.preparing
    if preparing is not None:
        yield preparing
    yield from _own(unit)


def _own(unit: Unit) -> Iterator[Unit]:
    job = unit.job
    if job.run.text:
        yield unit
    elif unit.shell_text is not None:
        run = job.run.replace(kind="shell", interpreter=job.run.argv[0], text=unit.shell_text.text, argv=(), args=())
        yield unit.replace(job=job.replace(run=run, setup=None), text=unit.shell_text)


def parts(unit: Unit, deepest: int = _DEEPEST) -> Sequence[Unit]:
    """This unit, and one for each text within its own that another shell on the machine runs; what the texts around it
    install is there. Of what `texts` gives all rules get the same ones."""
    text = unit.job.run.text or ""
    if not calls_shells(text):
        return (unit,)
    _, asked, known = _last
    if all(unit is not each for each in asked):
        return [unit, *_inner(unit, text, deepest)]
    found = known.get(id(unit))
    if found is None:
        found = known[id(unit)] = [unit, *_inner(unit, text, deepest)]
    return found


def _inner(unit: Unit, text: str, deepest: int) -> Iterator[Unit]:
    from flowc.body.interpreter import is_shell
    from flowc.shell.inner import inner_texts

    job = unit.job
    if not deepest or not is_shell(job):
        return
    base = unit.text or (unit.source if text == unit.source.text else None)
    for each in inner_texts(text):
        run = job.run.replace(kind="shell", interpreter="/bin/bash", text=each.text, commands=())
        setup = f"{job.setup or ''}\n{text}"
        inner = unit.replace(job=job.replace(run=run, setup=setup), text=placed(each, base), brought=())
        yield from parts(inner, deepest - 1)


def placed(inner: Inner, base: Text | None) -> Derived:
    """An inner text with its places, which stand in `base`."""

    def pieces() -> list[Piece]:
        return [(at, base, start, end) for at, start, end in inner.pieces]

    return Derived(inner.text, None, 0, 0, pieces)
