"""A journal that flowc of version 1 has left: its jobs go on, and wait for each other as they did."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from flowc.submit.journal import Journal, JournalError
from flowc.submit.store.schema import VERSION
from flowc.submit.turns import LATER, NOW, Turns

# As it was written.
FIRST = """
CREATE TABLE submissions (key TEXT PRIMARY KEY, content TEXT NOT NULL, name TEXT NOT NULL, provider TEXT NOT NULL,
    nonce TEXT NOT NULL, created_at REAL NOT NULL, state TEXT NOT NULL, keep INTEGER NOT NULL, document TEXT NOT NULL,
    resolved TEXT NOT NULL);
CREATE INDEX by_content ON submissions (content);
CREATE TABLE steps (key TEXT NOT NULL REFERENCES submissions (key), number INTEGER NOT NULL, identity TEXT NOT NULL,
    kind TEXT NOT NULL, action TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, after TEXT NOT NULL, unless TEXT,
    target TEXT, state TEXT NOT NULL, sent_at REAL, made TEXT, error TEXT, ended TEXT, exit_status INTEGER,
    released_at REAL, PRIMARY KEY (key, number));
CREATE INDEX by_made ON steps (made);
PRAGMA user_version=1;
"""


def job(name: str, *bids: str, after: tuple[str, ...] = (), most: int | None = None) -> dict[str, Any]:
    waits = [{"kind": "afterok", "on": each} for each in after]
    return {"name": name, "bids": list(bids), "after": waits, "max_concurrent": most, "hours_bound": "1"}


JOBS = [job("a", "a"), job("b", "b", after=("a",)), job("s", "s-0", "s-1", most=1), job("c", "c", after=("4711",))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base = sqlite3.connect(tmp_path / "journal.sqlite")
    base.executescript(FIRST)
    document = json.dumps({"format": "flowc.mithril/1", "requests": [], "jobs": JOBS})
    base.execute("INSERT INTO submissions VALUES ('k', 'c', 'x', 'fake', 'n', 1.0, 'open', 0, ?, '{}')", (document,))
    for number, identity in enumerate(bid for each in JOBS for bid in each["bids"]):
        base.execute(
            "INSERT INTO steps (key, number, identity, kind, action, name, body, after, state, made)"
            " VALUES ('k', ?, ?, 'bid', 'create', ?, '{}', '[]', ?, ?)",
            (number, identity, f"{identity}-n", "waiting" if number else "made", None if number else "bid_1"),
        )
    base.commit()
    base.close()
    return tmp_path


def test_its_jobs_wait_as_they_did(folder: Path) -> None:
    journal = Journal(str(folder))
    assert [each.name for each in journal.jobs(key="k")] == ["a", "b", "s", "c"]
    turns = Turns(journal, "k", now=0.0)
    assert [turns.of(each) for each in ("b", "s-0", "s-1", "c")] == [LATER, NOW, LATER, NOW]
    journal.ended("k", 0, "completed", 0)
    assert Turns(journal, "k", now=0.0).of("b") == NOW
    assert [each.started_at for each in journal.entries("k")] == [None] * 5
    journal.close()
    assert [each.name for each in Journal(str(folder)).jobs()] == ["a", "b", "s", "c"]  # once is enough


def test_several_processes_may_come_first(folder: Path) -> None:
    together, troubles = threading.Barrier(6), []

    def begin() -> None:
        together.wait()
        try:
            Journal(str(folder)).close()
        except JournalError as error:
            troubles.append(error.message)

    many = [threading.Thread(target=begin) for _ in range(6)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert troubles == []
    assert len(Journal(str(folder)).jobs()) == len(JOBS)


def test_one_that_was_cut_in_between_is_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("flowc.submit.store.schema.insert_jobs", cut)
        with pytest.raises(KeyboardInterrupt):
            Journal(str(folder))
    base = sqlite3.connect(folder / "journal.sqlite")
    assert base.execute("PRAGMA user_version").fetchone() == (1,)
    base.close()
    assert len(Journal(str(folder)).jobs()) == len(JOBS)


def test_a_newer_one_is_left_alone(folder: Path) -> None:
    base = sqlite3.connect(folder / "journal.sqlite")
    base.execute(f"PRAGMA user_version={VERSION + 1}")
    base.close()
    with pytest.raises(JournalError, match="newer flowc"):
        Journal(str(folder))
