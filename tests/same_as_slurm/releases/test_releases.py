"""What the job of each release does is what that release did, as record.py has kept it."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from tests.same_as_slurm import rented
from tests.same_as_slurm.compare import differences, loaded
from tests.same_as_slurm.known import NEWER, PARTITION, Row
from tests.same_as_slurm.releases.record import bodies, outcome, recorded, releases
from tests.some import some

GOLDEN = recorded()
BODIES = {body.name: body for body in bodies()}
# A case for each release that changed the outcome of a body.
CASES = [(name, release) for name in BODIES for release in GOLDEN[name]]
# (body and release, difference, why it is meant), as in known.py.
KNOWN: tuple[Row, ...] = (
    NEWER,
    PARTITION,
    (".*", r"env \S+ SLURM_SRUN_COMM_(HOST|PORT) missing", "where a task would reach srun by Slurm's own protocol"),
    (".*", r"env env\.task\S+ SLURM_LAUNCH_NODE_IPADDR missing", "where srun runs, on the one node of a job"),
    (".*", r"env \S+ SLURM_JOB_END_TIME missing", "a job without a limit has no end that is known"),
    ("no-index-digit 24.11", r"file step-[04] (missing|extra)", "24.11 counts no index as 4294967294 for a step too"),
    (
        "most-per-node-uneven 24.11",
        r"file \S+ differs",
        "nodes of fewer tasks have fewer CPUs there; rented ones are alike",
    ),
    (
        "external-launcher 22.05",
        r"tasks|file \S+ differs",
        "an option that only newer Slurm knows is taken under each release",
    ),
    (
        "(step-nodes|node-names) 22.05",
        r"file \S+ differs",
        "a cluster that gives the CPUs that were asked for refuses more tasks; one of whole nodes runs them",
    ),
)
needs_root = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root")


@needs_root
@pytest.mark.parametrize("case", some(CASES, *CASES[::8]), ids=lambda case: "-".join(case))
def test_a_job_does_what_its_release_did(case: tuple[str, str]) -> None:
    name, release = case
    body = BODIES[name]
    ours = loaded(rented.run(body, release).plain(ordered=body.ordered))
    found = [
        (what, theirs, mine)
        for what, theirs, mine in differences(outcome(GOLDEN[name], release), ours)
        if not any(re.fullmatch(row[0], f"{name} {release}") and re.fullmatch(row[1], what) for row in KNOWN)
    ]
    assert found == []


@needs_root
@pytest.mark.parametrize("name", some(sorted(BODIES), *sorted(BODIES)[::8]))
def test_a_job_of_no_release_does_what_the_default_did(name: str) -> None:
    default, named = (rented.compile_body(BODIES[name], release)[0] for release in (None, "22.05"))
    assert [bid.script for bid in default] == [bid.script for bid in named]


def test_releases_that_were_asked_are_those_of_the_issue() -> None:
    assert {"22.05", "23.11", "24.11", "25.11", "26.05"} <= {*releases()}
