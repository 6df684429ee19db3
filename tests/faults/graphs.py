"""Graphs of jobs whose every command is ended by signals: `python -m tests.faults --graphs 300`.

A graph of four, one of which fails, by real processes: a command is cut at one of its moments, at any step of the
graph, with another one beside it or alone; then any next commands go on until the graph is at its end.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from flowc.submit.journal import MADE, NEVER, Journal
from tests.faults.plans import REAL, Cut, Plan
from tests.faults.runs import ENDED, RATE, ROOT, SIGNALS, Clock, Stage
from tests.faults.shapes import SHAPES
from tests.mithril.parts.log import Call
from tests.mithril.routes.answer import Answer
from tests.mithril.server import Server
from tests.mithril.state import State

(SHAPE,) = [each for each in SHAPES if each.name == "graph of four, one fails"]
# What the jobs come to.
ENDS = {"prepare": "completed", "left": "failed", "clean": "completed", "join": NEVER}
COMMANDS = (
    "submit", "submit --wait", "submit --resume", "wait KEY", "status KEY", "list", "list --tree", "watch --once",
    "watch",
)  # fmt: skip
# These may come after one that was cut. None stays for ever.
NEXT = ("submit", "submit --resume", "submit --resume KEY", "wait KEY", "status KEY", "list", "list --tree",
        "watch --once")  # fmt: skip
SPEED = 600  # of the provider's clock
TURNS = 40
MOST = 40
STAYS = 20.0  # seconds; three hours of the provider's clock


@dataclass(frozen=True)
class Run:
    """`step` of the jobs have ended when `command` is cut; `first` is a cut of the submission that is to be resumed,
    `more` are cuts of what comes next, `beside`: another one waits for the same graph meanwhile."""

    number: int
    command: str
    cut: Cut
    step: int
    first: Cut
    more: tuple[Cut | None, ...]
    beside: bool

    def __str__(self) -> str:
        more = ", ".join(str(each) for each in self.more if each is not None)
        return f"{self.number}: {self.command}, {self.cut}, step {self.step}, beside {self.beside}; {more}"


@dataclass
class Found:
    """Counts, and a sentence for each fault in `why`."""

    command: str
    processes: int = 0
    cut: int = 0
    bids: int = 0
    double: int = 0
    lost: int = 0
    why: list[str] = field(default_factory=list)


class Graph(Stage):
    """Where a run is played."""

    def spawn(self, words: list[str], cut: str) -> subprocess.Popen[bytes]:
        environ = {**self.environ, "PYTHONPATH": str(ROOT), "FAULTS_RATE": str(RATE), "FAULTS_CUT": cut}
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.child", *words], cwd=self.folder, stdin=subprocess.DEVNULL,
            env={**environ, "FAULTS_COUNT": str(self.folder / "moments")}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def key(self) -> str | None:
        if not (self.state / "journal.sqlite").exists():
            return None
        journal = Journal(str(self.state))
        found = journal.submissions()
        journal.close()
        return found[0].key if found else None

    def words(self, command: str) -> list[str]:
        key = self.key()
        if key is None or command.split()[:2] in (["submit"], ["submit", "--wait"]):
            return [*self.command, *command.split()[1:2]] if command == "submit --wait" else self.command
        return [key if word == "KEY" else word for word in command.split()]

    def run(self, command: str, cut: Cut | None = None) -> bool:
        """Whether it was ended by the signal. One that would stay is asked to end where it is not cut by STAYS."""
        process = self.spawn(self.words(command), f"{cut.how}:{cut.moment}" if cut else "")
        try:
            said, _ = process.communicate(timeout=STAYS if command == "watch" else 600)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=600)
        self.outputs.append(said)
        self.statuses.append(process.returncode)
        was_cut = cut is not None and process.returncode in (-signal.SIGKILL, SIGNALS.get(cut.how))
        asked = was_cut and process.returncode > 0 and command.partition(" ")[0] in ("submit", "wait")
        if asked and not any(each in said for each in (b"interrupted: nothing was submitted", b"`flowc ")):
            self.untold.append(f"not how it goes on after {cut}: {said.decode(errors='replace')}")
        return was_cut

    def ended(self) -> dict[str, str]:
        """How the jobs have ended, as far as is known."""
        if self.key() is None:
            return {}
        journal = Journal(str(self.state))
        found = {bid.identity: bid.ended or (NEVER if bid.state == NEVER else "") for bid in journal.bids()}
        journal.close()
        return {name: how for name, how in found.items() if how}


def moments(folder: Path) -> dict[str, int]:
    """How many each command has, undisturbed."""
    found = {}
    for command in COMMANDS:
        if command == "watch":  # it has more and more
            found[command] = max(found.values())
            continue
        place = folder / command.replace(" ", "-")
        place.mkdir(parents=True)
        with _stage(place, 0) as stage:
            _before(stage, command, Cut("SIGKILL", 1 + found.get("submit", 2) // 2))
            stage.run(command)
            found[command] = int((place / "moments").read_text())
    return found


def draw(count: int, most: dict[str, int]) -> list[Run]:
    """So many, always the same: every moment of every command by every signal, in an order by chance; of those that
    stay, and ask again and again, so many moments as MOST."""
    every = [
        (command, how, at)
        for command in COMMANDS
        for how in REAL
        for at in range(1, most[command] + 1, -(-most[command] // MOST))
    ]
    random.Random(2).shuffle(every)
    found = []
    for number, (command, how, at) in enumerate(every[:count]):
        chance = random.Random(number)
        more = [Cut(chance.choice(REAL), chance.randint(1, 12)) if chance.random() < 0.4 else None for _ in range(3)]
        step = 0 if command.startswith("submit") else chance.randint(0, 2)
        first = Cut(chance.choice(REAL), chance.randint(1, most["submit"]))
        found.append(Run(number, command, Cut(how, at), step, first, tuple(more), chance.random() < 0.3))
    return found


def _before(stage: Graph, command: str, first: Cut) -> int:
    """What comes before a command is cut; how many were cut in it."""
    if command == "submit --resume":
        return stage.run("submit", first)
    return 0 if command in ("submit", "submit --wait") else stage.run("submit")


class _stage:
    """A provider whose machines do as ENDS says, and somebody who submits there."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.failing = threading.Lock()
        self.server = Server(State(seed=seed), speed=SPEED, judge=self._look)

    def _look(self, call: Call, answer: Answer) -> None:
        """Machines are told which jobs fail as soon as there is a bid of one."""
        with self.failing:
            bids = [bid.fid for bid in list(self.server.state.bids.values()) if bid.name.startswith(SHAPE.fails)]
            place = self.folder / "bin" / "failing"
            place.with_name("failing.new").write_text("".join(f"{bid}\n" for bid in bids))
            place.with_name("failing.new").replace(place)

    def __enter__(self) -> Graph:
        bin = self.folder / "bin"
        bin.mkdir()
        (bin / "failing").touch()
        (bin / "ssh").write_text(ENDED)
        (bin / "ssh").chmod(0o755)
        SHAPE.write(self.folder)
        return Graph(Plan(0, "", SHAPE, real=True), self.folder, self.server, Clock(), None)

    def __exit__(self, *_: object) -> None:
        self.server.close()


