from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from flowc.cli import parallel


def test_outcomes_come_in_the_order_of_the_work() -> None:
    def work(item: str) -> dict[str, object]:
        time.sleep(0.02 if int(item) % 5 == 0 else 0)
        return {"item": item, "pid": os.getpid(), "odd": "\udcff"}

    items = [str(number) for number in range(40)]
    outcomes = list(parallel.in_order(work, items))
    assert [each["item"] for each in outcomes] == items
    assert os.getpid() not in {each["pid"] for each in outcomes}


def test_large_outcomes_do_not_block() -> None:
    sizes = [len(each) for each in parallel.in_order(lambda item: item * 300_000, ["a"] * 9)]
    assert sizes == [300_000] * 9


def test_process_that_dies_is_noticed() -> None:
    def work(item: str) -> str:
        if item == "5":
            os._exit(9)
        return item

    with pytest.raises(RuntimeError, match="the process that checked `5` died"):
        list(parallel.in_order(work, [str(number) for number in range(9)]))


def test_processes_end_when_the_reader_stops_early() -> None:
    outcomes = parallel.in_order(lambda item: os.getpid(), ["x"] * 20)
    pid = next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(parallel, "_PROGRESS_AFTER_S", 0.0)
    progress = parallel.Progress(2000)
    progress.step(1500)
    assert terminal.getvalue() == "checked 1,500 of 2,000 files"
    progress.step(2000)
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr(parallel, "_PROGRESS_AFTER_S", 0.0)
    progress = parallel.Progress(2)
    progress.step(1)
    assert not progress.shown


def test_an_item_that_takes_long_holds_up_no_other(tmp_path: Path) -> None:
    """The first ends only when all others but the one given to its process beforehand have been done."""
    items = [str(number) for number in range(12)]

    def work(item: str) -> str:
        if item == "0":
            until = time.monotonic() + 20
            while len([*tmp_path.iterdir()]) < len(items) - parallel._AHEAD and time.monotonic() < until:
                time.sleep(0.002)
            return str(len([*tmp_path.iterdir()]) >= len(items) - parallel._AHEAD)
        (tmp_path / item).touch()
        return item

    if parallel.cores() > 1:
        assert list(parallel.in_order(work, items)) == ["True", *items[1:]]


def test_none_is_begun_far_ahead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parallel, "_MOST_WAITING", 5)

    def work(item: str) -> int:
        (tmp_path / item).touch()
        return max(int(path.name) for path in tmp_path.iterdir())

    assert all(most < at + 5 for at, most in enumerate(parallel.in_order(work, [str(n) for n in range(30)])))


def test_the_line_is_gone_whenever_something_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(parallel, "_PROGRESS_AFTER_S", 0.0)
    monkeypatch.setattr(parallel, "_PROGRESS_EVERY_S", 0.0)
    for number in parallel.counted((number for number in range(3)), 3):
        assert terminal.getvalue().count("files") == terminal.getvalue().count("\r\x1b[K") == number
    assert terminal.getvalue().count("files") == 2
