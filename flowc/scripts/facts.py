"""The environment of a job: Slurm's variables, those that the other formats promise, and facts that only the machine
knows.

Room is scarce: of what a format sets for every job, one machine gets what the job's own text mentions, and what
programs look for that come from elsewhere.
"""

from __future__ import annotations

from flowc._compiled.promises import PROGRAMS
from flowc.record import Record
from flowc.scripts.identity import task_id
from flowc.scripts.slurm.environment import batch_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job
    from flowc.ir.plan import JobPlan

Pairs = list[tuple[str, str]]

# What a fact of the IR is as a word of the script.
FACTS = {
    "private_ip": '"$private_ip"',
    "hostname": '"${HOSTNAME%%.*}"',
    "cpus": '"$(nproc)"',
    "memory_bytes": '"$(($(sed "s/[^0-9]//g;q" /proc/meminfo) * 1024))"',
    "rank": '"$node_rank"',
    "head_ip": "\"${node_ips%%$'\\n'*}\"",
    "ips": '"$node_ips"',
}
# What an image starts by itself, quoted for a shell: its entrypoint, and that with its command.
_QUOTED = """{{range .Config.%s}}'{{join (split . "'") "'\\"'\\"'"}}' {{end}}"""
OF_IMAGES = {"entrypoint": ("Entrypoint",), "entrypoint_command": ("Entrypoint", "Cmd")}
ON_ONE_NODE = {**FACTS, "rank": "0", "head_ip": FACTS["private_ip"], "ips": FACTS["private_ip"]}


class Environment(Record):
    """What templates ask for: `environment` are `NAME=VALUE`, what the user set last; `facts` are names with a word of
    the script each. `needs_ip`, `needs_ips`: those words use the address of the machine, or of all."""

    environment: list[str]
    facts: Pairs
    needs_ip: bool
    needs_ips: bool


def environment(job: Job, plan: JobPlan | None, index: int | None, submit_dir: str) -> Environment:
    if job.conventions.commands:
        fixed = _of_slurm(job, plan, index, submit_dir)
        facts = [(name, fact_words(1)[fact]) for name, fact in job.env_facts]
    else:
        fixed, facts = [], []
        if plan is not None and plan.gpus_visible is not None and plan.gpus_visible < plan.gpus_per_node:
            ids = ",".join(map(str, range(plan.gpus_visible)))
            fixed = [] if job.image is not None else [("CUDA_VISIBLE_DEVICES", ids)]
        if job.array is not None and job.array.index_env and index is not None:
            fixed.append((job.array.index_env, str(index)))
        static, facts = format_variables(job, plan, index)
        fixed += static
    if job.environments:
        from flowc.body.modules import CONDA_FUNCTION

        fixed.append(("BASH_FUNC_conda%%", f"() {CONDA_FUNCTION}"))
        fixed.append(("BASH_FUNC_mamba%%", '() { conda "$@"; }'))
    words = fact_words(plan.nodes if plan else 1)
    asked = [words.get(fact, "") for each in job.containers for _, fact in each.env_facts] + [word for _, word in facts]
    return Environment(
        environment=[f"{name}={value}" for name, value in dict([*fixed, *job.env]).items()],
        facts=facts,
        needs_ip=any("private_ip" in word for word in asked),
        needs_ips=any("node_ips" in word for word in asked),
    )


def _of_slurm(job: Job, plan: JobPlan | None, index: int | None, submit_dir: str) -> Pairs:
    if not job.groups:
        return batch_variables(job, plan, index, submit_dir)
    from flowc.scripts.slurm.groups import group_variables

    return group_variables(job, plan, submit_dir)


def format_variables(job: Job, plan: JobPlan | None, index: int | None) -> tuple[Pairs, Pairs]:
    """(NAME, value) known at compile time, and (NAME, word of the script). What the user sets is in neither."""
    nodes = plan.nodes if plan else job.resources.nodes or 1
    text = mentioned_in(job) if job.conventions.variables else ""
    always = PROGRAMS["always"]
    if nodes > 1:
        always += PROGRAMS["nodes"] + PROGRAMS["brought"]
    elif text and _brings_programs(job, text):
        always += PROGRAMS["brought"]
    own = {name for name, _ in (*job.env, *job.env_facts)} | set(job.secrets)
    words, static, dynamic = fact_words(nodes), list[tuple[str, str]](), list[tuple[str, str]]()
    for name, fact in job.conventions.variables:
        if name in own or not (name in text or name in always):
            continue
        if fact in words:
            dynamic.append((name, words[fact]))
        else:
            static.append((name, _known(fact, job, plan, index)))
    return static, [*dynamic, *fact_pairs(job.env_facts, words, job.image or "")]


def _brings_programs(job: Job, text: str) -> bool:
    """Whether programs come with the job that nobody has seen: with its folders, or out of a repository."""
    return "git clone" in text or any(each.kind in ("local", "git") for each in job.mounts)


def _known(fact: str, job: Job, plan: JobPlan | None, index: int | None) -> str:
    """The value of a fact that is known before the machine is."""
    if fact.startswith("="):
        return fact[1:]
    if fact == "nodes":
        return str(plan.nodes if plan else job.resources.nodes or 1)
    if fact == "gpus":
        visible = plan.gpus_visible if plan else 0
        return str(plan.gpus_per_node if plan and visible is None else visible)
    if fact == "job_id":
        return str(task_id(job, index))
    if fact == "task_id":
        return f"{job.name}-{task_id(job, index)}"
    assert fact in ("task_name", "cluster_info"), f"facts: {fact!r} is none"
    return job.name if fact == "task_name" else cluster_info(job, plan)


def cluster_info(job: Job, plan: JobPlan | None) -> str:
    """What SkyPilot says of a cluster, as JSON."""
    import json

    region = plan.region if plan else None
    return json.dumps({"cluster_name": job.name, "cloud": "Mithril", "region": region, "zone": None})


def fact_words(nodes: int) -> dict[str, str]:
    return FACTS if nodes > 1 else ON_ONE_NODE


def fact_pairs(facts: tuple[tuple[str, str], ...], words: dict[str, str], image: str) -> Pairs:
    """The facts of a container as words of the script; `image` is what it runs."""
    return [(name, words[fact] if fact in words else _of_image(fact, image)) for name, fact in facts]


def _of_image(fact: str, image: str) -> str:
    from flowc.shell.quote import sh

    format = "".join(_QUOTED % part for part in OF_IMAGES[fact])
    return f'"$(docker image inspect -f {sh(format)} {sh(image)})"'


def mentioned_in(job: Job) -> str:
    """All text in which the user may name a variable."""
    run = job.run
    texts = [run.text or "", job.setup or "", *run.argv, *run.args, *(value for _, value in job.env)]
    texts += [file.text or "" for file in job.all_files()]
    return "\n".join(texts + [word for each in job.containers for word in (*each.argv, *each.args)])
