"""Plays a plan: a provider that goes wrong, processes that are cut, one after another, until one comes to its end."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from flowc.cli import main
from flowc.submit.journal import OPEN, Journal
from tests.faults.judge import Verdict, judge
from tests.faults.moments import Moments, watched
from tests.faults.plans import TIMED, Cut, Plan, retry_after
from tests.faults.power import Disk
from tests.faults.shapes import SHAPES
from tests.mithril import document
from tests.mithril.faults import Fault
from tests.mithril.parts.log import Call
from tests.mithril.routes.answer import Answer
from tests.mithril.server import Server
from tests.mithril.state import State

ROOT = Path(__file__).resolve().parents[2]
RATE = 100  # of a real process: its seconds in one of ours
PATIENCE_S = 25  # the client's, in its own seconds, where a reply is slow
# Answers for machines as the program there does (`flowc.remote.link`): their jobs have done well, but those whose bids
# are listed.
ENDED = """#!/bin/sh
said='{"state": "COMPLETED", "exit_code": 0}'
while read -r bid; do
  case $* in *"/$bid"*) said='{"state": "FAILED", "exit_code": 3}' ;; esac
done <"${0%/*}/failing"
echo 'flowc-link /run/flowc-link.x'
while read -r what one two path; do
  case $what:$path in
  read:*/status.json) printf '%s' "$said" | tail -c "+$one" | base64 -w0; echo ;;
  read:*) echo - ;;
  *) echo ;;
  esac
done
"""
# What asks a process for its end, and its exit status then.
SIGNALS = {"ctrl-c": 130, "SIGINT": 130, "SIGTERM": 143}
RESUME, LIST = ["submit", "--resume"], ["list"]
TURNS = 20  # of processes, until a submission counts as stuck


class Cutting(Fault):
    """Ends a process while the server has its request."""

    def __init__(self, cut: Cut) -> None:
        super().__init__("drop after" if cut.acted else "drop before", cut.on or "*", nth=cut.moment)
        self.signal = signal.Signals[cut.how]
        self.victims: list[subprocess.Popen[bytes]] = []

    def strikes(self, method: str, path: str) -> bool:
        found = super().strikes(method, path)
        for each in self.victims if found else ():
            each.send_signal(self.signal)
        return found


class Late(Fault):
    """Acts when the client's clock says so. `due` is its time."""

    def __init__(self, clock: Clock, **values: Any) -> None:
        super().__init__(**values)
        self.clock = clock
        self.due: list[float] = []

    def strikes(self, method: str, path: str) -> bool:
        found = super().strikes(method, path)
        if found:
            self.due.append(self.clock.now + self.seconds)
            self.clock.late.append(self)
        return found


class Clock:
    """The time of processes within this one: a pause is over at once."""

    def __init__(self) -> None:
        self.now = time.time()
        self.late: list[Late] = []
        self.acted = threading.Semaphore(0)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for each in [each for each in self.late if each.due[0] <= self.now]:
            self.late.remove(each)
            each.gate.set()
            self.acted.acquire(timeout=300)