def play(run: Run, folder: Path) -> Found:
    """Plays a run, and judges what came of it by the provider's record."""
    found = Found(run.command)
    chance = random.Random(run.number)
    with _stage(folder, run.number) as stage:
        found.cut += _before(stage, run.command, run.first)
        for _ in range(TURNS):
            if len(stage.ended()) >= run.step:
                break
            stage.run("list")
        beside = stage.spawn(stage.words("wait KEY"), "") if run.beside and stage.key() else None
        found.cut += stage.run(run.command, run.cut)
        cuts = list(run.more)
        for turn in range(TURNS):
            if stage.ended() == ENDS and not stage.open_ones() and not stage.server.state.live_bids():
                break
            # One that stays comes at the latest when the others would only look.
            # Where another one may have brought the graph to its end just now, the same command is a new submission.
            command = "wait KEY" if turn > 6 else chance.choice(NEXT if beside is None else NEXT[1:])
            found.cut += stage.run(command, cuts.pop() if cuts else None)
        if beside is not None:
            said, _ = beside.communicate(timeout=600)
            stage.outputs.append(said)
            stage.statuses.append(beside.returncode)
        stage.run("list --tree")
        found.processes = len(stage.statuses)
        _judge(stage, found)
    return found


def _judge(stage: Graph, found: Found) -> None:
    bids = list(stage.server.state.bids.values())
    placed = Counter(bid.name.rpartition("-")[0] for bid in bids)
    found.bids = len(bids)
    found.double = len(bids) - len(placed) + ("join" in placed)
    found.lost = len({"prepare", "left", "clean"} - set(placed))
    if found.double or found.lost:
        found.why.append(f"placed {dict(placed)}")
    if stage.ended() != ENDS or stage.open_ones():
        found.why.append(f"ended as {stage.ended()}, {stage.open_ones()} open")
    if stage.server.state.live_bids():
        found.why.append(f"still paid for: {[bid.name for bid in stage.server.state.live_bids()]}")
    journal = Journal(str(stage.state))
    known = {bid.made for bid in journal.bids() if bid.state == MADE}
    count = len(journal.submissions())
    journal.close()
    if count != 1 or known != {bid.fid for bid in bids}:
        found.why.append(f"{count} submissions, the journal knows {known}")
    starts = [each.fid for each in stage.server.log.done("bid placed")]
    order = [next(bid.name.rpartition("-")[0] for bid in bids if bid.fid == fid) for fid in starts]
    if order != ["prepare", "left", "clean"]:
        found.why.append(f"placed in this order: {order}")
    for said in stage.outputs:
        if b"Traceback" in said or b"this is a bug" in said:
            found.why.append(said.decode(errors="replace")[-2000:])
    left = [path.name for path in stage.state.glob("*.lock") if path.name != "watch.lock"]
    # A process that is killed leaves the file of its lock, and no lock.
    if len(left) > 1:
        found.why.append(f"locks {left}")
    found.why += stage.untold
    if found.why:
        found.why.append(f"exit statuses {stage.statuses}")


HEADS = ("", "runs", "cut", "processes", "bids", "double", "lost", "wrong")


def table(found: list[Found]) -> str:
    rows = [[command, *_sums([each for each in found if each.command == command])] for command in COMMANDS]
    lines = [list(HEADS), *(row for row in rows if row[1] != "0"), ["all", *_sums(found)]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADS))]
    return "\n".join(
        "  ".join(text.rjust(width) if place else text.ljust(width)
                  for place, (text, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )  # fmt: skip


def _sums(found: list[Found]) -> list[str]:
    sums = [sum(getattr(each, name) for each in found) for name in ("cut", "processes", "bids", "double", "lost")]
    return [str(len(found)), *map(str, sums), str(sum(bool(each.why) for each in found))]


def one(run: Run) -> tuple[Found, str]:
    """Within a worker."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            return play(run, Path(folder)), str(run)
        except Exception as error:  # a harness that breaks must not look like a right run
            return Found(run.command, why=[f"{type(error).__name__}: {error}"]), str(run)
