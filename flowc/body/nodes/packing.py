"""Whether a job may run on fewer nodes that have more each, as far as its text and its options tell.

Only what surely means the same there is let pass (`data/packing.yaml`): an option, a variable, a command or a way to
call srun that may be about single nodes binds the job to its nodes. What programs do inside is not seen.
"""

from __future__ import annotations

from flowc._compiled.packing import HARMLESS, OPTIONS, SOURCED, STEPS, VARIABLES, WORDS
from flowc._compiled.slurm_commands import LAUNCHERS
from flowc._compiled.slurm_options import OPTIONS as SBATCH
from flowc._compiled.slurm_words import OPTIONS as TAKEN
from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

_variables = at_first_use(r"(?<![A-Za-z0-9_])SLURMD?_\w*", "finditer")
_harmful = tuple((at_first_use(row["words"], "finditer"), row["says"]) for row in WORDS)
_plain = at_first_use(r"[\w./@%+=:,-]+", "fullmatch")
_assigned = at_first_use(r"[A-Za-z_]\w*=", "match")
_LONG = {row["short"]: name for name, row in SBATCH.items() if row["short"]}
_STEPS = {
    name: (short, kind) for spec in TAKEN["srun"]["always"] for short, kind, name in ((spec[0], spec[1], spec[2:]),)
}
_STEP_LETTERS = {short: name for name, (short, _) in _STEPS.items() if short != "-"}
_ALL = ("$SLURM_NTASKS", "${SLURM_NTASKS}", "$SLURM_NPROCS", "${SLURM_NPROCS}")
_TEXTS = (".sh", ".bash", ".slurm", ".sbatch")


class Binding(Record):
    """What binds a job to its nodes, in words: an `option`, as a number in `job.outcome`, or what stands in
    `job.run.text` from `start` to `end`."""

    says: str
    option: int | None = None
    start: int | None = None
    end: int = 0


def binding(job: Job) -> Binding | None:
    """The first that is found; None where nothing is."""
    return _by_kind(job) or _by_options(job) or _by_layout(job) or _by_text(job)


def _by_kind(job: Job) -> Binding | None:
    if job.conventions.runs_on != "first" or not job.conventions.commands:
        return Binding(says="it runs once on each of its nodes")
    if job.image is not None or job.containers:
        return Binding(says="it runs in a container")
    if job.ports:
        return Binding(says="it has ports, which tasks on one node share")
    return None if is_shell(job) else Binding(says="its text is not a shell's")


def _by_options(job: Job) -> Binding | None:
    for number, told in enumerate(job.outcome):
        if told.action == "ignored" and told.note is not None and told.note.endswith("is given again later"):
            continue
        name = _option(told.input)
        if name not in OPTIONS:
            return Binding(says=f"`{told.input.split()[0].partition('=')[0]}` may be about its nodes", option=number)
    return Binding(says="`exclusive` gives it whole nodes") if job.resources.exclusive else None


def _option(text: str) -> str:
    """The long name of an option as it is written."""
    if text.startswith("--"):
        return text[2:].split("=")[0].split()[0]
    return _LONG.get(text[1:2], "") if text.startswith("-") else text


def _by_layout(job: Job) -> Binding | None:
    nodes, tasks, layout = job.resources.nodes or 1, job.layout.tasks, job.layout
    if tasks is None:
        return Binding(says="without `--ntasks` each node has a task")
    if tasks <= nodes or tasks % nodes:
        alone = (
            "each of its tasks has a node to itself" if tasks <= nodes else "its nodes have unequal numbers of tasks"
        )
        return Binding(says=alone)
    gpus = layout.gpus_total or (job.resources.gpus_per_node or 0) * nodes
    if gpus and gpus != tasks and not layout.gpus_per_task:
        return Binding(says="its tasks share the GPUs of a node, without `--gpus-per-task`")
    return None


def _by_text(job: Job) -> Binding | None:
    text = (job.run.text or "")[:MOST_TEXT]
    seen = scan(text)
    for match in _variables(text):
        if match[0] not in VARIABLES and not seen.in_comment(match.start()):
            return Binding(says=f"its text reads `{match[0]}`", start=match.start(), end=match.end())
    for pattern, says in _harmful:
        for match in pattern(text):
            if match[0] and not seen.in_comment(match.start()):
                return Binding(says=f"`{match[0]}` in its text {says}", start=match.start(), end=match.end())
    if seen.here_documents:
        first = seen.here_documents[0]
        return Binding(says="its text writes another one", start=first.start, end=first.end)
    launched = False
    for command in seen.commands:
        words = command.words()
        if not words:
            continue
        (start, name), *rest = words
        if name == "srun" or name in LAUNCHERS:
            launched = True
            found = _by_call(name, rest, job)
            if found is not None:
                return Binding(says=f"`{name}` {found}", start=start, end=start + len(name))
        elif name in ("source", "."):
            if not rest or rest[0][1].strip("\"'").rpartition("/")[2] not in SOURCED:
                says = f"`{name}` reads another text, which is not seen"
                return Binding(says=says, start=start, end=start + len(name))
        elif name not in HARMLESS and not _assigned(name):
            says = f"`{name}` runs on its first node alone, and would find more there"
            return Binding(says=says, start=start, end=start + len(name))
    return None if launched else Binding(says="it runs on the first of its nodes alone")


def _by_call(name: str, words: list[tuple[int, str]], job: Job) -> str | None:
    """What of a call of srun, or of a launcher of MPI, binds it to nodes."""
    left = [word for _, word in words]
    while left and left[0].startswith("-"):
        word = left.pop(0)
        long, value, valued = _step(word) if name == "srun" else _launched(word)
        if long is None:
            return f"is called with `{word}`, which may be about its nodes"
        if valued and value is None:
            value = left.pop(0) if left else ""
        if long == "ntasks" and not _all_tasks(value or "", job):
            return f"starts `{value}` tasks" + (", not more than nodes" if (value or "").isdecimal() else "")
        if long in ("output", "error", "input") and value and ("%N" in value or "%n" in value):
            return "names files after nodes"
    if not left or not _plain(left[0]):
        return "starts what cannot be seen"
    if ":" in left:
        return "starts several programs at once"
    if any(word.endswith(_TEXTS) for word in left) or left[0].rpartition("/")[2] in ("bash", "sh"):
        return "starts another text, which is not seen"
    return None


def _step(word: str) -> tuple[str | None, str | None, bool]:
    """The long name of an option of srun that is not about nodes, its value where the same word has it, and whether it
    takes one."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        kind = _STEPS.get(name, ("", ""))[1]
        return (name if name in STEPS else None), (value if equals else None), kind == "="
    name = _STEP_LETTERS.get(word[1:2], "")
    kind = _STEPS.get(name, ("", ""))[1]
    return (name if name in STEPS else None), (word[2:].removeprefix("=") or None), kind == "="


def _launched(word: str) -> tuple[str | None, str | None, bool]:
    return ("ntasks" if word in ("-n", "-np", "--n", "--np") else None), None, True


def _all_tasks(value: str, job: Job) -> bool:
    """Whether so many tasks are more than the nodes that there are."""
    plain = value.strip("\"'")
    return plain in _ALL or (plain.isdecimal() and int(plain) > (job.resources.nodes or 1))
