"""The variables of a het job that is one bid: those of its first component, and by name and number those of each."""

from __future__ import annotations

from flowc.ir.groups import each_group
from flowc.scripts.identity import job_id
from flowc.scripts.slurm.environment import FIXED, STEP_GPUS, batch_variables, mpi_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job
    from flowc.ir.plan import JobPlan

# What Slurm 22.05 says of each component by its number alone, and not of the first one for the whole job.
_NUMBERED_ONLY = (
    *("SLURM_CPUS_PER_TASK", "SLURM_NTASKS_PER_NODE", "SLURM_NTASKS_PER_GPU", "SLURM_CPUS_PER_GPU", "SLURM_GPU_BIND"),
    *("SLURM_GPUS", "SLURM_GPUS_PER_NODE", "SLURM_GPUS_PER_SOCKET", "SLURM_GPUS_PER_TASK"),
)
# What it says of each besides what the options set.
_OF_EACH = (
    *("SLURM_JOB_NAME", "SLURM_JOB_NUM_NODES", "SLURM_JOB_CPUS_PER_NODE", "SLURM_TASKS_PER_NODE", "SLURM_NTASKS"),
    *("SLURM_NPROCS", "SLURM_NTASKS_PER_NODE", "SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_CPU", "SLURM_MEM_PER_GPU"),
    "SLURM_MEM_PER_NODE",
)
# What the small srun reads of a component whose nodes have other GPUs than the first one's.
_OF_STEPS = ("SLURM_JOB_GPUS", STEP_GPUS)


def group_variables(job: Job, plan: JobPlan | None, submit_dir: str) -> list[tuple[str, str]]:
    """Names and values, in a fixed order."""
    nodes = plan.nodes if plan else job.resources.nodes or 1
    every = [dict(batch_variables(own, share, None, submit_dir)) for own, share in each_group(job, plan)]
    first, own = every[0], {name for name, _ in FIXED}
    found = [(name, value) for name, value in first.items() if name not in _NUMBERED_ONLY]
    found += mpi_variables(job, nodes)
    words = _words(job)
    for place, variables in enumerate(every):
        options = {name for name, _ in job.groups[place].variables} - own - {"SLURM_HET_SIZE"}
        told = {name: value for name, value in variables.items() if name in _OF_EACH or name in options}
        told["SLURM_JOB_ID"] = str(job_id(job) + place)
        found += [(f"{name}_{word}_GROUP_{place}", value) for word in words for name, value in told.items()]
        found += [
            (f"FLOWC_{name.removeprefix('FLOWC_')}_HET_GROUP_{place}", variables.get(name, ""))
            for name in _OF_STEPS
            if variables.get(name) != first.get(name)
        ]
    return found + [("SLURM_PACK_SIZE", str(len(every)))] * ("PACK_SIZE" in (job.run.text or ""))


def _words(job: Job) -> tuple[str, ...]:
    """Of the older names, which Slurm 22.05 has beside the others, only what the text may read."""
    return ("HET", "PACK") if "PACK_GROUP" in (job.run.text or "") else ("HET",)


def group_lists(job: Job) -> tuple[tuple[str, int], ...]:
    """The names of the lists of nodes, and the lines of the machine's own list that they hold."""
    return tuple(
        (f"SLURM_JOB_NODELIST_{word}_GROUP_{place}", place + 1)
        for word in _words(job)
        for place in range(len(job.groups))
    )
