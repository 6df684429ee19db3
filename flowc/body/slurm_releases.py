"""What the release of Slurm that a job was written for does otherwise than the one whose rules hold where nobody names
one (flowc/data/slurm_releases.yaml). Of a job without a release nothing is loaded."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job


def rules_of(job: Job) -> set[str]:
    """The rules that hold for a job."""
    release = job.source.release
    if release is None:
        return set()
    from flowc._compiled.slurm_releases import RULES

    return {name for name, row in RULES.items() if row["since"] <= release < (row["until"] or "~")}


def holds(rule: str, job: Job) -> bool:
    """Whether one of the rules holds for a job."""
    return job.source.release is not None and rule in rules_of(job)


def features_of(job: Job, wanted: set[str]) -> set[str]:
    """The features of the small Slurm that the job has because of its release, beside those that it has anyway."""
    found = rules_of(job)
    if not found:
        return found
    from flowc._compiled.slurm_releases import RULES

    return {name for name in found if not wanted.isdisjoint(RULES[name]["beside"])}


def answer(job: Job) -> tuple[str, str]:
    """What a program of Slurm says when it is asked for its release: under the default one, and under the job's."""
    from flowc._compiled.slurm_releases import ANSWERS, DEFAULT

    return ANSWERS[DEFAULT], ANSWERS[job.source.release or DEFAULT]
