"""A file of a machine that is followed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowc.providers.mithril.following import Following
from flowc.remote.link import Link
from flowc.remote.tail import Mark, Tail
from tests.machines.ordinary import until
from tests.remote.server import Sshd

LINES = [f"line {number}: {'x' * (number % 97)}\n".encode() for number in range(40_000)]


class Taken:
    """What has come of a file; `anew`: where another one began."""

    def __init__(self) -> None:
        self.data = b""
        self.anew: list[int] = []
        self.told: list[bytes] = []

    def take(self, data: bytes, anew: bool) -> None:
        if anew:
            self.anew.append(len(self.data))
        self.data += data


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def follow(link: Link, taken: Taken, tmp_path: Path) -> Iterator[Callable[..., Following]]:
    made: list[Following] = []

    def make(path: Path, mark: Mark | None = None, on: Link | None = None) -> Following:
        tail = Tail(str(path), taken.take, mark=mark or Mark(), status=f"{tmp_path}/status", tell=taken.told.append)
        made.append(Following(on or link, tail))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_what_there_is(follow: Callable[..., Following], taken: Taken, tmp_path: Path) -> None:
    path = tmp_path / "log"
    following = follow(path)
    following.rest()
    assert taken.data == b""
    path.write_bytes(b"".join(LINES))
    following.rest()
    assert taken.data == b"".join(LINES)
    with path.open("ab") as file:
        file.write(b"more\n")
    following.rest()
    assert taken.data == b"".join(LINES) + b"more\n"
    assert taken.anew == []


def test_it_comes_as_it_is_written(follow: Callable[..., Following], taken: Taken, tmp_path: Path) -> None:
    path = tmp_path / "log"
    following = follow(path)
    following.more()
    for number in range(5):
        with path.open("ab") as file:
            file.write(b"%d\n" % number)
        until(lambda: taken.data.endswith(b"%d\n" % number), "a line")  # noqa: B023
    following.rest()
    assert taken.data == b"0\n1\n2\n3\n4\n"


def test_connections_cut_all_the_time(
    follow: Callable[..., Following], sshd: Sshd, taken: Taken, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    enough = threading.Event()
    writer = threading.Thread(target=write_until, args=(path, enough))
    writer.start()
    following = follow(path)
    for _ in range(6):
        following.more()
        seen = len(taken.data)
        until(lambda: len(taken.data) > seen, "some more")  # noqa: B023
        sshd.cut()
    enough.set()
    writer.join()
    following.rest()
    assert taken.data == path.read_bytes()
    assert taken.anew == []


def write_until(path: Path, enough: threading.Event) -> None:
    with path.open("ab", buffering=0) as file:
        number = 0
        while not enough.wait(0.05):
            file.write(b"".join(b"line %d\n" % each for each in range(number, number + 1000)))
            number += 1000


@pytest.mark.parametrize("how", ["renamed", "emptied", "removed"])
def test_another_file_in_its_place(follow: Callable[..., Following], taken: Taken, tmp_path: Path, how: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"old one\nold two\n")
    following = follow(path)
    following.more()
    until(lambda: taken.data.endswith(b"two\n"), "the old file")
    if how == "emptied":
        path.write_bytes(b"")
        # It is looked at twenty times in a second.
        time.sleep(0.5)
    elif how == "renamed":
        with path.open("ab") as file:
            file.write(b"last\n")
        path.rename(tmp_path / "log.1")
    else:
        path.unlink()
    with path.open("ab") as file:
        file.write(b"new\n")
    until(lambda: taken.data.endswith(b"new\n"), "the new file")
    old = b"old one\nold two\n" + (b"last\n" if how == "renamed" else b"")
    assert taken.data == old + b"new\n"
    assert taken.anew == [len(old)]


def test_a_machine_that_begins_anew_is_read_from_its_beginning(
    follow: Callable[..., Following], taken: Taken, tmp_path: Path
) -> None:
    """Though it says the same as the one before, and more."""
    (tmp_path / "one").write_bytes(b"begins\n")
    first = follow(tmp_path / "one")
    first.rest()
    (tmp_path / "two").write_bytes(b"begins\ngoes on\n")
    second = follow(tmp_path / "two", first.mark)
    second.rest()
    assert (taken.data, taken.anew) == (b"begins\nbegins\ngoes on\n", [7])
    # The same disk behind another machine.
    third = follow(tmp_path / "two", second.mark)
    third.rest()
    assert taken.data == b"begins\nbegins\ngoes on\n"


def test_a_file_that_has_other_bytes_before_the_place_is_another_one(
    follow: Callable[..., Following], taken: Taken, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    first = follow(path)
    first.rest()
    with path.open("r+b") as file:
        file.write(b"two\nthree\n")
    follow(path, first.mark).rest()
    assert (taken.data, taken.anew) == (b"one\ntwo\nthree\n", [4])


def test_the_state_of_the_job_is_told_when_it_changes(
    follow: Callable[..., Following], taken: Taken, tmp_path: Path
) -> None:
    following = follow(tmp_path / "log")
    following.more()
    for text in (b'{"state":"RUNNING"}', b'{"state":"FAILED"}'):
        (tmp_path / "status.new").write_bytes(text)
        os.replace(tmp_path / "status.new", tmp_path / "status")
        until(lambda: taken.told[-1:] == [text], "the state")  # noqa: B023


def test_nobody_goes_on_reading_there(
    follow: Callable[..., Following], link: Link, taken: Taken, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(b"x")
    following = follow(tmp_path / "log")
    following.more()
    until(lambda: taken.data, "the file")
    assert readers(tmp_path / "log")
    following.stop()
    until(lambda: not readers(tmp_path / "log"), "the end of who reads")


def readers(path: Path) -> list[str]:
    found = []
    for name in os.listdir("/proc"):
        try:
            found += [
                name for fd in os.listdir(f"/proc/{name}/fd") if os.readlink(f"/proc/{name}/fd/{fd}") == str(path)
            ]
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_a_hundred_megabytes(follow: Callable[..., Following], sshd: Sshd, taken: Taken, tmp_path: Path) -> None:
    path = tmp_path / "log"
    line = b"%09d" + b"y" * 90 + b"\n"
    with path.open("wb") as file:
        for number in range(1_000_000):
            file.write(line % number)
    pieces: list[bytes] = []
    taken.take = lambda data, anew: pieces.append(data)  # type: ignore[method-assign]
    following = follow(path)
    following.more()
    for share in (1, 2, 3):
        until(lambda: sum(map(len, pieces)) > share * 25_000_000, "a quarter")  # noqa: B023
        sshd.cut()
    following.rest()
    assert b"".join(pieces) == path.read_bytes()
