"""Whose turn it is, of bids that wait for others."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.submit.journal import MADE, WAITING, Bid
from flowc.submit.turns import LATER, NEVER, NOW, Turns


def bid(identity: str, *, made: bool = True, ended: str | None = None, released: bool = True) -> Bid:
    return Bid(
        key="k",
        number=0,
        identity=identity,
        name=identity,
        provider="fake",
        keep=False,
        state=MADE if made else WAITING,
        made=identity if made else None,
        ended=ended,
        exit_status=None,
        released_at=1.0 if ended and released else None,
    )


def job(name: str, *bids: str, after: tuple[tuple[str, str | None], ...] = (), most: int | None = None) -> Any:
    return {
        "name": name,
        "bids": list(bids),
        "after": [{"kind": kind, "on": on} for kind, on in after],
        "max_concurrent": most,
    }


@pytest.mark.parametrize(
    ("living", "turns"),
    [
        ([], [NOW, NOW, LATER]),
        ([bid("a0")], [NOW, LATER]),
        ([bid("a0"), bid("a1")], [LATER]),
        ([bid("a0", ended="failed"), bid("a1")], [NOW]),
        # Its job has ended, and its machine is still paid for.
        ([bid("a0", ended="failed", released=False), bid("a1")], [LATER]),
    ],
)
def test_so_many_at_once(living: list[Bid], turns: list[str]) -> None:
    found = Turns({"jobs": [job("a", "a0", "a1", "a2", most=2)]}, living)
    assert [found.of(f"a{index}") for index in range(len(living), 3)] == turns


@pytest.mark.parametrize(
    ("kind", "before", "turn"),
    [
        ("afterok", bid("a", made=False), LATER),
        ("afterok", bid("a"), LATER),
        ("afterok", bid("a", ended="completed"), NOW),
        ("afterok", bid("a", ended="failed"), NEVER),
        ("afterok", bid("a", ended="cancelled"), NEVER),
        ("afterany", bid("a", ended="failed"), NOW),
        ("afterany", bid("a"), LATER),
        ("afternotok", bid("a", ended="failed"), NOW),
        ("afternotok", bid("a", ended="completed"), NEVER),
        ("after", bid("a", made=False), LATER),
        ("after", bid("a"), NOW),
    ],
)
def test_a_job_behind_another(kind: str, before: Bid, turn: str) -> None:
    found = Turns({"jobs": [job("a", "a"), job("b", "b", after=((kind, "a"),))]}, [before])
    assert found.of("b") == turn


def test_jobs_of_elsewhere_are_not_waited_for() -> None:
    assert Turns({"jobs": [job("b", "b", after=(("afterok", "4711"), ("singleton", None)))]}, []).of("b") == NOW


def test_jobs_of_one_name_have_room_of_their_own() -> None:
    found = Turns({"jobs": [job("a", "a", most=1), job("a", "a-2", most=1)]}, [bid("a")])
    assert (found.of("a-2"), found.of("volume:x")) == (NOW, NOW)
