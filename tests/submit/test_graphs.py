"""Graphs of jobs, generated: whatever is cut, and whoever goes on, what is placed is what a model of Slurm starts."""

from __future__ import annotations

import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowc.submit.journal import GIVEN_UP, MADE, NEVER, OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from flowc.submit.steps import Carrier, InterruptedSubmissionError

sys.path.insert(0, str(Path(__file__).parent))

from worlds import FAULTS, Crash, World

KINDS = ("after", "afterany", "afterok", "afternotok", "afterburstbuffer")


@dataclass(frozen=True)
class Job:
    """`waits` are kinds and numbers of jobs before it; `some`: one is enough; `end` is how it ends where it runs."""

    waits: tuple[tuple[str, int], ...]
    some: bool
    kill: bool
    end: str


@st.composite
def graphs(draw: st.DrawFn) -> list[Job]:
    count = draw(st.integers(2, 7))
    found = []
    for number in range(count):
        waits: Any = ()
        if number:
            one = st.tuples(st.sampled_from(KINDS), st.integers(0, number - 1))
            waits = tuple(draw(st.lists(one, max_size=3)))
        end = draw(st.sampled_from(("completed", "completed", "failed", "cancelled")))
        found.append(Job(waits, draw(st.booleans()), draw(st.booleans()), end))
    return found


def model(jobs: list[Job]) -> list[str]:
    """How Slurm leaves each: as it ended, `pending` for ever, or `killed`. By waves: what can start runs to its end."""
    states = ["waiting"] * len(jobs)

    def holds(kind: str, state: str) -> bool | None:
        if state in ("waiting", "pending"):
            return None
        if kind == "afterok":
            return state == "completed"
        if kind == "afternotok":
            return state != "completed"
        return True

    moved = True
    while moved:
        moved = False
        for number, job in enumerate(jobs):
            if states[number] != "waiting":
                continue
            each = [holds(kind, states[on]) for kind, on in job.waits]
            good = any(each) if job.some and each else all(each)
            bad = (each and all(one is False for one in each)) if job.some else False in each
            if good or bad:
                states[number] = job.end if good else "killed" if job.kill else "pending"
                moved = True
    return ["pending" if state == "waiting" else state for state in states]


def document(jobs: list[Job], order: list[int]) -> dict[str, Any]:
    """With its jobs in another order than they wait."""
    requests, listed = [], []
    for number in order:
        name = f"j{number}"
        body = {"project": "p", "name": name, "launch_specification": {"startup_script": ""}}
        requests.append({"id": name, "method": "POST", "path": "/v2/spot/bids", "body": body, "after": []})
        listed.append(job(jobs[number], name))
    return {"requests": requests, "jobs": listed}


def job(one: Job, name: str) -> dict[str, Any]:
    after = [
        {"kind": kind, "on": f"j{on}", "before": [["", f"j{on}"]], **({"any": True} if one.some else {})}
        for kind, on in one.waits
    ]
    return {"name": name, "bids": [name], "after": after, "max_concurrent": None, "kill_on_invalid_dep": one.kill}


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(graphs(), st.randoms(use_true_random=False), st.lists(st.sampled_from(FAULTS), max_size=10))
def test_what_is_placed_is_what_slurm_starts(jobs: list[Job], chance: Any, faults: list[str]) -> None:
    order = list(range(len(jobs)))
    chance.shuffle(order)
    whole, world = document(jobs, order), World(tuple(faults))
    with tempfile.TemporaryDirectory() as folder:
        one = Submission(
            key="key", content="c", name="x", provider="fake", nonce="nonce123", created_at=1.0, state=OPEN,
            keep=False, document=whole, resolved={},
        )  # fmt: skip
        journal = Journal(folder)
        journal.begin(one, steps_of(whole, one.nonce))
        journal.close()
        for _ in range(6 * len(jobs) + len(faults)):
            journal = Journal(folder)  # another process each time
            try:
                for left in journal.submissions(state=OPEN):
                    Carrier(journal, world, now=world.now, sleep=world.sleep).carry_out(left)
            except (Crash, InterruptedSubmissionError):
                world.sleep(1)
            running = [bid for bid in journal.bids() if bid.state == MADE and bid.ended is None]
            if running:  # one of them goes on to its end, and is seen to
                bid = chance.choice(running)
                journal.started(bid.key, bid.number, world.now())
                journal.ended(bid.key, bid.number, jobs[int(bid.identity[1:])].end, 0)
                journal.released(bid.key, bid.number, world.now())
            journal.close()
        journal = Journal(folder)
        states = {NEVER: "pending", GIVEN_UP: "killed"}
        found = {bid.identity: bid.ended or states.get(bid.state, bid.state) for bid in journal.bids()}
        assert journal.submissions(state=OPEN) == []
        journal.close()
    assert [found[f"j{number}"] for number in range(len(jobs))] == model(jobs)
    placed = [each.name for each in (*world.alive["bid"], *world.over)]
    wanted = sum(state not in ("killed", "pending") for state in model(jobs))
    assert len(set(placed)) == wanted


def test_one_that_is_given_up_hears_of_all_that_it_waits_for() -> None:
    """What one of them can never be is known before the other one has ended."""
    done, never = Job((), False, False, "completed"), Job((("afternotok", 0),), False, False, "completed")
    both = Job((("after", 2), ("afternotok", 1)), False, True, "completed")
    for seed in range(20):
        play = test_what_is_placed_is_what_slurm_starts.hypothesis.inner_test  # type: ignore[attr-defined]
        play([done, done, never, both], random.Random(seed), [])
