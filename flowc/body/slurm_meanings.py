"""What in a text means other tasks, CPUs or GPUs under an old release of Slurm than under a new one: the names of rows
in flowc/data/slurm_releases.yaml. Judged is what the text shows; a number that a variable gives is taken as that of the
job."""

from __future__ import annotations

from flowc._compiled.slurm_commands import LAUNCHERS
from flowc._compiled.slurm_words import OPTIONS
from flowc.body.interpreter import is_shell
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.job import Job
    from flowc.shell.command import Command

_value = at_first_use(r"\A[\"']?(?:(\d+)|\$\{?(\w+)(?:\}|:?-[^}]*\})?)[\"']?\Z", "match")
_loop = at_first_use(r"\bdo\b", "search")
_variable = at_first_use(r"\$\{?SLURM_GPUS_PER_TASK\b", "search")
_count = at_first_use(r"(?:\A|:|=)(\d+)\Z", "search")
# Options by which a step says itself how it shares its nodes.
_SHARES = frozenset(("exact", "exclusive", "overlap", "cpus-per-task", "overcommit"))
_SETTERS = frozenset(("export", "declare", "typeset", "readonly", "env"))
_DEEPEST = 4


class Place(Record):
    """A stretch of the text that means what a row says."""

    row: str
    start: int
    end: int


class Step(Record):
    """A call of srun: the values of its options by their long names, None where they cannot be seen. `start` and `end`
    are its name's; `behind`: it runs in the background; `again`: it is called in a loop."""

    start: int
    end: int
    options: dict[str, str | None]
    behind: bool
    again: bool
    assigned: dict[str, str]


def counts_tasks(text: str) -> bool:
    """Whether something may count the tasks of each node itself: only srun does it otherwise."""
    return "SLURM_TASKS_PER_NODE" in text or "srun" not in text or any(name in text for name in LAUNCHERS)


def places(job: Job, nodes: int, cpus: int) -> list[Place]:
    """Such places in the order of the text. `cpus` are what the job has on each of its `nodes`."""
    text = job.run.text or ""
    if not is_shell(job):
        return []
    commands = scan(text).commands
    steps, given = _steps(text, commands), _assignments(commands)
    looked = _Look(job=job, nodes=nodes, cpus=cpus, given=given)
    found = [Place(row=row, start=step.start, end=step.end) for step in steps for row in looked.of_step(step, steps)]
    found += [Place(row=row, start=start, end=end) for row, start, end in looked.of_values(steps)]
    use = _variable(text)
    if use is not None and dict(job.source.variables).get("SLURM_GPUS_PER_TASK"):
        found.append(Place(row="gpu_variable", start=use.start(), end=use.end()))
    return sorted(found, key=lambda place: place.start)


