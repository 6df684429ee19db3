"""Jobs whose end falls together with something else that their supervisor has to do, and what may be said of them.

A scene is one job: how its body ends, and what comes within 20 ms of that: a tick, the time limit, a warning, a stop of
the machine, a requeue or a cancellation that the body asks for. Where two things fall together either may be first, so
a scene may end rightly in more than one way; but a job that has ended never runs again, and one that was stopped does.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from jobs import unit

from flowc.ir.job import Io, StopSignal, Time
from flowc.scripts import build

# The constant of the script.
TICK = b"\nwt=5\n"
NEAR_S = 0.020
# Whoever is not done by then hangs.
PATIENCE_S = 90
PRELUDE = "mkdir() { :; }\nln() { :; }\n"

# The second run ends at once. `ask` is what the small Slurm does for `scontrol requeue` and `scancel`; where TERM is
# caught the body waits in a way in which bash hears it.
BODY = """#!/bin/bash
: 'scontrol requeue 1'
ask() {{ [ -e end ] && told=1; printf %s $1 >end; [ $told ] || kill -TERM -$FLOWC_BODY; sleep 9; }}
echo begin >>runs
[ -z "$SLURM_RESTART_COUNT" ] || exit 0
{trap}
sleep {after:.3f} & wait $!
{act}
echo done >>runs
{end}
"""
# How a body ends by itself: exit status and signal.
OWN = {
    "exit 0": (0, 0),
    "exit 3": (3, 0),
    "exit 137": (137, 0),
    "exit 143": (143, 0),
    "kill -KILL $$": (137, 9),
    "kill -TERM $$": (143, 15),
}
# What it does at TERM: how it ends then, None where it goes on.
TRAPS = {"": (143, 15), "trap 'exit 9' TERM": (9, 0), "trap '' TERM": None}
KINDS = (
    "tick",
    "tick",
    "warning",
    "limit",
    "stop",
    "stops",
    "limit+stop",
    "requeue",
    "requeue+stop",
    "requeue+limit",
    "cancel",
    "cancel+stop",
    "cancel+limit",
)

# How a job may end whatever it asks for.
OTHER = ("PENDING", "TIMEOUT")

# State, exit status, signal.
End = tuple[str, int, int]


@dataclass(frozen=True)
class Scene:
    """`end`: a key of OWN; `trap`: one of TRAPS; the body ends `after_s` seconds after its begin, what else comes
    `late_s` later; `right`: the ends that are."""

    kind: str
    end: str
    trap: str
    after_s: float
    late_s: float
    limit_s: int | None
    tick_s: float
    right: frozenset[End]


def draw(chance: random.Random, tick_s: float) -> Scene:
    kind = chance.choice(KINDS)
    trap = chance.choice(("", *TRAPS))
    ends = [end for end in OWN if not (end == "kill -TERM $$" and trap)]
    end = chance.choice(ends)
    code, number = OWN[end]
    told = TRAPS[trap]
    ended = ("COMPLETED" if code == 0 else "FAILED", code, number)
    limit = chance.choice((None, 600))
    after = tick_s * chance.randint(1, 3 if tick_s < 1 else 1)
    if "limit" in kind:
        limit = max(1, round(after))
        after = float(limit)
    right = {ended}
    # Told before or after it had set its trap; what catches TERM may also have been about to end by itself.
    told_ends = {told or (code, number), (143, 15)} | ({(code, number)} if trap else set())
    if "limit" in kind:
        right |= {("TIMEOUT", *each) for each in told_ends}
    if "stop" in kind:
        right |= {("PENDING", *each) for each in told_ends}
    if "cancel" in kind:
        right = {("CANCELLED", *(told or (code, number)))} | {each for each in right if each[0] in OTHER}
    if "requeue" in kind:
        right = {("COMPLETED", 0, 0)} | {each for each in right if each[0] in OTHER}
    return Scene(kind, end, trap, after, chance.uniform(-NEAR_S, NEAR_S), limit, tick_s, frozenset(right))


def prepare(scene: Scene, folder: Path) -> None:
    """The runner of a scene as it is installed, with the places of the machine below `folder`."""
    act = {"requeue": "ask requeue", "cancel": "ask cancel"}.get(scene.kind.partition("+")[0], "")
    after = scene.after_s - (0 if "stop" in scene.kind else scene.late_s)
    text = BODY.format(trap=scene.trap, after=max(after, 0), act=act, end=scene.end)
    warning = None
    if scene.kind == "warning":
        # It comes at the end: the body hears it until its last act.
        text = text.replace("echo done", "trap '' USR1\necho done", 1).replace(
            "echo begin", "trap : USR1\necho begin", 1
        )
        warning = StopSignal(name="USR1", before_s=600 - round(scene.after_s), to="shell")
    limit = 600 if warning else scene.limit_s
    planned = unit(text, workdir=str(folder), io=Io(stdout="out"), time=Time(limit_s=limit, signal=warning))
    payload = build(planned, index=None).payload
    for place in (b"/opt/mithril/", b"/run/flowc.", b"/run/systemd/"):
        payload = payload.replace(place, f"{folder}/".encode())
    (folder / "run").write_bytes(payload.replace(TICK, b"\nwt=%g\n" % scene.tick_s))
    (folder / "prelude").write_text(PRELUDE)
    (folder / "status.json").write_text("")


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The runner as its unit starts it."""
    environment = {"PATH": "/usr/bin:/bin", "BASH_ENV": str(folder / "prelude"), "LANG": "C.UTF-8"}
    return subprocess.Popen(
        ["/bin/bash", str(folder / "run"), "job"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def play(scene: Scene, folder: Path) -> str | None:
    """What was wrong in one run of a scene, None where all was right."""
    prepare(scene, folder)
    runner = start(folder)
    try:
        if "stop" in scene.kind:
            # At its limit a job may be over before it begins: seconds are counted whole.
            if not _begun(folder, runner) and "limit" not in scene.kind:
                return "never began"
            time.sleep(max(0, scene.after_s + scene.late_s))
            for _ in range(2 if scene.kind == "stops" else 1):
                if runner.poll() is None:
                    runner.send_signal(signal.SIGTERM)
                    time.sleep(0.002)
        runner.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        runner.kill()
        return f"hangs: {(folder / 'status.json').read_text()}"
    first, runs = _status(folder), _runs(folder)
    found = (first["state"], first["exit_code"], first["signal"])
    if first["state"] == "PENDING" and first["exit_code"] is None:
        found = ("PENDING", 143, 15)  # stopped before or while it was to be started again
    asked = (folder / "end").exists() and (folder / "end").read_text() == "cancel"
    # Past its limit a job may ask for its end in vain.
    if found not in scene.right or (asked != (found[0] == "CANCELLED") and not (asked and found[0] == "TIMEOUT")):
        return f"{found} after {runs}"
    # The next boot.
    again = start(folder)
    try:
        again.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        again.kill()
        return "the next boot hangs"
    second = _status(folder)
    if first["state"] != "PENDING":
        return None if (second, _runs(folder)) == (first, runs) else f"runs again after {first}"
    if second["state"] == "TIMEOUT" and "limit" in scene.kind:
        return None  # stopped with its last second
    if second["state"] != "COMPLETED" or _runs(folder).count("begin") != runs.count("begin") + 1:
        return f"{second} after {first} and the next boot"
    return None


def _begun(folder: Path, runner: subprocess.Popen[bytes]) -> bool:
    """Waits for it, and no longer than the runner is there."""
    until = time.monotonic() + PATIENCE_S
    while not (folder / "runs").exists() and runner.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    return (folder / "runs").exists()


def _status(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "status.json").read_text())
    return found


def _runs(folder: Path) -> list[str]:
    path = folder / "runs"
    return path.read_text().splitlines() if path.exists() else []


def busy() -> subprocess.Popen[bytes]:
    """A loop that takes a processor until it is killed."""
    return subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"], start_new_session=True)
