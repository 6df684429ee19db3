"""What of the small Slurm a job may use, read off its text and its options: a superset. What is missing on the machine
ends the job, what is too much costs some bytes."""

from __future__ import annotations

from flowc._compiled.slurm_program import LINES
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# What the program is called for a feature.
NAMES = {
    "srun": ("srun",),
    "scontrol": ("scontrol",),
    "squeue": ("squeue",),
    "sacct": ("sacct",),
    "sinfo": ("sinfo",),
    "scancel": ("scancel",),
    "sbatch": ("sbatch", "salloc"),
    "rsh": ("agent_rsh",),
    "several_nodes": ("agent",),
}
NEEDS = {
    "several_nodes": "agent pipes chdir",
    "agent": "pipes",
    **dict.fromkeys(("opt:ntasks", "opt:nodes", "opt:nodelist", "opt:exclude", "opt:relative"), "choose"),
    **dict.fromkeys(("opt:ntasks-per-node", "opt:cpus-per-task", "opt:distribution"), "choose"),
    "label": "pipes opt:label",
    "output": "pipes regex opt:output opt:error opt:open-mode",
    "stdin": "pipes opt:input",
    "opt:input": "stdin input_one",
    "opt:output": "output",
    "opt:error": "output",
    "opt:label": "label",
    "opt:unbuffered": "pipes",
    "opt:chdir": "chdir",
    "opt:export": "export",
    "opt:multi-prog": "multi_prog",
    "multi_prog": "pipes opt:multi-prog",
    "opt:time": "time",
    "time": "ending",
    "opt:wait": "ending",
    "opt:kill-on-bad-exit": "ending",
    "opt:jobid": "jobid",
    **dict.fromkeys(("opt:container-image", "opt:container-name"), "container"),
    "container": "pipes chdir opt:container-image",
    "opt:version": "version",
    "choose": "opt:ntasks opt:ntasks-per-node",
    "opt:tasks-per-node": "opt:ntasks-per-node",
    "export": "regex opt:export",
    "hostlist": "regex",
    "squeue": "regex",
    "sacct": "regex",
    "sinfo": "regex",
    "requeue": "scontrol",
    "scancel": "ending",
    "relay": "agent opt:nodelist opt:overcommit opt:ntasks opt:nodes",
    "scontrol_job": "scontrol",
    "show_hostlist": "scontrol hostlist",
    "rsh": "agent opt:nodelist opt:overcommit opt:ntasks opt:nodes several_nodes srun",
    "opt:gpus-per-task": "gpu",
    "opt:gpu-bind": "gpu",
    "opt:ntasks-per-gpu": "gpu",
    "opt:gpus": "gpu",
    "opt:gpus-per-node": "gpu",
    "opt:gres": "gpu",
    "gpu": "opt:gpus-per-task opt:gpu-bind opt:ntasks-per-gpu opt:gpus opt:gpus-per-node opt:gres",
}

# srun's options as the program has them: `n=ntasks` takes a value, `l.label` none, `K?…` maybe one; `-` for no letter.
OPTIONS = next(line for line in LINES if line.startswith("OPTIONS=")).removeprefix('OPTIONS="""').removesuffix('"""')
TABLE = OPTIONS.split()
# What users of srun commonly pass: taken when the calls cannot be seen.
COMMON = (
    *("ntasks", "nodes", "nodelist", "ntasks-per-node", "cpus-per-task", "cpu-bind", "mpi", "kill-on-bad-exit"),
    *("export", "label", "output", "error", "unbuffered", "exact", "overlap", "gres", "gpus-per-task", "gpus"),
    *("gpus-per-node", "gpu-bind", "mem", "exclusive", "wait", "hint", "chdir", "job-name", "distribution"),
    *("overcommit", "mem-per-cpu", "time", "partition", "account"),
)
# Variables that srun reads as options, where the text sets them.
VARIABLES = {
    "SLURM_LABELIO": "label",
    "SLURM_UNBUFFEREDIO": "unbuffered",
    "SLURM_KILL_BAD_EXIT": "kill-on-bad-exit",
    "SLURM_EXPORT_ENV": "export",
    "SLURM_STDOUTMODE": "output",
    "SLURM_STDERRMODE": "error",
    "SLURM_STDINMODE": "input",
    "SLURM_WAIT": "wait",
    "SLURM_OVERCOMMIT": "overcommit",
    "SLURM_DISTRIBUTION": "distribution",
    "SLURM_NTASKS": "ntasks",
    "SLURM_NPROCS": "ntasks",
    "SLURM_NTASKS_PER_NODE": "ntasks-per-node",
    "SLURM_NNODES": "nodes",
    "SLURM_GPUS": "gpus",
    "SLURM_GPUS_PER_TASK": "gpus-per-task",
    "SLURM_GPU_BIND": "gpu-bind",
    "SLURM_EXACT": "exact",
    "SLURM_WORKING_DIR": "chdir",
    "SLURM_TIMELIMIT": "time",
    "SRUN_CPUS_PER_TASK": "cpus-per-task",
}
# Variables that the job's own options set, and srun reads.
INHERITED = {
    "SLURM_DISTRIBUTION": "opt:distribution",
    "SLURM_OVERCOMMIT": "opt:overcommit",
    "SLURM_EXPORT_ENV": "opt:export",
    "SLURM_GPUS_PER_TASK": "gpu",
    "SLURM_NTASKS_PER_GPU": "gpu",
    "SLURM_NTASKS_PER_TRES": "gpu",
    "SLURM_GPU_BIND": "gpu",
}
QUERIES = ("squeue", "sacct", "sinfo", "scancel")

