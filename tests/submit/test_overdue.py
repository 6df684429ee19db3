"""Jobs that outlive their limit: when somebody who looks from outside may say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowc.providers.base import PENDING, RUNNING, Machine, Task
from flowc.providers.errors import UnavailableError
from flowc.submit import watch
from flowc.submit.overdue import GRACE_S, PREPARATION_S, Seen, is_overdue, look

LIMIT_S = 600.0


class Says:
    """A provider whose machine has this status; None: it cannot be reached."""

    def __init__(self, status: dict[str, object] | None) -> None:
        self.status = status

    def read(self, task: Task, machine: Machine, path: str, *, offset: int) -> bytes | None:
        if self.status is None:
            raise UnavailableError("no route")
        return json.dumps(self.status).encode() if self.status else b""


def task(state: str = RUNNING) -> Task:
    return Task(
        identity="bid_1",
        name="job",
        state=state,
        reason=None,
        created_at="",
        ended_at=None,
        region=None,
        instance_type="t",
        machines_wanted=1,
        machines=(Machine(identity="m", state="running"),),
        unit_price=None,
    )


def seen(status: dict[str, object] | None, before: Seen | None, now: float, state: str = RUNNING) -> Seen | None:
    return look(Says(status), task(state), before, now=now)  # type: ignore[arg-type]


def late(found: Seen | None, now: float) -> bool:
    assert found is not None
    return is_overdue(found, LIMIT_S, now=now, grace_s=GRACE_S)


def test_a_job_that_moves_is_judged_by_its_own_clock() -> None:
    """Preempted for an hour in between: its limit has not gone on."""
    first = seen({"state": "RUNNING", "used_s": 10}, None, 1000)
    second = seen({"state": "RUNNING", "used_s": 15}, first, 5000)
    assert second == Seen(used_s=15.0, at=5000)
    assert not late(second, 5000 + LIMIT_S - 15 + GRACE_S)
    assert late(second, 5001 + LIMIT_S - 15 + GRACE_S)


def test_a_job_that_stands_still_is_judged_by_ours() -> None:
    status = {"state": "RUNNING", "used_s": 595}
    first = seen(status, None, 1000)
    again = seen(status, first, 1300)
    assert again == first
    assert not late(again, 1300)
    assert late(seen(None, first, 1306), 1306)


@pytest.mark.parametrize("status", [None, {}], ids=["not reached", "not begun"])
def test_one_that_has_not_begun_has_time_to_prepare(status: dict[str, object] | None) -> None:
    first = seen(status, None, 1000)
    assert not late(first, 1000 + LIMIT_S + GRACE_S + PREPARATION_S)
    assert late(first, 1001 + LIMIT_S + GRACE_S + PREPARATION_S)


def test_without_machines_no_time_is_used() -> None:
    assert seen(None, Seen(used_s=1.0, at=0.0), 1000, PENDING) is None


def test_what_was_seen_outlives_the_watcher(tmp_path: Path) -> None:
    found = {"a": Seen(used_s=None, at=1.5), "b": Seen(used_s=2.0, at=3.0)}
    watch.save(str(tmp_path), found)
    assert watch.load(str(tmp_path)) == found
    for broken in ("", "{", "[]", '{"a": 3}'):
        (tmp_path / "watch.json").write_text(broken)
        assert watch.load(str(tmp_path)) == {}


def test_one_watcher_at_a_time_is_known_to_all(tmp_path: Path) -> None:
    folder = str(tmp_path / "new")
    assert watch.watcher(folder) is None
    with watch.alone(folder) as first, watch.alone(folder) as second:
        assert (first, second) == (True, False)
        assert watch.watcher(folder)
    assert watch.watcher(folder) is None
