"""The `SLURM_*` variables of a batch step, as far as they are known at compile time (Slurm 22.05, or the release
that the user named).

What only the machine knows (its name, process ids, clock) is set by the template. Variables that repeat the
text of an option come from the frontend (`SourceInfo.variables`).
"""

from __future__ import annotations

from itertools import pairwise

from flowc.body.commands import MPI_SIGNS, launches
from flowc.body.slurm_releases import holds
from flowc.patterns import at_first_use, function_at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Array, Job, Resources
    from flowc.ir.plan import JobPlan

MIB = 1 << 20
_job_id = function_at_first_use("flowc.scripts.identity", "job_id")
_task_id = function_at_first_use("flowc.scripts.identity", "task_id")
# Read by the small srun: how many GPUs of a node a step gets by itself.
STEP_GPUS = "FLOWC_STEP_GPUS"
# Launchers of MPICH and Intel MPI that are told to take SSH, which the machines of a job lack.
_by_ssh = at_first_use(
    r"\b(?:(?:I_MPI_)?HYDRA_BOOTSTRAP|HYDRA_LAUNCHER)=[\"']?[rs]sh\b|-(?:bootstrap|launcher)[ =][rs]sh\b",
    "search",
)


def batch_variables(job: Job, plan: JobPlan | None, index: int | None, submit_dir: str) -> list[tuple[str, str]]:
    """Names and values, in a fixed order. `index` is the array index of this task."""
    number, nodes = str(_task_id(job, index)), plan.nodes if plan else job.resources.nodes or 1
    cpus = cpus_per_node(job, plan)
    found = [
        ("SLURM_JOB_ID", number),
        ("SLURM_JOBID", number),
        ("SLURM_JOB_NAME", job.name),
        ("SLURM_JOB_NUM_NODES", str(nodes)),
        ("SLURM_NNODES", str(nodes)),
        ("SLURM_JOB_CPUS_PER_NODE", repeated([cpus] * nodes)),
        ("SLURM_CPUS_ON_NODE", str(cpus)),
        ("SLURM_TASKS_PER_NODE", repeated(tasks_per_node(job, nodes, cpus))),
        ("SLURM_SUBMIT_DIR", submit_dir),
        *FIXED,
    ]
    layout = job.layout
    if layout.tasks is not None:
        found += [("SLURM_NTASKS", str(layout.tasks)), ("SLURM_NPROCS", str(layout.tasks))]
    if layout.tasks_per_node is not None:
        found.append(("SLURM_NTASKS_PER_NODE", str(layout.tasks_per_node)))
    if layout.cpus_per_task is not None:
        found.append(("SLURM_CPUS_PER_TASK", str(layout.cpus_per_task)))
    found += memory_variables(job.resources)
    found += gpu_variables(job, plan)
    if job.array is not None and index is not None:
        found += array_variables(job.array, _job_id(job), index)
    found += job.source.variables
    if holds("numbered", job):
        found.append(("SLURM_JOB_SLUID", f"s{int(number):013X}"))
    return mpi_variables(job, nodes) + found


FIXED = (
    ("SLURM_CLUSTER_NAME", "flowc"),
    ("SLURM_JOB_USER", "root"),
    ("SLURM_JOB_UID", "0"),
    ("SLURM_JOB_GID", "0"),
    ("SLURM_NODEID", "0"),
    ("SLURM_PROCID", "0"),
    ("SLURM_LOCALID", "0"),
    ("SLURM_GTIDS", "0"),
    ("ENVIRONMENT", "BATCH"),
)


