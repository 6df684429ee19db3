"""A few of the sets that `make step-sets` runs: steps that run at once have and wait for the same as under Slurm."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.same_as_slurm.cluster import PROGRAMS
from tests.step_sets.bodies import JOBS, SETS_IN_JOB, make
from tests.step_sets.compare import compared, plain, reason_of, run_flowc, run_slurm

SOME = 4


@pytest.mark.slow
def test_the_same_steps_run_at_once_on_the_same_cpus_and_gpus(program: Callable[[str, str], str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root for namespaces")
    for name, package in {**PROGRAMS, "ip": "iproute2", "unshare": "util-linux"}.items():
        program(name, package)
    jobs = [job for start in range(0, len(JOBS) * SETS_IN_JOB, SETS_IN_JOB) for job in make(SOME, 1, start)]
    report = compared(jobs, run_slurm(jobs), run_flowc(jobs))
    assert not report.lines, "\n".join(report.lines)
    assert report.waited


def test_sets_are_the_same_for_the_same_seed_and_in_each_kind_of_job() -> None:
    jobs = make(len(JOBS) * SETS_IN_JOB, 1)
    assert [job.options for job in jobs] == [job[0] for job in JOBS]
    assert [job.sets for job in make(2 * SETS_IN_JOB, 1)] == [job.sets for job in jobs[:2]]
    assert make(1, 2)[0].sets != {0: jobs[0].sets[0]}


def test_a_difference_is_told() -> None:
    jobs = make(1, 1)
    real = [{0: [{"step": "s0_0", "runs": ["0/0 n1 gpu= cpus=1 of=1 on=n1 tasks=1"], "beside": []}]}]
    ours = [{0: [{"step": "s0_0", "waits": True, "beside": []}]}]
    assert compared(jobs, real, real).equal == 1
    report = compared(jobs, real, ours)
    assert (report.bad, report.lines[0]) == (1, "set 0 (-N1 -n8)")
    assert compared(jobs, real, [{0: []}]).bad == 1


def test_lists_of_nodes_may_be_written_in_two_ways() -> None:
    first, second = ({"runs": [f"0/0 n1 on={nodes} tasks=1"]} for nodes in ("n[1-2,4]", "n1,n2,n4"))
    assert plain(first) == plain(second)


def test_a_known_reason_is_for_what_it_says_alone() -> None:
    refused = {"ended": "1", "said": ["error: Unable to create step for JOB: Invalid generic resource (gres)"]}
    assert reason_of(refused, {"waits": True}, "srun -n1")
    assert not reason_of(refused, {"runs": []}, "srun -n1")
    assert not reason_of({"runs": []}, {"waits": True}, "srun -n1")
