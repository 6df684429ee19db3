"""The key of a job's agents: one for all of its machines, from whoever looks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowc.providers.base import RUNNING, Machine, Task
from flowc.providers.errors import UnavailableError
from flowc.submit.agents import bring_key, keys_for
from flowc.submit.journal import MADE, Bid, Journal

PATH = "/var/lib/foundry/flowc/key"
HOW = {"to": ["pair"], "nodes": "all", "path": PATH, "key": 64}
BID = Bid(
    key="k", number=0, identity="pair", name="pair-n", provider="fake", keep=False, state=MADE, made="bid_1",
    ended=None, exit_status=None, released_at=None,
)  # fmt: skip


class Files:
    """A provider that has nothing but files: by machine."""

    def __init__(self, **files: bytes) -> None:
        self.files = dict(files)
        self.away: set[str] = set()
        self.written: list[tuple[str, int]] = []

    def read(self, task: Task, machine: Machine, path: str, *, offset: int) -> bytes | None:
        assert (path, offset) == (PATH, 0)
        return self.files.get(machine.identity)

    def write(self, task: Task, machine: Machine, path: str, data: bytes) -> None:
        assert path == PATH
        if machine.identity in self.away:
            raise UnavailableError(f"{machine.identity} is away")
        self.files[machine.identity] = data
        self.written.append((machine.identity, len(data)))


def task(*names: str, wanted: int | None = None) -> Task:
    machines = tuple(Machine(identity=name, state=RUNNING) for name in names)
    return Task(
        identity="bid_1", name="pair-n", state=RUNNING, reason=None, created_at="", ended_at=None, region=None,
        instance_type="", machines_wanted=len(names) if wanted is None else wanted, machines=machines, unit_price=None,
    )  # fmt: skip


def bring(journal: Journal, files: Files, at: Task) -> bool:
    return bring_key(journal, files, BID, at, HOW)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(str(tmp_path / "state"))


def test_it_holds_alone_only_once_all_machines_have_it(journal: Journal) -> None:
    files = Files(a=b"")
    assert not bring(journal, files, task("a", wanted=2))
    key = files.files["a"]
    assert len(key) == 64
    files.away = {"b"}
    with pytest.raises(UnavailableError):
        bring(journal, files, task("a", "b"))
    assert files.files == {"a": key}
    files.away = set()
    assert bring(journal, files, task("a", "b"))
    assert files.files == {"a": key + b"\n", "b": key + b"\n"}
    # Each of them had it before it held alone on any.
    assert files.written == [("a", 64), ("b", 64), ("a", 65), ("b", 65)]
    assert bring(journal, files, task("a", "b"))
    assert len(files.written) == 4


def test_a_machine_that_comes_later_gets_that_of_the_others(journal: Journal) -> None:
    files = Files(a=b"x" * 64 + b"\n", c=b"half")
    assert bring(journal, files, task("c", "a", "b"))
    assert set(files.files.values()) == {b"x" * 64 + b"\n"}
    # That which held it alone still does.
    assert "a" not in dict(files.written)


def test_two_that_look_at_once_bring_one(journal: Journal, tmp_path: Path) -> None:
    files = Files()
    journals = [Journal(str(tmp_path / "state")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda mine: bring(mine, files, task("a", "b", "c")), journals))
    assert len(set(files.files.values())) == 1
    assert len(files.written) == 6


def test_each_bid_has_its_own_and_is_told_apart_by_its_id() -> None:
    document = {"deliver": [{**HOW, "to": ["pair", "other"]}, {"to": ["pair"], "path": "/x", "data": "y"}]}
    (one,), (two,) = keys_for(document, "pair").values(), keys_for(document, "other").values()
    assert one != two
    assert (len(one), one[-1:], keys_for(document, "third")) == (65, b"\n", {})
