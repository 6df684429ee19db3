"""The small Slurm that a job's script brings along: templates/slurm/ without what the job's text cannot use.

One program, called under several names: srun, scontrol, squeue, … and `agent`, which runs tasks for the srun of another
node. The program and what is read off texts for it are loaded by the first job that may call it.
"""

from __future__ import annotations

from flowc._compiled.slurm_commands import PROVIDED
from flowc.body.frameworks import behind
from flowc.body.slurm_releases import answer, features_of
from flowc.patterns import at_words, function_at_first_use
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from flowc.ir.job import Job


# How the program marks the containers of steps.
STEP_CONTAINERS = "--label=flowc"
# What a profile brings that knows which images stand for files.
IMAGE_PROGRAM = "/usr/local/bin/flowc-image"
# Where it leaves what the job asked about itself.
END_FILE = "/run/flowc.end"
# How a command of Slurm that is not brought ends: as nothing else does (sysexits.h: what is needed is not there).
ABSENT = 69

# What sets PATH anew on Debian, where a shell reads it.
_login = at_words(
    r"\A#!.*\s(?:-\w*l|--login)|\bbash\s+-\w*l|--login\b|/etc/profile\b", ("#!", "bash", "--login", "/etc/profile")
)
_features = function_at_first_use("flowc.body.slurm_features", "features")


class Tools(Record):
    """What templates ask for. `tools` is the program, None for a job that calls nothing of Slurm; `tool_names` are the
    names under which the job and the script call it, `tool_paths` other folders where the job looks for one of them;
    `stand_ins` are commands of Slurm that are not brought: a program of each name says so, and ends with
    `stand_in_status`. `steps`: the job starts some, and what they say at its end is waited for; `shows_job`: the small
    Slurm tells of the job's files. `agents`: one on each of several nodes starts tasks there, `guarded` against whoever
    else connects to it; `others_prepare`: only after something else. `asks_end`: the job may be ended from inside,
    `asks_requeue`: and be started again; `step_containers`: steps may leave containers; `login`: shells read
    /etc/profile."""

    tools: str | None = None
    tool_names: tuple[str, ...] = ()
    tool_paths: tuple[tuple[str, str], ...] = ()
    steps: bool = False
    shows_job: bool = False
    agents: bool = False
    others_prepare: bool = False
    asks_end: bool = False
    asks_requeue: bool = False
    step_containers: bool = False
    login: bool = False
    stand_ins: tuple[str, ...] = ()
    stand_in_status: int = ABSENT


NO_TOOLS = Tools()


def choose(
    job: Job,
    nodes: int,
    *,
    prepared: bool = False,
    step_gpus: bool = False,
    whole: bool = False,
    spare: bool = True,
    seldom: bool = True,
    guess: bool = True,
    shares: bool = True,
    pmi: bool = True,
) -> Tools:
    """What the job may call. `prepared`: each machine has something to do before tasks can start there. `step_gpus`:
    steps get fewer GPUs than the job has. `whole`: there is room for all that a job could ever call; `guess`: for what
    it may well never call, `seldom`: for what few calls ask for that nobody sees; `spare`: and for what guards the
    machines; `shares`: for one account of the steps that the text starts on different machines; `pmi`: for PMI beside
    PMIx."""
    wanted = _features_for(job, nodes, guess=guess, seldom=seldom)
    if not shares:
        wanted.discard("shared")
    if not pmi:
        wanted = _by_pmix(wanted)
    if not wanted:
        return Tools(stand_ins=_stand_ins(job, nodes, ())) if guess else NO_TOOLS
    from flowc._compiled.slurm_programs import NAMES

    if whole:
        wanted |= _every(job, nodes)
        if "no_pmi" in wanted:
            wanted = wanted - {"no_pmi"} | {"pmi_always"}
    if prepared:
        wanted.add("prepared")
    names_images = job.image_files or (job.setup and IMAGE_PROGRAM in job.setup)
    if names_images and "container" in closed(wanted):
        wanted.add("image_files")
    if step_gpus:
        wanted.add("step_gpus")
    wanted |= features_of(job, closed(wanted))
    if spare and "several_nodes" in wanted:
        wanted |= {"guarded", "shared"}
    names = [name for feature, called in NAMES.items() if feature in wanted for name in called]
    text = program(closed(wanted))
    if job.source.release is not None:
        text = text.replace(*answer(job))
    return Tools(
        tools=text,
        tool_names=tuple(names),
        tool_paths=_paths(wanted),
        steps=spare and "srun" in names,
        shows_job=bool(wanted & {"scontrol_job", "squeue", "sacct"}),
        agents="agent" in names,
        others_prepare="agent" in names and prepared,
        asks_end=END_FILE in text,
        asks_requeue=END_FILE in text and job.retry.requeue is not False,
        step_containers=STEP_CONTAINERS in text,
        login=job.image is None and any(True for _ in _login(job.run.text or "")),
        stand_ins=_stand_ins(job, nodes, names) if guess else (),
    )


# The last job and what it wants, in one value, which threads see whole: each way to write and to send its script asks.
_last: tuple[Job | None, dict[tuple[int, bool, bool], frozenset[str]]] = (None, {})


def _features_for(job: Job, nodes: int, *, guess: bool, seldom: bool) -> set[str]:
    """The features that it wants."""
    global _last
    last, found = _last
    if last is None or not _is_alike(last, job):
        found = {}
        _last = job, found
    key = nodes, guess, seldom
    if key not in found:
        found[key] = frozenset(_features(job, nodes, guess=guess, seldom=seldom))
    return {*found[key]}