class _Look(Record):
    """The job and what its text assigns: (name, value, start, end)."""

    job: Job
    nodes: int
    cpus: int
    given: list[tuple[str, str, int, int]]

    def of_step(self, step: Step, steps: list[Step]) -> Iterator[str]:
        """The rows that are of one call."""
        layout, options = self.job.layout, step.options
        variables = dict(self.job.source.variables)
        width = layout.cpus_per_task or 1
        inherits = width > 1 and not self._has_width(step)
        tasks = _number(options.get("ntasks"))
        if inherits and tasks and "overcommit" not in options and tasks * width > self.cpus * self.nodes >= tasks:
            yield "step_tasks"
        counts = layout.tasks or {"ntasks", "ntasks-per-node", "overcommit"} & options.keys()
        if inherits and not counts and self.cpus >= 2 * width:
            yield "task_count"
        if inherits and step.behind and (step.again or len(steps) > 1) and not _SHARES & options.keys():
            there = _number(options.get("nodes")) or (self.nodes if (tasks or self.nodes) >= self.nodes else 1)
            here = _number(options.get("ntasks-per-node")) or -(-(tasks or self._tasks(there)) // there)
            if 2 * here * width <= self.cpus:
                yield "steps_at_once"
        if (per_node := variables.get("SLURM_GPUS_PER_NODE")) is not None:
            asked, given = _last_count(options.get("gpus")), _last_count(per_node)
            if "gpus" in options and not (asked and given and asked >= given * self.nodes):
                yield "step_gpus"
            if (options.get("gres") or "").startswith(("gpu", "gres/gpu", "gres:gpu")):
                yield "step_gres"
        on, each = _number(options.get("nodes")), layout.tasks_per_node
        if each and on and layout.tasks and "ntasks" not in options and on < self.nodes and layout.tasks > on * each:
            yield "step_nodes"
        bind = options["gpu-bind"] if "gpu-bind" in options else variables.get("SLURM_GPU_BIND")
        if bind == "none" and layout.gpus_per_task and (tasks or layout.tasks or self.nodes) > 1:
            yield "unbound_gpus"

    def of_values(self, steps: list[Step]) -> Iterator[tuple[str, int, int]]:
        """The rows that are of what is assigned: CPUs of steps that name none."""
        asked = self.job.layout.cpus_per_task
        for name, value, start, end in self.given:
            if all("cpus-per-task" in step.options for step in steps):
                return
            if name == "SRUN_CPUS_PER_TASK" and self._resolved(value) not in (asked, asked or 1):
                yield "step_cpus", start, end
            elif name == "SLURM_CPUS_PER_TASK" and asked and self._resolved(value) != asked:
                yield "job_cpus", start, end

    def _has_width(self, step: Step) -> bool:
        """Whether the step says itself, in all releases or in the old ones, how many CPUs its tasks get."""
        named = "cpus-per-task" in step.options or "SRUN_CPUS_PER_TASK" in step.assigned
        return named or any(name == "SRUN_CPUS_PER_TASK" and start < step.start for name, _, start, _ in self.given)

    def _tasks(self, nodes: int) -> int:
        """Of a step that names no number."""
        layout = self.job.layout
        return layout.tasks or (layout.tasks_per_node or 1) * nodes

    def _resolved(self, value: str, depth: int = 0) -> int | None:
        """The number that a value stands for, None for one that cannot be told."""
        match = _value(value)
        if match is None or depth > _DEEPEST:
            return None
        if match[1]:
            return int(match[1])
        if match[2] == "SLURM_CPUS_PER_TASK":
            # Unset, a default holds, if there is one: then nothing was asked for.
            return self.job.layout.cpus_per_task
        values = [given for name, given, _, _ in self.given if name == match[2]]
        return self._resolved(values[-1], depth + 1) if values else None


def _steps(text: str, commands: list[Command]) -> list[Step]:
    found = []
    for number, command in enumerate(commands):
        words = command.words()
        if not words or "srun" not in words[0][1]:
            continue
        start, name = words[0]
        if name.rpartition("/")[2] != "srun":
            continue
        last = number
        while text[commands[last].end : commands[last].end + 2][:1] == "|" and last + 1 < len(commands):
            if text[commands[last].end : commands[last].end + 2] == "||":
                break
            last += 1
        ending = text[commands[last].end : commands[last].end + 2]
        found.append((start, name, words[1:], ending[:1] == "&" != ending[1:], command))
    in_loops = _in_loops(text, [each[0] for each in found])
    return [
        Step(
            start=start,
            end=start + len(name),
            options=dict(_options([word for _, word in words])),
            behind=behind,
            again=start in in_loops,
            assigned=dict(word.split("=", 1) for _, word in command.parts()[0]),
        )
        for start, name, words, behind, command in found
    ]


def _in_loops(text: str, places: list[int]) -> set[int]:
    """Those of these places that stand in a block behind the first `do`."""
    loop = _loop(text) if places else None
    if loop is None:
        return set()
    from flowc.shell.blocks import enclosed

    return set(enclosed(text, [place for place in places if place >= loop.end()], shell=True))


def _options(words: list[str]) -> Iterator[tuple[str, str | None]]:
    """The options in front of the program, by their long names, with their values; of a flag it is empty."""
    table = OPTIONS["srun"]["always"]
    rest = iter(words)
    for quoted in rest:
        word = quoted.strip("\"'")
        if word[:1] == "$":  # may hold any
            yield from ((name, None) for name in sorted(_SHARES))
            return
        if word[:1] != "-" or word in ("-", "--"):
            return
        long = word[:2] == "--"
        name, equals, value = word[2:].partition("=") if long else (word[1], "", word[2:])
        hits = [entry for entry in table if (entry[2:].startswith(name) if long else entry[0] == name)]
        hits = [entry for entry in hits if entry[2:] == name] or hits
        if not hits:
            continue
        if hits[0][1] == "=" and not (equals or value):
            value = next(rest, "")
        elif hits[0][1] == "." and not long and value:
            yield from _options(["-" + value])
            value = ""
        value = value.strip("\"'")
        yield hits[0][2:], None if "$" in value or "`" in value else value


def _assignments(commands: list[Command]) -> list[tuple[str, str, int, int]]:
    found = []
    for command in commands:
        assigned, words, _ = command.parts()
        if not words or words[0][1] in _SETTERS:
            assigned = assigned + words[1:]
        for start, word in assigned:
            name, equals, value = word.partition("=")
            if equals and name.replace("_", "a").isalnum():
                found.append((name, value, start, start + len(word)))
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _last_count(text: str | None) -> int | None:
    match = _count(text) if text else None
    return int(match[1]) if match is not None else None
