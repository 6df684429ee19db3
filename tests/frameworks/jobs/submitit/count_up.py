"""Counts to 5 and waits for the signal; begun again, it goes on from there."""

import os
import time
from pathlib import Path

import submitit
from submitit.core.utils import DelayedSubmission, JobPaths

JOB = os.environ["SLURM_JOB_ID"]


class CountUp:
    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self) -> str:
        if self.start == 0:
            Path("started").touch()
            time.sleep(200)
        here = submitit.JobEnvironment()
        return f"rank {here.global_rank} of {here.num_tasks} on {here.hostname} went on at {self.start}"

    def checkpoint(self) -> DelayedSubmission:
        return DelayedSubmission(CountUp(5))


def submit() -> None:
    Path("jobs").mkdir(exist_ok=True)
    call = DelayedSubmission(CountUp(0))
    call.set_timeout(timeout_min=5, max_num_timeout=1)
    call.dump(JobPaths("jobs", JOB).submitted_pickle)


def result() -> None:
    paths = JobPaths("jobs", JOB, int(os.environ["SLURM_PROCID"]))
    print(submitit.core.utils.pickle_load(paths.result_pickle)[1], flush=True)
