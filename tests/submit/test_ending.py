"""How ends of jobs are noted where several processes look at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowc.providers.base import CANCELLED, COMPLETED, Task
from flowc.submit.ending import End, Endings
from flowc.submit.journal import OPEN, Journal, Submission
from flowc.submit.plan import steps_of

REQUEST = {"id": "a", "method": "POST", "path": "/v2/spot/bids", "body": {"name": "a"}, "after": []}
JOB = {"name": "a", "bids": ["a"], "after": [], "max_concurrent": None}


class Gone:
    """A provider whose bid has ended, as it is when another process has seen its job's end."""

    name = "fake"
    keeps_tasks = False


def task(state: str) -> Task:
    return Task(
        identity="bid_1",
        name="a",
        state=state,
        reason=None,
        created_at="",
        ended_at=None,
        region=None,
        instance_type="t",
        machines_wanted=1,
        machines=(),
        unit_price=None,
    )


@pytest.mark.parametrize(("state", "status"), [(COMPLETED, 0), ("failed", 3)])
def test_who_sees_no_more_than_that_the_bid_is_gone_takes_nothing_back(tmp_path: Path, state: str, status: int) -> None:
    document: dict[str, Any] = {"requests": [REQUEST], "jobs": [JOB]}
    first, second = Journal(str(tmp_path)), Journal(str(tmp_path))
    one = Submission(
        key="key", content="c", name="a", provider="fake", nonce="n", created_at=1.0, state=OPEN, keep=False,
        document=document, resolved={},
    )  # fmt: skip
    first.begin(one, steps_of(document, "n"))
    first.made("key", 0, "bid_1")
    (before,) = second.bids()  # it looks, and the other one is quicker
    first.ended("key", 0, state, status)
    first.released("key", 0, 2.0)
    provider: Any = Gone()
    said: list[End] = []
    endings = Endings(second, provider, folder=str(tmp_path), now=lambda: 3.0, tell=lambda bid, end: said.append(end))
    seen, end = endings.look(before, task(CANCELLED))
    assert end == End(state=state, reason=None, exit_status=status)
    assert (seen.state, seen.exit_status, said) == (state, status, [end])
    (after,) = first.bids()
    assert (after.ended, after.exit_status) == (state, status)
