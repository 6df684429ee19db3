from __future__ import annotations

import io
import os
import time

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
    progress = parallel._Progress(2000)
    progress.step(1500)
    assert terminal.getvalue() == "checked 1,500 of 2,000 files"
    progress.step(2000)
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr(parallel, "_PROGRESS_AFTER_S", 0.0)
    progress = parallel._Progress(2)
    progress.step(1)
    assert not progress.shown
