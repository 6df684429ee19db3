"""Some hundred of the runs of `make faults`, and that they would notice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from flowc.submit import steps
from flowc.submit.journal import Journal
from tests.faults.__main__ import table
from tests.faults.judge import Verdict
from tests.faults.plans import HERE, REAL, ROWS, TROUBLES, Cut, Plan, draw
from tests.faults.power import Disk
from tests.faults.runs import count_moments, play
from tests.faults.shapes import SHAPES, Shape
from tests.some import some

# Processes that are cut close nothing.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

COUNT = 2000
# Of so many plans one is run here: those within this process cost little.
ONE_OF, ONE_REAL_OF, PARTS = 6, 80, 24


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    return count_moments(tmp_path_factory.mktemp("undisturbed"))


_disks: list[Disk] = []


def _disk() -> Disk:
    if not _disks:
        _disks.append(Disk())
    return _disks[0]


def shape(name: str) -> Shape:
    (found,) = [each for each in SHAPES if each.name == name]
    return found


def run(plans: list[Plan], folder: Path) -> list[Verdict]:
    found = []
    for plan in plans:
        place = folder / str(plan.number)
        place.mkdir()
        verdict = play(plan, place, None if plan.real else _disk())
        assert not verdict.wrong, "\n".join([str(plan), *verdict.why])
        found.append(verdict)
    return found


@pytest.mark.parametrize("part", some(range(PARTS), 0))
def test_each_once_whatever_is_cut(moments: dict[str, int], tmp_path: Path, part: int) -> None:
    plans = [each for each in draw(COUNT, moments) if not each.real][part :: PARTS * ONE_OF]
    print(table(run(plans, tmp_path)))


@pytest.mark.slow
def test_each_once_whichever_process_is_killed(moments: dict[str, int], tmp_path: Path) -> None:
    plans = [each for each in draw(COUNT, moments) if each.real][::ONE_REAL_OF]
    print(table(run(plans, tmp_path)))


def test_all_moments_and_all_troubles_are_among_the_plans(moments: dict[str, int]) -> None:
    plans = draw(COUNT, moments)
    assert len(plans) == COUNT
    first = {(each.row, each.shape.name, each.cuts[0].moment) for each in plans if each.row in (*HERE, *REAL)}
    assert first == {
        (row, name, moment) for row in (*HERE, *REAL) for name, most in moments.items() for moment in range(1, most + 1)
    }
    assert {each.row for each in plans} == set(ROWS)
    assert set(TROUBLES) <= set(ROWS)


def test_a_bid_that_took_all_of_the_quota_is_found_by_the_same_command(moments: dict[str, int], tmp_path: Path) -> None:
    """The provider has no room for it any more: it is not to be asked."""
    many = shape("all of the quota")
    last_call = Cut("exception", moments[many.name] - 4)
    run([Plan(0, "exception", many, cuts=(last_call,), resume=False)], tmp_path)


WAITING = ("array of 6, two at once", "one job after another", "graph of four, one fails")


@pytest.mark.parametrize("name", some(WAITING, "one job after another"))
def test_who_was_cut_while_it_looked_after_others_leaves_nobody_waiting(tmp_path: Path, name: str) -> None:
    """It has noted that a task has ended, and has not placed the next one; or has placed the last, and not said so."""
    never = Cut("exception", 10**6)
    plans = [Plan(at, "exception", shape(name), cuts=(never, Cut("exception", at))) for at in range(9, 22)]
    run(plans, tmp_path)


# What must be noticed.


@contextlib.contextmanager
def blind() -> Iterator[None]:
    """A bid whose reply did not come is sent again, as by clients that repeat whatever fails."""
    with (
        mock.patch.object(steps.Carrier, "_look", return_value=None),
        mock.patch.object(steps.Carrier, "_oldest", return_value=None),
    ):
        yield


@contextlib.contextmanager
def not_durable() -> Iterator[None]:
    """The journal is left in memory until somebody cares."""
    init = Journal.__init__

    def quick(self: Journal, folder: str) -> None:
        init(self, folder)
        self._base.execute("PRAGMA synchronous=NORMAL")

    with mock.patch.object(Journal, "__init__", quick):
        yield


@contextlib.contextmanager
def not_said_before() -> Iterator[None]:
    """The journal learns of a step when it is done."""
    with mock.patch.object(Journal, "sent", return_value=None):
        yield


POST = "POST /v2/spot/bids"
DROPPED = {"kind": "drop after", "on": POST}


def test_a_second_bid_is_noticed(tmp_path: Path) -> None:
    plan = Plan(0, "dropped after", shape("one bid"), faults=[DROPPED])
    with blind():
        assert play(plan, tmp_path, _disk()).double == 1


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [not_durable, not_said_before])
def test_what_the_journal_does_not_know_is_noticed(
    moments: dict[str, int], tmp_path: Path, wrong: type[contextlib.AbstractContextManager[None]]
) -> None:
    volumes = shape("volumes to be made")
    found = []
    for moment in range(moments[volumes.name] - 14, moments[volumes.name]):
        place = tmp_path / str(moment)
        place.mkdir()
        with wrong():
            found.append(play(Plan(moment, "power", volumes, cuts=(Cut("power", moment),)), place, _disk()))
    assert any(each.double or each.orphans or each.lost for each in found)
