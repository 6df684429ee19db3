"""Whose turn it is, of bids that wait for others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowc.submit.journal import GIVEN_UP, OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from flowc.submit.turns import LATER, NEVER, NOW, STUCK, Turns


class Book:
    """A journal with submissions whose bids are as a test says."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(str(folder))
        self.count = 0

    def submission(self, *jobs: dict[str, Any]) -> str:
        """Its key."""
        self.count += 1
        key = f"k{self.count}"
        requests = [
            {"id": bid, "method": "POST", "path": "/v2/spot/bids", "body": {"name": bid}, "after": []}
            for job in jobs
            for bid in job["bids"]
        ]
        document = {"requests": requests, "jobs": list(jobs)}
        one = Submission(
            key=key,
            content=key,
            name="x",
            provider="fake",
            nonce="n",
            created_at=float(self.count),
            state=OPEN,
            keep=False,
            document=document,
            resolved={},
        )
        assert self.journal.begin(one, steps_of(document, "n"), again=True) is None
        return key

    def set(self, key: str, identity: str, how: str) -> None:
        """`placed`, `running`, `gone` (ended, and still paid for), `given up`, `never` or how its job has ended."""
        (bid,) = [each for each in self.journal.bids(key=key) if each.identity == identity]
        if how in (GIVEN_UP, "never"):
            if how == GIVEN_UP:
                self.journal.given_up(key, bid.number, 1000.0)
            else:
                self.journal.never(key, bid.number, "as the test says")
            return
        self.journal.made(key, bid.number, f"bid_{key}_{identity}")
        if how == "running":
            self.journal.started(key, bid.number, 1000.0)
        elif how != "placed":
            self.journal.ended(key, bid.number, "failed" if how == "gone" else how, None)
            if how != "gone":
                self.journal.released(key, bid.number, 1000.0)

    def turns(self, key: str, now: float = 1000.0) -> Turns:
        return Turns(self.journal, key, now=now)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def job(name: str, *bids: str, after: tuple[Any, ...] = (), most: int | None = None, **more: Any) -> Any:
    waits = [each if isinstance(each, dict) else {"kind": each[0], "on": each[1]} for each in after]
    return {"name": name, "bids": list(bids), "after": waits, "max_concurrent": most, **more}


@pytest.mark.parametrize(
    ("living", "turns"),
    [
        ([], [NOW, NOW, LATER]),
        (["placed"], [NOW, LATER]),
        (["placed", "placed"], [LATER]),
        (["failed", "placed"], [NOW]),
        # Its job has ended, and its machine is still paid for.
        (["gone", "placed"], [LATER]),
    ],
)
def test_so_many_at_once(book: Book, living: list[str], turns: list[str]) -> None:
    key = book.submission(job("a", "a0", "a1", "a2", most=2))
    for index, how in enumerate(living):
        book.set(key, f"a{index}", how)
    found = book.turns(key)
    assert [found.of(f"a{index}") for index in range(len(living), 3)] == turns


# Of each state of the job before, the turn of the one behind. As a slurmctld 22.05 does (tests/same_as_slurm).
STATES = ("waiting", "placed", "running", "completed", "failed", "cancelled", GIVEN_UP, "never")
TURNS = {
    "after": (LATER, LATER, NOW, NOW, NOW, NOW, NOW, STUCK),
    "afterany": (LATER, LATER, LATER, NOW, NOW, NOW, NOW, STUCK),
    "afterburstbuffer": (LATER, LATER, LATER, NOW, NOW, NOW, NOW, STUCK),
    "afterok": (LATER, LATER, LATER, NOW, NEVER, NEVER, NEVER, STUCK),
    "aftercorr": (LATER, LATER, LATER, NOW, NEVER, NEVER, NEVER, STUCK),
    "afternotok": (LATER, LATER, LATER, NEVER, NOW, NOW, NOW, STUCK),
}


@pytest.mark.parametrize("kind", TURNS)
@pytest.mark.parametrize("state", STATES)
def test_a_job_behind_another(book: Book, kind: str, state: str) -> None:
    turn = TURNS[kind][STATES.index(state)]
    key = book.submission(job("a", "a"), job("b", "b", after=((kind, "a"),)))
    other = book.submission(job("c", "c", after=({"kind": kind, "on": "a", "before": [[key, "a"]]},)))
    if state != "waiting":
        book.set(key, "a", state)
    assert book.turns(key).of("b") == turn
    assert book.turns(other).of("c") == turn
    assert book.turns(other).may_change() == (turn != LATER)


def test_all_must_hold_and_of_those_with_a_question_mark_one(book: Book) -> None:
    key = book.submission(job("good", "good"), job("bad", "bad"), job("runs", "runs"))
    for name, how in (("good", "completed"), ("bad", "failed"), ("runs", "running")):
        book.set(key, name, how)

    def turn(*names: str, some: tuple[str, ...] = ()) -> str:
        each = [{"kind": "afterok", "on": name, "before": [[key, name]]} for name in (*names, *some)]
        waits = [{**one, "any": one["on"] in some} for one in each]
        return book.turns(book.submission(job("x", "x", after=tuple(waits)))).of("x")

    assert turn("good") == turn(some=("bad", "good")) == NOW
    assert turn("good", "runs") == turn(some=("bad", "runs")) == LATER
    assert turn("bad", "runs") == turn("bad", some=("good",)) == turn(some=("bad",)) == NEVER