def cpus_per_node(job: Job, plan: JobPlan | None) -> int:
    """The CPUs that Slurm would give the job on a node: all when exclusive, else what its tasks and GPUs ask
    for."""
    layout, resources = job.layout, job.resources
    if resources.exclusive and plan and plan.cpus_per_node:
        return plan.cpus_per_node
    nodes = plan.nodes if plan else resources.nodes or 1
    here = layout.tasks_per_node or -(-(layout.tasks or nodes) // nodes)
    if layout.tasks is not None and holds("cpus_of_tasks", job):
        here = tasks_per_node(job, nodes, 0)[0]
    if any(name == "SLURM_OVERCOMMIT" for name, _ in job.source.variables):
        here = 1
    by_gpus = (resources.cpus_per_gpu or 0) * gpus_per_node(job, plan)
    return max(here * (layout.cpus_per_task or 1), by_gpus, resources.cpus_per_node or 0)


def gpus_per_node(job: Job, plan: JobPlan | None) -> int:
    """The GPUs that the job may use on each node: as many as it asked for, all when it has the machine to itself."""
    asked = job.resources.gpus_per_node
    if asked is None and job.layout.gpus_total is None and job.layout.gpus_per_task is None:
        return plan.gpus_per_node if plan and job.resources.exclusive else 0
    if plan is None:
        return asked or 0
    return plan.gpus_per_node if plan.gpus_visible is None else plan.gpus_visible


def step_gpus(job: Job, plan: JobPlan | None) -> int | None:
    """The GPUs that a step gets on each node unless it asks for others: as many as the job asked for, where the job
    has the machine to itself and sees more; else None."""
    if plan is None or not job.resources.exclusive:
        return None
    asked = job.resources.gpus_per_node
    if asked is None:
        total = job.layout.gpus_total
        asked = 0 if total is None else -(-total // plan.nodes)
    return asked if asked < plan.gpus_per_node else None


def tasks_per_node(job: Job, nodes: int, cpus: int) -> list[int]:
    """The first nodes get one more where the tasks do not divide. Without any word about tasks Slurm counts CPUs."""
    layout = job.layout
    if layout.tasks is None:
        return [max(1, cpus // (layout.cpus_per_task or 1))] * nodes
    if layout.tasks_per_node and layout.tasks != layout.tasks_per_node * nodes and not holds("most_per_node", job):
        return [layout.tasks_per_node] * nodes
    each, more = divmod(layout.tasks, nodes)
    return [each + (node < more) for node in range(nodes)]


def repeated(counts: list[int]) -> str:
    """Slurm's short form of numbers per node: `4(x2),1`."""
    runs: list[list[int]] = []
    for count in counts:
        if runs and runs[-1][0] == count:
            runs[-1][1] += 1
        else:
            runs.append([count, 1])
    return ",".join(f"{count}(x{times})" if times > 1 else str(count) for count, times in runs)


def memory_variables(resources: Resources) -> list[tuple[str, str]]:
    """In MiB, the one that was asked for."""
    sizes = (
        ("SLURM_MEM_PER_CPU", resources.memory_bytes_per_cpu),
        ("SLURM_MEM_PER_GPU", resources.memory_bytes_per_gpu),
        ("SLURM_MEM_PER_NODE", resources.memory_bytes_per_node),
    )
    return [(name, str(size // MIB)) for name, size in sizes if size][:1]


def gpu_variables(job: Job, plan: JobPlan | None) -> list[tuple[str, str]]:
    count = gpus_per_node(job, plan)
    if not count:
        return []
    ids = ",".join(map(str, range(count)))
    return [
        ("SLURM_GPUS_ON_NODE", str(count)),
        ("SLURM_JOB_GPUS", ids),
        ("CUDA_VISIBLE_DEVICES", ids),
        *([(STEP_GPUS, str(share))] if (share := step_gpus(job, plan)) is not None else []),
    ]


def mpi_variables(job: Job, nodes: int) -> list[tuple[str, str]]:
    """What lets launchers of MPI run as root, which a job is here, and reach other machines where they would by SSH."""
    text = job.run.text or ""
    if not (job.run.commands or any(sign in text for sign in MPI_SIGNS)) or not launches(job):
        return []
    names = [f"OMPI_ALLOW_RUN_AS_ROOT{end}" for end in ("", "_CONFIRM")]
    found = [(name, "1") for name in names]
    if nodes > 1:
        found += [(name, "agent_rsh") for name in ("OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent")]
        if _by_ssh(text):
            found += [(name, "agent_rsh") for name in ("HYDRA_LAUNCHER_EXEC", "I_MPI_HYDRA_BOOTSTRAP_EXEC")]
    return found


def array_variables(array: Array, master: int, index: int) -> list[tuple[str, str]]:
    indices = array.indices
    return [
        ("SLURM_ARRAY_JOB_ID", str(master)),
        ("SLURM_ARRAY_TASK_ID", str(index)),
        ("SLURM_ARRAY_TASK_COUNT", str(len(indices))),
        ("SLURM_ARRAY_TASK_MIN", str(indices[0])),
        ("SLURM_ARRAY_TASK_MAX", str(indices[-1])),
        ("SLURM_ARRAY_TASK_STEP", str(_step(indices))),
    ]


_last: tuple[tuple[int, ...], int] = ((), 1)


def _step(indices: tuple[int, ...]) -> int:
    """How far each of these is from the one before; 1 where that differs. Asked for by each task of an array, of the
    same."""
    global _last
    known, step = _last
    if known is not indices:
        steps = {after - before for before, after in pairwise(indices)}
        step = steps.pop() if len(steps) == 1 else 1
        _last = indices, step
    return step