def _by_pmix(wanted: set[str]) -> set[str]:
    """Without PMI, where PMIx may be what the job's MPI has: what has PMI then ends where it begins."""
    ways = {"pmi", "pmi_always"}
    if not wanted & ways or not wanted & {"pmix", "pmix_always"}:
        return wanted
    return wanted - ways | {"pmi_by_pmix"} | ({"pmix_always"} if "pmi_always" in wanted else set())


def _is_alike(one: Job, other: Job) -> bool:
    """Whether they are the same job, be it that its text comes to the machine in another way."""
    return one is other or (
        all(value is getattr(other, name) for name, value in vars(one).items() if name != "run")
        and all(value is getattr(other.run, name) for name, value in vars(one.run).items() if name != "delivery")
    )


def _stand_ins(job: Job, nodes: int, names: Collection[str]) -> tuple[str, ...]:
    """The commands that `--with-commands` would bring and did not.

    Many programs look for them on PATH, and do without where they are not: with several tasks that is a part of the
    job in silence, so it must fail. With a single task it is all of the job, and often done by a script that runs
    everywhere: there only what the text names, or a program that is known to look for one, is worth the bytes, and
    `srun` stays away (submitit's AutoExecutor, `command -v srun`). None stands in for `sbatch`: no flag brings a queue,
    and programs that find it (signac-flow, clustermq) submit to it what they would run themselves. The launchers of MPI
    look for none of them on one node.
    """
    text = job.run.text or ""
    if nodes > 1 or max(job.layout.tasks or 1, job.layout.tasks_per_node or 1) > 1:
        wanted: Collection[str] = PROVIDED
    else:
        wanted = [name for name in PROVIDED if name != "srun" and (name in text or behind(text))]
    return tuple(name for name in wanted if name not in names)


# What is as the job and its machines are, whatever the room.
_GIVEN = {
    *("prepared", "step_gpus", "several_nodes", "agent", "guarded", "shared", "relay", "rsh"),
    *("own_hosts", "plain_hosts", "requeue", "no_requeue", "pmi_always", "pmix_always", "image_files", "het_job"),
    *("no_pmi", "pmi_by_pmix"),
}


def _every(job: Job, nodes: int) -> set[str]:
    """All features that go together on so many nodes."""
    from flowc._compiled.slurm_program import LINES
    from flowc._compiled.slurm_releases import RULES
    from flowc.body.slurm_features import TABLE

    marks = {name for line in LINES if line[:6] == "#% if " for name in line[6:].split("|") if name[0] != "!"}
    marks |= {f"opt:{word[2:]}" for word in TABLE}
    several = {"several_nodes", "relay", "rsh"} if nodes > 1 else set()
    return (
        marks - _GIVEN - {*RULES, "released", "unbound"}
        | several
        | {"no_requeue" if job.retry.requeue is False else "requeue"}
    )


def _paths(wanted: set[str]) -> tuple[tuple[str, str], ...]:
    """(folder, program) of the features `path:FOLDER:PROGRAM`."""
    marked = sorted(name.removeprefix("path:") for name in wanted if name.startswith("path:"))
    return tuple((folder, name) for folder, _, name in (each.partition(":") for each in marked))


def closed(wanted: set[str]) -> set[str]:
    """These features and all that they need."""
    from flowc._compiled.slurm_programs import NEEDS

    found: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += NEEDS.get(name, "").split()
    if any(name.startswith("opt:") for name in found):
        found.add("any_option")
    if "hostlist" not in found and found & {"scontrol", "squeue", "sacct", "sinfo", "opt:nodelist", "opt:exclude"}:
        found.add("own_hosts" if "agent" in found else "plain_hosts")
    return found


# Programs by their features: the scripts of one user differ in few.
_made: dict[frozenset[str], str] = {}
_MOST_MADE = 100


def program(have: set[str]) -> str:
    """The program with these features."""
    key = frozenset(have)
    made = _made.get(key)
    if made is None:
        if len(_made) >= _MOST_MADE:
            _made.clear()
        made = _made[key] = _shaken(have)
    return made


def _shaken(have: set[str]) -> str:
    """Blocks may lie in each other; the words of OPTIONS are features too."""
    from flowc._compiled.slurm_program import LINES

    # Without what a user put into its environment, or beside its library.
    lines = ["#!/usr/bin/python3 -IS"]
    left_out = 0  # open blocks from the one on that is left out
    for line in LINES:
        if line[:2] != "#%":
            if not left_out:
                lines.append(line)
        elif line == "#% end":
            left_out -= left_out > 0
        elif left_out or not _wanted(line[6:], have):
            left_out += 1
    place = next((index for index, line in enumerate(lines) if line[:8] == "OPTIONS="), None)
    if place is not None:
        lines[place] = _options(have)
    # A statement with marks inside is in parts; before a closing bracket no comma is needed.
    return "\n".join(lines).replace(",\\\n]", "]").replace(",\\\n}", "}").replace("\\\n", "")


def _wanted(names: str, have: set[str]) -> bool:
    return any((name[1:] not in have) if name[0] == "!" else name in have for name in names.split("|"))


def _options(have: set[str]) -> str:
    from flowc.body.slurm_features import TABLE

    kept = [word for word in TABLE if f"opt:{word[2:]}" in have]
    return f'OPTIONS="{" ".join(kept)}"'