def test_an_array_is_judged_when_all_of_it_is_over(book: Book) -> None:
    sweep = job("a", "a0", "a1", "a2", indices=[0, 1, 2])
    behind = [job(kind, kind, after=((kind, "a"),)) for kind in ("after", "afterok", "afternotok", "afterany")]
    key = book.submission(sweep, *behind)
    book.set(key, "a0", "completed")
    book.set(key, "a1", "failed")
    assert [book.turns(key).of(each["name"]) for each in behind] == [LATER] * 4
    book.set(key, "a2", "running")
    assert [book.turns(key).of(each["name"]) for each in behind] == [NOW, LATER, LATER, LATER]
    book.set(key, "a2", "completed")
    assert [book.turns(key).of(each["name"]) for each in behind] == [NOW, NEVER, NOW, NOW]


def test_aftercorr_goes_task_by_task(book: Book) -> None:
    key = book.submission(job("a", "a0", "a1", "a2", indices=[0, 1, 2]))
    waits = {"kind": "aftercorr", "on": "a", "before": [[key, each] for each in ("a0", "a1", "a2")]}
    other = book.submission(
        job("b", "b0", "b1", "b2", "b4", indices=[0, 1, 2, 4], after=({**waits, "indices": [0, 1, 2]},))
    )
    book.set(key, "a0", "completed")
    book.set(key, "a1", "failed")
    assert [book.turns(other).of(each) for each in ("b0", "b1", "b2", "b4")] == [NOW, NEVER, LATER, LATER]
    book.set(key, "a2", "completed")
    # A task without a counterpart waits for the whole array.
    assert [book.turns(other).of(each) for each in ("b2", "b4")] == [NOW, NEVER]


def test_minutes_go_by_after_the_start(book: Book) -> None:
    key = book.submission(job("a", "a"), job("b", "b", after=({"kind": "after", "on": "a", "minutes": 2},)))
    book.set(key, "a", "running")
    assert [book.turns(key, now=now).of("b") for now in (1000.0, 1119.0, 1120.0)] == [LATER, LATER, NOW]
    (bid, _) = book.journal.bids(key=key)
    book.journal.ended(key, bid.number, "completed", 0)
    assert [book.turns(key, now=now).of("b") for now in (1119.0, 1120.0)] == [LATER, NOW]


def test_minutes_go_by_after_one_was_cancelled_that_never_started(book: Book) -> None:
    key = book.submission(job("a", "a"), job("b", "b", after=({"kind": "after", "on": "a", "minutes": 1},)))
    book.set(key, "a", GIVEN_UP)
    assert [book.turns(key, now=now).of("b") for now in (1000.0, 1059.0, 1060.0)] == [LATER, LATER, NOW]


def test_a_singleton_waits_for_those_of_its_name(book: Book) -> None:
    alone = ("singleton", None)
    first, second = (book.submission(job("a", "a", after=(alone,))) for _ in range(2))
    third = book.submission(job("a", "a"), job("b", "b", after=(alone,)))
    assert [book.turns(key).of("a") for key in (first, second, third)] == [NOW, LATER, NOW]
    assert book.turns(third).of("b") == NOW
    book.set(third, "a", "placed")  # a later one that may run, though it never waited
    assert book.turns(first).of("a") == LATER
    book.set(third, "a", "failed")
    book.set(first, "a", "completed")
    assert book.turns(second).of("a") == NOW


def test_one_that_can_never_start_keeps_no_singleton_back(book: Book) -> None:
    first, second = (book.submission(job("a", "a", after=(("singleton", None),))) for _ in range(2))
    book.set(first, "a", "never")
    assert book.turns(second).of("a") == NOW


def test_tasks_of_an_array_are_singletons_together(book: Book) -> None:
    key = book.submission(job("a", "a0", "a1", indices=[0, 1], after=(("singleton", None),)))
    assert [book.turns(key).of(each) for each in ("a0", "a1")] == [NOW, NOW]
    book.set(key, "a0", "placed")
    assert book.turns(key).of("a1") == NOW


def test_jobs_of_one_name_have_room_of_their_own(book: Book) -> None:
    key = book.submission(job("a", "a", most=1), job("a", "a-2", most=1))
    book.set(key, "a", "placed")
    found = book.turns(key)
    assert (found.of("a-2"), found.of("volume:x")) == (NOW, NOW)


def test_of_many_submissions_none_is_passed_over(tmp_path: Path) -> None:
    """A script that calls `flowc sbatch` in a loop makes many, each behind the one before: the first has its turn."""
    book = Book(tmp_path)
    job = {"name": "x", "bids": ["b"], "after": [], "max_concurrent": None}
    keys = [book.submission(job) for _ in range(120)]
    assert [each.key for each in book.journal.submissions(state=OPEN)] == keys[::-1]