_continued = at_first_use(r"\\\r?\n", "sub")
_comment = at_first_use(r"(?m)^[ \t]*#.*$", "sub")
_call = at_first_use(
    r"(?<![\w./$-])(?:/[\w/.-]*/)?"
    r"(srun|scontrol|squeue|sacct|sinfo|scancel|sbatch|salloc|mpirun|orterun|mpiexec(?:\.\w+)?)(?![\w.=/-])",
    "finditer",
)
_piped = at_first_use(r"\|\s*(?:\w+=\S+\s+)*$", "search")
_redirected = at_first_use(r"<(?![\w ]*>)", "search")
_fed = at_first_use(r"done\s*<|\|\s*while\b", "search")
_host_brackets = at_first_use(r"(?:-w|-x|--nodelist|--exclude)\W*\S*[\[/$]", "search")
_holds_options = at_first_use(r"\W*(?:\{?\w*(?:OPT|ARG|FLAG|SRUN|opt|arg|flag|srun)|\{\w+\[|\w+\[)", "match")
_any_option = at_first_use(r"(?<!\S)[\"']?(--?[A-Za-z][\w-]*)", "findall")
_asks_job = at_first_use(r"^\s+(?:-\S+\s+)*(?:show\s+(?:job|node|[\"']?\$)|[\"']?\$)", "search")


def features(job: Job, nodes: int) -> set[str]:
    """The features for this job on so many nodes."""
    text = _comment("", _continued(" ", job.run.text or ""))
    # Calls that are not seen may have any options.
    text += "".join(f"\n{name} $options" for name in job.run.commands)
    found: set[str] = set()
    for line in text.splitlines():
        for call in _call(line):
            name, rest = call[1], line[call.end() :]
            if name == "srun":
                found |= {"srun"} | _options(rest.split(), text)
                if _redirected(rest) or _piped(line[: call.start()]):
                    found.add("stdin")
                if _host_brackets(line):
                    found.add("hostlist")
            elif name == "scontrol":
                found |= _asked(rest)
            elif name in QUERIES:
                found.add(name)
            elif name in ("sbatch", "salloc"):
                found.add("sbatch")
            elif nodes > 1:
                found |= {"rsh", "srun"}  # MPI starts its daemons on the other nodes
    if "srun" in found:
        found |= _of_job(job, text)
        tasks = max(job.layout.tasks or 1, job.layout.tasks_per_node or 1)
        if tasks > 1 or found & {"opt:ntasks", "opt:ntasks-per-node", "opt:cpus-per-task"}:
            found.add("pipes")  # lines of several tasks stay whole
        found |= {"several_nodes"} if nodes > 1 else set()
    if "several_nodes" in found and found & {"requeue", "scancel"}:
        found.add("relay")  # a task on another node may call it
    if job.retry.requeue is False and found & {"requeue", "scontrol_job"}:
        found = found - {"requeue"} | {"scontrol", "no_requeue"}
    if nodes > 1 and "scontrol" in found:
        found.add("hostlist")  # the list of nodes is written node[1-4]
    return found


def _of_job(job: Job, text: str) -> set[str]:
    """What srun takes from elsewhere than its own line."""
    found = {f"opt:{option}" for name, option in VARIABLES.items() if f"{name}=" in text}
    found |= {INHERITED[name] for name, value in job.source.variables if name in INHERITED and value != "ALL"}
    if job.layout.gpus_per_task is not None:
        found.add("gpu")
    if _fed(text):
        found.add("stdin")
    if "umask" in text:
        found.add("umask")
    return found


def _options(words: list[str], text: str) -> set[str]:
    """The options of one call of srun; all of the text's where a variable may hold some."""
    found: set[str] = set()
    place = 0
    while place < len(words):
        word = words[place].strip("\"'`(){}")
        place += 1
        if word.startswith(("$", "\\$")):  # the program itself, or options in a variable
            if _holds_options(word):
                found.update(f"opt:{name}" for name in COMMON)
            for other in _any_option(text):
                found |= _named(other)
            break
        if not word.startswith("-") or word in ("-", "--"):
            break
        hits = _named(word)
        found |= hits
        takes = any(f"opt:{entry[2:]}" in hits and entry[1] == "=" for entry in TABLE)
        if takes and "=" not in word and (word[:2] == "--" or len(word) == 2):
            place += 1
    return found


def _named(word: str) -> set[str]:
    """The options that a word may stand for: a long name or its beginning, letters in one word."""
    name = word.partition("=")[0]
    if name[:2] == "--":
        hits = [entry[2:] for entry in TABLE if entry[2:].startswith(name[2:])]
        return {f"opt:{hit}" for hit in ([name[2:]] if name[2:] in hits else hits)}
    found: set[str] = set()
    for letter in name[1:]:
        entries = [entry for entry in TABLE if entry[0] == letter]
        found.update(f"opt:{entry[2:]}" for entry in entries)
        if not entries or entries[0][1] != ".":
            break
    return found


def _asked(rest: str) -> set[str]:
    """What a call of scontrol asks for."""
    found = {"scontrol"}
    if "show" in rest and "hostlist" in rest:
        found.add("show_hostlist")
    if "[" in rest:
        found.add("hostlist")
    if _asks_job(rest):
        found.add("scontrol_job")
    if "requeue" in rest:
        found.add("requeue")
    return found
