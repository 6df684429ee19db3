"""Ctrl-C, and the signals by which others ask for the end: what is said, and what can be done then."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.faults.plans import Cut, Plan
from tests.faults.runs import ROOT, Clock, Stage
from tests.faults.shapes import SHAPES
from tests.mithril import document
from tests.mithril.server import Server
from tests.some import some

POST = "POST /v2/spot/bids"
# Texts that libraries run when they are loaded; what is called for an object that is no more. Python makes something
# else of a signal there: its own end by Ctrl-C, and nothing at all.
PLACES = ["<string>:1", "<string>:12", "cb:1"]
SIGNALS = [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]


def line(signal: str, status: int, place: str | int) -> ParameterSet:
    """Each signal at some of the places in the ordinary suite, at all of them in the slow one."""
    some = {"SIGINT": ["<string>:12"], "SIGTERM": ["cb:1"], "SIGHUP": [10]}[signal]
    return pytest.param(signal, status, place, marks=[] if place in some else [pytest.mark.slow])


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An array of four, by real processes."""
    (shape,) = [each for each in SHAPES if each.name == "array of 4"]
    with Server(judge=document.JUDGE) as server:
        shape.write(tmp_path)
        yield Stage(Plan(0, "", shape, real=True), tmp_path, server, Clock(), None)


def said(stage: Stage) -> str:
    """What the last process said, with nonces and keys replaced."""
    text = stage.outputs[-1].decode()
    return re.sub(r"[0-9a-f]{8}-[a-z][a-z0-9]{7}", "KEY", re.sub(r"(four-\d)-[a-z0-9]{8}", r"\1", text))


def key_of(stage: Stage) -> str:
    found = re.search(r"--resume ([0-9a-f]{8}-[a-z0-9]{8})", stage.outputs[-1].decode())
    assert found is not None, stage.outputs
    return found[1]


def bids(stage: Stage) -> list[tuple[str, bool]]:
    """The bids that were placed, and whether they live."""
    return [(each.name[:6], each.status != "Terminated") for each in stage.server.state.bids.values()]


@pytest.mark.parametrize(
    ("signal", "status"), [SIGNALS[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in SIGNALS[1:])]
)
def test_what_is_there_and_how_it_goes_on(stage: Stage, signal: str, status: int) -> None:
    assert stage.process(stage.command, Cut(signal, 3, POST, acted=True)) == status
    assert said(stage).splitlines()[-2:] == [
        "flowc: interrupted: 2 of 4 bids placed (four-0, four-1); may be there, no reply has come: four-2",
        "flowc:   help: `flowc submit --resume KEY` finds out what exists, and goes on; `flowc cancel KEY` ends it",
    ]
    assert stage.process(["submit", "--resume", key_of(stage)]) == 0
    assert bids(stage) == [("four-0", True), ("four-1", True), ("four-2", True), ("four-3", True)]


def at_a_line(stage: Stage, signal: str, place: str) -> tuple[int, str]:
    """The exit status of `flowc submit` that gets the signal there, and what it said on standard error."""
    count = stage.folder / "lines"
    environ = {**stage.environ, "PYTHONPATH": str(ROOT), "LINES_CUT": f"{signal}:{place}", "LINES_COUNT": str(count)}
    command = [sys.executable, "-m", "tests.faults.lines", *stage.command]
    done = subprocess.run(command, cwd=stage.folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, done.stderr.decode()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many lines of Python are run from the first to the last."""
    folder = tmp_path_factory.mktemp("lines")
    (shape,) = [each for each in SHAPES if each.name == "array of 4"]
    with Server() as server:
        shape.write(folder)
        stage = Stage(Plan(0, "", shape, real=True), folder, server, Clock(), None)
        assert at_a_line(stage, "", "")[0] == 0
    return int((folder / "lines").read_text())


@pytest.mark.parametrize(
    ("signal", "status", "place"), [line(*each, place) for each in SIGNALS for place in (*PLACES, *range(1, 12))]
)
def test_the_end_is_heard_at_each_line(stage: Stage, lines: int, signal: str, status: int, place: str | int) -> None:
    at = place if isinstance(place, str) else str(lines * (3 * place + status % 3) // 36)  # none twice
    found, said = at_a_line(stage, signal, at)
    # Until somebody listens, signals do by themselves what they are for.
    early = {"SIGINT": 130, "SIGTERM": -15, "SIGHUP": -1}[signal] if isinstance(place, int) and place < 4 else status
    assert found in (status, early), said
    assert "Traceback" not in said
    assert stage.process(["submit", "--resume"]) == 0
    assert len(bids(stage)) in (0, 4)
    stage.process(stage.command)
    assert len(bids(stage)) == 4


def test_nothing_was_submitted_yet(stage: Stage) -> None:
    assert stage.process(stage.command, Cut("SIGINT", 2)) == 130
    assert said(stage).splitlines()[-1] == "flowc: interrupted: nothing was submitted"
    assert bids(stage) == []


@pytest.mark.parametrize("acted", some([True, False], True))
def test_what_was_cut_short_can_be_ended_and_is_over_then(stage: Stage, acted: bool) -> None:
    stage.process(stage.command, Cut("SIGINT", 3, POST, acted=acted))
    key = key_of(stage)
    assert stage.process(["cancel", key]) == 0
    ended, never = "four-{}: ended, nothing more is paid for it", "four-{}: was not placed, and will not be"
    lines = [ended.format(0), ended.format(1), (ended if acted else never).format(2), never.format(3)]
    assert said(stage).splitlines() == [f"flowc: {each}" for each in lines]
    assert not any(lives for _, lives in bids(stage))
    assert stage.process(["submit", "--resume"]) == 0
    assert stage.process(["submit", "--resume", key]) == 0
    assert stage.process(["list"]) == 0
    assert len(bids(stage)) == 2 + acted
    assert stage.process(["wait", key]) == 130
    # It is over: the same command is a new one.
    assert stage.process(stage.command) == 0
    assert len(bids(stage)) == 6 + acted


def test_one_task_of_an_array_can_be_given_up(stage: Stage) -> None:
    stage.process(stage.command, Cut("SIGINT", 2, POST, acted=True))
    key = key_of(stage)
    nonce = key.partition("-")[2]
    assert stage.process(["cancel", f"four-3-{nonce}"]) == 0
    assert stage.process(["submit", "--resume", key]) == 0
    assert bids(stage) == [("four-0", True), ("four-1", True), ("four-2", True)]
