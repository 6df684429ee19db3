"""What of the small Slurm a job may use, read off its text and its options. In doubt more than less: what is missing on
the machine ends the job, what is too much costs some bytes."""

from __future__ import annotations

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
    "rsh": ("agent-rsh",),
    "several_nodes": ("agent",),
}
# A feature on the left needs those on the right.
NEEDS = {
    "several_nodes": "agent pipes chdir",
    "agent": "pipes",
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
    "opt:jobid": "jobid",
    "opt:version": "version",
    "opt:tasks-per-node": "opt:ntasks-per-node",
    "export": "regex opt:export",
    "hostlist": "regex",
    "squeue": "regex",
    "sacct": "regex",
    "sinfo": "regex",
    "requeue": "scontrol",
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
# Variables of the job from which srun takes what is not on its own command line.
INHERITED = {
    "SLURM_DISTRIBUTION": "opt:distribution",
    "SLURM_OVERCOMMIT": "opt:overcommit",
    "SLURM_EXPORT_ENV": "opt:export",
    "SLURM_GPUS_PER_TASK": "gpu",
    "SLURM_NTASKS_PER_GPU": "gpu",
    "SLURM_NTASKS_PER_TRES": "gpu",
    "SLURM_GPU_BIND": "gpu",
    "SLURM_OPEN_MODE": "opt:open-mode",
}
ASKED = ("squeue", "sacct", "sinfo", "scancel")

_calls = at_first_use(
    r"(?<![\w./$-])(srun|scontrol|squeue|sacct|sinfo|scancel|sbatch|salloc|mpirun|mpiexec)(?![\w./=-])", "findall"
)
_comments = at_first_use(r"(?m)^[ \t]*#.*$", "sub")
_continued = at_first_use(r"\\\r?\n", "sub")
_srun_lines = at_first_use(r"(?m)^.*(?<![\w./$-])srun(?![\w./=-]).*$", "findall")
_options = at_first_use(r"(?<![\w-])-{1,2}[A-Za-z][\w-]*", "findall")
_hidden = at_first_use(r"srun[^|;&\n]*?\s[\"']?\$", "search")


def features(job: Job, nodes: int, words: str) -> set[str]:
    """The features for this job; `words` are srun's options as the program writes them (`n=ntasks`)."""
    text = _continued(" ", _comments("", job.run.text or ""))
    called = set(_calls(text))
    found = {name for name in ("srun", "scontrol", *ASKED) if name in called}
    if called & {"sbatch", "salloc"}:
        found.add("sbatch")
    if nodes > 1 and called & {"mpirun", "mpiexec"}:
        found |= {"rsh", "srun"}
    if "srun" in found:
        found |= _of_srun(job, text, words)
        if nodes > 1:
            found.add("several_nodes")
    if "scontrol" in found:
        found |= _of_scontrol(text)
    if nodes > 1 and "scontrol" in found:
        found.add("hostlist")  # node[1-4]
    return found


def _of_srun(job: Job, text: str, words: str) -> set[str]:
    """What the lines with srun ask for; where a variable may hold options, all options of the text count."""
    lines = _srun_lines(text)
    table = words.split()
    long_names = [word[2:] for word in table]
    letters = {word[0]: word[2:] for word in table if word[0] != "-"}
    found: set[str] = set()
    where = text if any(_hidden(line) for line in lines) else "\n".join(lines)
    for option in _options(where):
        if option.startswith("--"):
            found.update(f"opt:{name}" for name in long_names if name.startswith(option[2:]))
        else:
            found.update(f"opt:{letters[letter]}" for letter in option[1:] if letter in letters)
    if any("<" in line or "|" in line.partition("srun")[0] for line in lines):
        found.add("stdin")
    if "umask" in text:
        found.add("umask")
    if found & {"opt:nodelist", "opt:exclude"}:
        found.add("hostlist")
    found |= {INHERITED[name] for name, _ in job.source.variables if name in INHERITED}
    if job.layout.tasks_per_node is not None:
        found.add("opt:ntasks-per-node")
    if job.layout.gpus_per_task is not None:
        found.add("gpu")
    return found


def _of_scontrol(text: str) -> set[str]:
    found = {"hostlist"} if any("[" in line for line in text.splitlines() if "scontrol" in line) else set()
    for word, feature in (("hostlist", "show_hostlist"), ("requeue", "requeue"), ("job", "scontrol_job")):
        if any(word in line.partition("scontrol")[2] for line in text.splitlines() if "scontrol" in line):
            found.add(feature)
    return found