@dataclass
class Stage:
    """Where a plan is played: a provider, a home with a key in each place where one may stand, and a job."""

    plan: Plan
    folder: Path
    server: Server
    clock: Clock
    disk: Disk | None
    outputs: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    calls: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state" / "flowc"

    @property
    def environ(self) -> dict[str, str]:
        timed = any(each["kind"] in TIMED for each in self.plan.faults)
        patience = (PATIENCE_S / RATE) if timed else 20
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "MITHRIL_API_URL": self.server.url,
            "MITHRIL_API_KEY": self.server.key,
            "MITHRIL_PROJECT": "research",
            "FLOW_TIMEOUT": str(patience),
        }

    @property
    def command(self) -> list[str]:
        shape = self.plan.shape
        return ["submit", *shape.words, *(str(self.folder / name) for name in shape.files)]

    def open_ones(self) -> int:
        """Submissions that are not at their end."""
        if not (self.state / "journal.sqlite").exists():
            return 0
        journal = Journal(str(self.state))
        try:
            return len(journal.submissions(state=OPEN))
        finally:
            journal.close()

    def here(self, words: list[str], cut: Cut | None) -> int:
        """One process within this one. 128 and more: it was cut."""
        moments = Moments(cut.moment if cut else None)

        def act(what: str) -> None:
            if cut is not None and cut.how == "ctrl-c":
                raise KeyboardInterrupt
            moments.over = True
            if self.disk is not None and cut is not None and cut.how == "power":
                self.disk.cut()
            raise Gone

        moments.act = act
        out = io.StringIO()
        status = 137
        with (
            mock.patch.dict(os.environ, self.environ, clear=True),
            mock.patch.object(time, "time", self.clock.time),
            mock.patch.object(time, "sleep", self.clock.sleep),
            watched(moments),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
            contextlib.suppress(Gone),
        ):
            status = main(words)
        self.outputs.append(out.getvalue().encode())
        if self.disk is not None and cut is not None and cut.how == "power" and moments.over:
            gc.collect()  # its files are closed
            self.disk.restore()
        return status

    def real(self, words: list[str], cut: Cut | None, together: int) -> int:
        """Real processes, all with the same words; the first of them is cut. The worst of their exit statuses."""
        at = "" if cut is None or cut.on is not None else f"{cut.how}:{cut.moment}"
        striking = Cutting(cut) if cut is not None and cut.on is not None else None
        if striking is not None:
            self.server.faults.faults.insert(0, striking)
        many = []
        for number in range(together):
            environ = {
                **self.environ,
                "PYTHONPATH": str(ROOT),
                "FAULTS_RATE": str(RATE),
                "FAULTS_CUT": at if number == 0 else "",
            }
            command = [sys.executable, "-m", "tests.faults.child", *words]
            many.append(
                subprocess.Popen(
                    command, cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            )  # fmt: skip
        if striking is not None:
            striking.victims = many[:1]
        statuses = []
        for each in many:
            said, _ = each.communicate(timeout=600)
            self.outputs.append(said)
            statuses.append(each.returncode)
        return max(statuses, key=abs)

    def process(self, words: list[str], cut: Cut | None = None, together: int = 1) -> int:
        status = self.real(words, cut, together) if self.plan.real else self.here(words, cut)
        self.statuses.append(status)
        if together == 1 and words != LIST:
            self.untold += self.not_said(status, cut)
        return status

    def not_said(self, status: int, cut: Cut | None) -> list[str]:
        """What somebody should have read after a process that did not come to its end, and could not."""
        said = self.outputs[-1].decode(errors="replace")
        found = []
        asked = cut is not None and cut.how in SIGNALS
        if asked and status not in (0, 2, 4, SIGNALS[cut.how] if cut else 0):
            found.append(f"exit status {status} after {cut}")
        if asked and status > 128 and "interrupted: " not in said:
            found.append(f"nothing about {cut}: {said}")
        if (asked and status > 128) or status == 4:
            there = [each.name for each in self.server.state.live_bids()]
            there += [each.name for each in self.server.state.volumes.values()]
            missing = [name for name in there if name not in said]
            if missing:
                found.append(f"nothing about {missing} ({status}): {said}")
            if there and ("submit --resume " not in said or "flowc cancel " not in said):
                found.append(f"not how it goes on ({status}): {said}")
        return found


class Gone(BaseException):
    """The process is gone: nothing of it runs after this."""


def play(plan: Plan, folder: Path, disk: Disk | None) -> Verdict:
    """Plays it, and judges what came of it by the provider's own record."""
    clock = Clock()

    def look(call: Call, answer: Answer) -> None:
        if call.fault == "late":
            clock.acted.release()
        if document.JUDGE is not None and plan.number % 5 == 0:
            document.JUDGE(call, answer)

    with Server(State(seed=plan.number), judge=look) as server:
        stage = Stage(plan, folder, server, clock, disk)
        plan.shape.write(folder)
        if plan.shape.completes:
            (folder / "bin").mkdir()
            (folder / "bin" / "failing").touch()
            (folder / "bin" / "ssh").write_text(ENDED)
            (folder / "bin" / "ssh").chmod(0o755)
        if disk is not None:
            (folder / "kept").mkdir()
            disk.watch(stage.state, folder / "kept")
        server.faults.add(*(_fault(each, stage) for each in plan.faults))
        words, ended = stage.command, False
        for turn in range(TURNS):
            cut = plan.cuts[turn] if turn < len(plan.cuts) else None
            status = stage.process(words, cut, plan.together if turn == 0 else 1)
            left = stage.open_ones()
            if not left and (status == 0 or (turn > 0 and server.log.done("bid placed"))):
                ended = True  # where it is not 0, only the last words were not said
                break
            if status == 0:
                # The others have their turn when these have ended.
                if plan.shape.completes:
                    server.state.settle()
                    failing = [bid.fid for bid in server.state.bids.values() if bid.name.startswith(plan.shape.fails)]
                    (folder / "bin" / "failing").write_text("".join(f"{bid}\n" for bid in failing))
                else:
                    for bid in server.state.live_bids():
                        server.state.terminate(bid)
                words = LIST
            elif words != LIST:
                words = RESUME if plan.resume and left else stage.command
        server.faults.clear()
        stage.process(RESUME)
        last = stage.process(stage.command)  # which is not to submit again what lives
        return judge(stage, whole=ended, last=last)


def _fault(values: dict[str, Any], stage: Stage) -> Fault:
    values = dict(values)
    if "retry_after" in values:
        values["retry_after"] = retry_after(values["retry_after"], stage.clock.now)
    if values["kind"] == "late" and not stage.plan.real:
        return Late(stage.clock, **values)
    if values["kind"] in TIMED:
        # Of a real process, and of one that reads a real socket, the time is ours.
        values["seconds"] = values.get("seconds", 40.0) / RATE
    return Fault(**values)


def count_moments(folder: Path) -> dict[str, int]:
    """How many moments an undisturbed run of each shape has."""
    found = {}
    for shape in SHAPES:
        with Server() as server:
            place = folder / shape.file.partition(".")[0]
            place.mkdir()
            stage = Stage(Plan(0, "", shape), place, server, Clock(), None)
            shape.write(place)
            counted = Moments()
            with watched(counted):
                status = stage.process(stage.command)
            assert status == 0, stage.outputs
            found[shape.name] = len(counted.passed)
    return found
