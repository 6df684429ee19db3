"""What becomes of jobs that depend on others: a real slurmctld says it, and what flowc places must be the same."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from typing import Any

import pytest

from flowc.frontends.slurm.values.lists import dependency_items
from flowc.submit.journal import GIVEN_UP, MADE, NEVER, OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from flowc.submit.steps import Carrier
from flowc.tasks.graph.links import linked
from tests.same_as_slurm.cluster import PROGRAMS, Cluster

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")]

# Jobs by name: the exit status of each task, `after` their dependencies; all of these end by themselves.
ROOTS: dict[str, tuple[int, ...]] = {"good": (0,), "bad": (1,), "sweep": (0, 1, 0), "fine": (0, 0, 0)}
# These are ended from outside: by a time limit of a minute, cancelled as they run, cancelled before they start.
LATE, STOPPED, GONE = "late", "stopped", "gone"
OUTSIDE = {LATE: ["-t1"], STOPPED: [], GONE: ["--hold"]}
KINDS = ("after", "afterany", "afterok", "afternotok", "aftercorr", "afterburstbuffer")
WAITS = [
    *(f"{kind}:{name}" for kind in KINDS for name in (*ROOTS, "sweep_0", "sweep_1", "sweep_[0-1]", "fine_*")),
    "afterok:good:bad",
    "afterok:good,afternotok:bad",
    "afterok:bad?afterok:good",
    "afterok:bad?afternotok:good",
    "afterok:good?afterok:bad,afternotok:good",
    *(f"{kind}:{name}" for kind in KINDS for name in OUTSIDE),
    *(f"after:{name}+1" for name in (LATE, GONE)),
    "after:good+1:fine",
]
# Dependents of dependents: of one that can never start, and of one that is cancelled for that.
SECOND = [f"{kind}:{name}" for kind in KINDS[:4] for name in ("stays", "killed")]


def jobs() -> list[tuple[str, str, bool, tuple[int, ...]]]:
    """Name, dependency, whether it is killed where that can never be, and how its tasks end."""
    found = [(name, "", False, ends) for name, ends in ROOTS.items()] + [(name, "", False, (0,)) for name in OUTSIDE]
    found += [("stays", "afterok:bad", False, (0,)), ("killed", "afterok:bad", True, (0,))]
    found += [(f"x{number}", wait, False, (0,)) for number, wait in enumerate(WAITS + SECOND)]
    return [*found, ("corr", "aftercorr:sweep", False, (0, 0, 0, 0)), ("corrfine", "aftercorr:fine", False, (0,) * 4)]


def real() -> dict[str, str]:
    """How the cluster leaves each task."""
    with Cluster() as cluster:
        numbers: dict[str, str] = {}
        for name, wait, kill, ends in jobs():
            ends_itself = f"exit $(echo {' '.join(map(str, ends))} | cut -d' ' -f$((${{SLURM_ARRAY_TASK_ID:-0}} + 1)))"
            told = re.sub(r"[a-z]+(?=[_:,?+]|$)", lambda found: numbers.get(found[0], found[0]), wait)
            argv = ["sbatch", "--parsable", "-p", "shared", "-n1", "--mem=1", "-J", name, "--wrap"]
            argv += ["sleep 300", *OUTSIDE[name]] if name in OUTSIDE else [f"sleep 1; {ends_itself}"]
            argv += [f"--array=0-{len(ends) - 1}"] if len(ends) > 1 else []
            argv += [f"--dependency={told}"] if wait else []
            argv += ["--kill-on-invalid-dep=yes"] if kill else []
            done = cluster.control(*argv, workdir="/w")
            numbers[name] = done.stdout.strip()
            assert numbers[name], (wait, done.stderr)
        cluster.control("scancel", numbers[GONE])
        minutes = [name for name, wait, *_ in jobs() if "+" in wait]
        before, same = "", 0
        while same < 8:  # seconds in which nothing has happened
            time.sleep(1)
            shown = cluster.control("squeue", "-a", "-h", "-r", "-t", "all", "-o", "%j %K %T %r").stdout
            if f"{STOPPED} N/A RUNNING" in shown:
                cluster.control("scancel", numbers[STOPPED])
            moves = "RUNNING" in shown or any(f"{name} N/A PENDING" in shown for name in minutes)
            same, before = (same + 1, shown) if shown == before and not moves else (0, shown)
    states = {"COMPLETED": "completed", "FAILED": "failed", "TIMEOUT": "failed", "CANCELLED": "killed"}
    rows = [line.split() for line in before.splitlines()]
    return {
        f"{name}-{index if index.isdigit() else 0}": states.get(state, "never") if name != STOPPED else state.lower()
        for name, index, state, *_ in rows
    }


class Always:
    """A provider that takes all."""

    name = "fake"

    def create(self, kind: str, body: dict[str, Any], *, key: str) -> Any:
        from flowc.providers.base import Made

        return Made(identity=body["name"], name=body["name"], created_at="", body=body)


def ours() -> dict[str, str]:
    listed, ends, requests = [], {}, []
    for name, wait, kill, statuses in jobs():
        bids = [f"{name}-{index}" for index in range(len(statuses))]
        ends |= {f"{STOPPED}-0": "cancelled", f"{LATE}-0": "failed"}
        ends |= (
            {}
            if name in OUTSIDE
            else {bid: "failed" if status else "completed" for bid, status in zip(bids, statuses, strict=True)}
        )
        items, separator = dependency_items(wait)
        after = [{"kind": kind, "on": on, "minutes": minutes, "any": separator == "?"} for kind, on, minutes in items]
        more = {"indices": list(range(len(statuses)))} if len(statuses) > 1 else {}
        listed.append(
            {"name": name, "bids": bids, "after": after, "max_concurrent": None, "kill_on_invalid_dep": kill, **more}
        )
        requests += [
            {"id": bid, "method": "POST", "path": "/v2/spot/bids", "body": {"name": bid}, "after": []} for bid in bids
        ]
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(folder)
        document = linked({"requests": requests, "jobs": listed}, lambda: journal)
        one = Submission(
            key="key", content="c", name="x", provider="fake", nonce="n", created_at=1.0, state=OPEN, keep=False,
            document=document, resolved={},
        )  # fmt: skip
        journal.begin(one, steps_of(document, one.nonce))
        provider: Any = Always()
        now = time.time()
        carrier = Carrier(journal, provider, now=lambda: now, sleep=time.sleep)
        carrier.give_up(one, [bid.name for bid in journal.bids() if bid.identity == f"{GONE}-0"])
        while journal.submissions(state=OPEN):
            carrier.carry_out(one)
            for bid in journal.bids():
                if bid.state == MADE and bid.ended is None:
                    journal.started(bid.key, bid.number, now)
                    journal.ended(bid.key, bid.number, ends[bid.identity], 0)
                    journal.released(bid.key, bid.number, now)
            now += 20
        words = {NEVER: "never", GIVEN_UP: "killed"}
        found = {bid.identity: bid.ended or words[bid.state] for bid in journal.bids()}
        journal.close()
    return found


def test_what_is_placed_is_what_slurm_starts(program: Callable[[str, str], str]) -> None:
    for name, package in PROGRAMS.items():
        program(name, package)
    theirs, mine = real(), ours()
    waits = {name: wait for name, wait, *_ in jobs()}
    wrong = {
        f"{bid} {waits[bid.rpartition('-')[0]]}": (theirs.get(bid), state)
        for bid, state in mine.items()
        if theirs.get(bid) != state
    }
    assert wrong == {}
    assert len(mine) == len(theirs)
