"""Real launchers and frameworks: the same under a real Slurm and on the machines that flowc would rent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.job import JOBS, FrameworkJob
from tests.same_as_slurm import rented
from tests.same_as_slurm.cluster import Cluster
from tests.same_as_slurm.outcome import Outcome

COMPLETED = [("COMPLETED", 0)]
# A framework that starts Python often takes its time; a run that Slurm starts again comes two minutes later.
HANGS_S = 240


def output(outcome: Outcome) -> str:
    return "".join(sorted(outcome.text(text) for name, text in outcome.files.items() if name.startswith("slurm-")))


def result(job: FrameworkJob, outcome: Outcome) -> str:
    """`as expected`, or what is not."""
    if outcome.tasks != COMPLETED:
        return " ".join(map(str, outcome.tasks[0]))
    lacking = job.lacking(output(outcome))
    return f"lacks {lacking[0]}" if lacking else "as expected"


@pytest.mark.frameworks
@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_same_as_under_slurm(path: Path, cluster: Cluster, table: list[tuple[str, str, str, str]]) -> None:
    job = FrameworkJob(path)
    if absent := job.absent():
        pytest.skip(f"needs the Debian packages {' '.join(absent)}")
    job.install()
    versions = job.versions()
    if job.alone is not None:
        outcome = rented.run(job, hangs=HANGS_S)
        table.append((job.name, versions, job.alone, result(job, outcome)))
        assert result(job, outcome) == "as expected", output(outcome) + outcome.said
        return
    theirs, ours = cluster.run(job, HANGS_S), rented.run(job, hangs=HANGS_S)
    results = result(job, theirs), result(job, ours)
    table.append((job.name, versions, *results))
    shown = f"\nSlurm:\n{output(theirs)}{theirs.said}\nflowc:\n{output(ours)}{ours.said}"
    assert results == ("as expected", "as expected"), shown
    plain = [job.quiet(each).plain(ordered=job.ordered) for each in (theirs, ours)]
    assert plain[1] == plain[0]


def test_jobs_say_what_they_need() -> None:
    assert JOBS
    for path in JOBS:
        job = FrameworkJob(path)
        assert job.packages or job.debian, path
        assert job.expected, path
        assert all("==" in each for each in job.packages), path
