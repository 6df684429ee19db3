"""Each task tells what submitit makes of Slurm's variables."""

import os
from pathlib import Path

import submitit
from submitit.core.utils import DelayedSubmission, JobPaths, pickle_load

JOB = os.environ["SLURM_JOB_ID"]


class Ranks:
    def __call__(self) -> str:
        here = submitit.JobEnvironment()
        places = f"local rank {here.local_rank} on {here.hostname} of {' '.join(here.hostnames)}"
        return f"rank {here.global_rank} of {here.num_tasks}, {places}"


def submit() -> None:
    Path("jobs").mkdir(exist_ok=True)
    call = DelayedSubmission(Ranks())
    call.set_timeout(timeout_min=5, max_num_timeout=1)
    call.dump(JobPaths("jobs", JOB).submitted_pickle)


def result() -> None:
    print(pickle_load(JobPaths("jobs", JOB, int(os.environ["SLURM_PROCID"])).result_pickle)[1], flush=True)
