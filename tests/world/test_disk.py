"""Where what flowc keeps cannot be kept any more: a disk that is full or read-only, a journal that is damaged, gone, or
of a newer flowc. Nobody is left with a bill that he cannot end."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowc.providers.mithril.pace import Pace
from tests.mithril.server import Server
from tests.some import some
from tests.tasks.conftest import Cloud, Person

Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """`disk(size)` is a folder on a small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    made: list[Path] = []

    def make(size: str) -> Path:
        folder = tmp_path / f"disk-{len(made)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False)
        if done.returncode:
            pytest.skip("nothing can be mounted here")
        made.append(folder)
        return folder

    yield make
    for each in made:
        subprocess.run(["umount", "-l", each], check=True)


def fill(folder: Path) -> None:
    with (folder / "fill").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def journal_of(person: Person) -> Path:
    return person.home / ".local" / "state" / "flowc" / "journal.sqlite"


@pytest.mark.parametrize("size", some(["4k", "16k", "64k", "96k", "128k"], "16k"))
def test_a_disk_that_is_too_small_places_nothing(there: Person, provider: Server, disk: Disk, size: str) -> None:
    there.environ["XDG_STATE_HOME"] = str(disk(size))
    there.job("true\n")
    for words in (["submit", "job.sbatch"], ["list"], ["status"], ["watch", "--once"], ["doctor"]):
        done = there.types(*words)
        assert done.returncode in (0, 4), done.stderr
        if words[0] == "submit":
            assert (done.returncode, "free space" in done.stderr) == (4, True)
    assert provider.state.bids == {}


def test_on_a_full_disk_a_task_can_be_ended(there: Person, provider: Server, disk: Disk) -> None:
    folder = disk("512k")
    there.environ["XDG_STATE_HOME"] = str(folder)
    (name,) = there.types("submit", there.job("true\n")).stdout.split()
    fill(folder)
    for words in (["list"], ["status", name]):
        assert there.types(*words).returncode == 0
    assert there.types("watch", "--once").returncode in (0, 4)
    done = there.types("cancel", name)
    assert f"{name}: ended, nothing more is paid for it" in done.stderr
    assert (done.returncode, "cannot be used" in done.stderr) == (4, True)
    assert provider.state.live_bids() == []


def test_on_a_full_disk_the_end_of_a_job_ends_its_bill(cloud: Cloud, disk: Disk) -> None:
    folder = disk("512k")
    cloud.person.environ["XDG_STATE_HOME"] = str(folder)
    (name,) = cloud.person.types("submit", cloud.person.job("exit 3\n")).stdout.split()
    fill(folder)
    done = cloud.person.types("wait", name)
    assert f"{name}: failed, exit status 3; nothing more is paid" in done.stderr
    assert (done.returncode, "cannot be used" in done.stderr) == (125, True)
    assert cloud.living() == []


def test_a_disk_that_is_read_only_is_told(there: Person, disk: Disk) -> None:
    folder = disk("1m")
    there.environ["XDG_STATE_HOME"] = str(folder)
    there.types("submit", there.job("true\n"))
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    for words in (["list"], ["submit", "job.sbatch"], ["watch", "--once"], ["submit", "--resume"]):
        done = there.types(*words)
        assert (done.returncode, "cannot be used: read-only file system\n" in done.stderr) == (4, True), done.stderr


DAMAGES = {
    "no database": lambda data: b"x" * 5000,
    "cut": lambda data: data[: len(data) // 2],
    "its first page": lambda data: data[:100] + bytes(3996) + data[4096:],
    "another page": lambda data: data[:4096] + b"\xff" * 4096 + data[8192:],
}


@pytest.mark.parametrize("damage", some(DAMAGES, "cut"))
def test_with_a_damaged_journal_a_task_can_be_ended(there: Person, provider: Server, damage: str) -> None:
    (name,) = there.types("submit", there.job("true\n")).stdout.split()
    journal = journal_of(there)
    with sqlite3.connect(journal) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    for each in journal.parent.glob("journal.sqlite-*"):
        each.unlink()
    journal.write_bytes(DAMAGES[damage](journal.read_bytes()))
    for words in (["list"], ["status"], ["submit", "job.sbatch"], ["watch", "--once"], ["submit", "--resume"]):
        done = there.types(*words)
        assert (done.returncode, "is damaged" in done.stderr) == (4, True), done.stderr
    done = there.types("cancel", name)
    assert f"{name}: ended, nothing more is paid for it" in done.stderr
    assert (done.returncode, "is damaged" in done.stderr) == (4, True)
    assert provider.state.live_bids() == []


@pytest.mark.parametrize("column", ["submissions SET document", "submissions SET resolved", "steps SET body",
                                    "jobs SET after"])  # fmt: skip
@pytest.mark.parametrize("value", some(["{", "7", ""], "{"))
def test_what_cannot_be_understood_is_damaged(there: Person, column: str, value: str) -> None:
    there.types("submit", there.job("true\n"))
    with sqlite3.connect(journal_of(there)) as base:
        base.execute(f"UPDATE {column} = ?", (value,))
        base.execute("UPDATE submissions SET state = 'open'")
    base.close()
    done = there.types("submit", "--resume")
    assert (done.returncode, "is damaged" in done.stderr) == (4, True), done.stderr


def test_a_journal_of_a_newer_flowc_is_left_alone(there: Person, provider: Server) -> None:
    (name,) = there.types("submit", there.job("true\n")).stdout.split()
    with sqlite3.connect(journal_of(there)) as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    done = there.types("list")
    assert (done.returncode, "upgrade flowc" in done.stderr) == (4, True)
    there.types("cancel", name)
    assert provider.state.live_bids() == []


def test_a_task_that_only_the_provider_knows_can_be_ended(there: Person, provider: Server) -> None:
    (one,) = there.types("submit", there.job("true\n")).stdout.split()
    (two,) = there.types("submit", there.job("false\n", "other.sbatch")).stdout.split()
    journal_of(there).rename(there.home / "away")
    assert one in there.types("list").stdout
    done = there.types("cancel", one[:-1])  # not by a part of its name
    assert (done.returncode, "there is no task" in done.stderr) == (2, True)
    done = there.types("cancel", one, "never")
    assert (done.returncode, "there is no task `never`" in done.stderr) == (2, True)
    assert len(provider.state.live_bids()) == 2
    identity = next(bid.fid for bid in provider.state.live_bids() if bid.name == two)
    done = there.types("cancel", one, identity)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("nothing more is paid for it") == 2
    assert provider.state.live_bids() == []


def test_a_full_disk_does_not_slow_calls_down_for_ever() -> None:
    slept: list[float] = []
    pace = Pace("/dev/full", now=lambda: 1.0, sleep=slept.append)
    for _ in range(60):
        pace.wait()
    assert len(slept) == 10
