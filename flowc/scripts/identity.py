"""Who a job is: `SLURM_JOB_ID` from its submission, without one from its content; the same on every node and after
every reboot."""

from __future__ import annotations

from _bisect import bisect_left  # what `bisect` is made of, without a file more

from flowc.patterns import remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# Slurm's ids are positive and below 2^31; the room above the base is for the tasks of an array (Slurm: at
# most 4,000,000).
BASES = (1 << 31) - (1 << 22)


def job_id(job: Job) -> int:
    """The job's id; of an array, the id of the whole (Slurm's `SLURM_ARRAY_JOB_ID`)."""
    if job.number is not None:
        return job.number
    return _of_content(job.source.sha256, (job.name, *job.run.args))


@remembered(100)  # a script names it many times
def _of_content(sha256: str, words: tuple[str, ...]) -> int:
    from zlib import crc32

    told = "\0".join(words).encode("utf-8", "surrogateescape")
    return 1 + (int(sha256[:8] or "0", 16) ^ crc32(told)) % BASES


def task_id(job: Job, index: int | None) -> int:
    """The id of one task: in an array the tasks are numbered after the array's own id, in order of their
    indices."""
    if index is None or job.array is None:
        return job_id(job)
    return job_id(job) + 1 + bisect_left(job.array.indices, index)
