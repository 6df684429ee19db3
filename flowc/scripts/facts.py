"""Variables that the formats other than Slurm promise to a running job, and facts that only the machine knows.

Room is scarce: of what a format sets for every job, one machine gets what the job's own text mentions.
"""

from __future__ import annotations

from flowc.scripts.identity import task_id

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
ON_ONE_NODE = {**FACTS, "rank": "0", "head_ip": FACTS["private_ip"], "ips": FACTS["private_ip"]}

# Variable to fact, by the formats that promise it.
SKYPILOT = {
    "SKYPILOT_NODE_RANK": "rank",
    "SKYPILOT_NODE_IPS": "ips",
    "SKYPILOT_SETUP_NODE_RANK": "rank",
    "SKYPILOT_SETUP_NODE_IPS": "ips",
}
TASK = {
    "HEAD_NODE_IP": "head_ip",
    "HEAD_NODE": "head_ip",
    "NODE_RANK": "rank",
    "MASTER_ADDR": "head_ip",
    "FLOW_NODE_RANK": "rank",
    "FLOW_MAIN_IP": "head_ip",
}
# Programs look for these themselves, so several nodes always get them.
ALWAYS_ON_SEVERAL = ("HEAD_NODE_IP", "NODE_RANK", "NUM_NODES", "GPU_COUNT", "MASTER_ADDR", "MASTER_PORT")
ALWAYS = ("PYTHONUNBUFFERED",)
TASK_FORMATS = ("task-yaml", "foundry-yaml", "command-line")


def format_variables(job: Job, plan: JobPlan | None, index: int | None) -> tuple[Pairs, Pairs]:
    """(NAME, value) known at compile time, and (NAME, word of the script). What the user sets is in neither."""
    nodes = plan.nodes if plan else job.resources.nodes or 1
    gpus = 0
    if plan is not None:
        gpus = plan.gpus_visible if plan.gpus_visible is not None else plan.gpus_per_node
    facts, fixed = {}, {}
    if job.source.frontend == "skypilot":
        facts = SKYPILOT
        fixed = {
            "SKYPILOT_NUM_NODES": str(nodes),
            "SKYPILOT_NUM_GPUS_PER_NODE": str(gpus),
            "SKYPILOT_SETUP_NUM_GPUS_PER_NODE": str(gpus),
            "SKYPILOT_TASK_ID": f"{job.name}-{task_id(job, index)}",
            "SKYPILOT_INTERNAL_JOB_ID": str(task_id(job, index)),
            "SKYPILOT_USER": "root",
            "SKYPILOT_CLUSTER_INFO": cluster_info(job, plan),
            "PYTHONUNBUFFERED": "1",
        }
    elif job.source.frontend in TASK_FORMATS:
        facts = TASK
        fixed = {
            "NUM_NODES": str(nodes),
            "GPU_COUNT": str(gpus),
            "MASTER_PORT": "29500",
            "FLOW_NUM_NODES": str(nodes),
            "FLOW_TASK_ID": str(task_id(job, index)),
            "FLOW_TASK_NAME": job.name,
            "FLOW_WORKSPACE": "/workspace",
            "FLOW_VOLUMES": "/volumes",
        }
    text = mentioned_in(job) if facts else ""
    own = {name for name, _ in (*job.env, *job.env_facts)} | set(job.secrets)

    def wanted(name: str) -> bool:
        return name not in own and (name in text or name in ALWAYS or (nodes > 1 and name in ALWAYS_ON_SEVERAL))

    words = fact_words(nodes)
    static = [(name, value) for name, value in fixed.items() if wanted(name)]
    dynamic = [(name, words[fact]) for name, fact in facts.items() if wanted(name)]
    return static, [*dynamic, *((name, words[fact]) for name, fact in job.env_facts)]


def cluster_info(job: Job, plan: JobPlan | None) -> str:
    """What SkyPilot says of a cluster, as JSON."""
    import json

    region = plan.region if plan else None
    return json.dumps({"cluster_name": job.name, "cloud": "Mithril", "region": region, "zone": None})


def fact_words(nodes: int) -> dict[str, str]:
    return FACTS if nodes > 1 else ON_ONE_NODE


def mentioned_in(job: Job) -> str:
    """All text in which the user may name a variable."""
    run = job.run
    texts = [run.text or "", job.setup or "", *run.argv, *run.args, *(value for _, value in job.env)]
    texts += [file.text or "" for file in job.files]
    return "\n".join(texts + [word for each in job.containers for word in (*each.argv, *each.args)])
