"""The commands of tasks: what they cost themselves, beside the calls that they make, in units of the bare interpreter.

What is measured is processor time, of the process with its children: so what a call waits for does not count, and
neither does who else uses this machine. For a local task that is the supervisor, the machine and the job too.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flowc.machines.linux import adopt_orphans
from flowc.submit.journal import OPEN, Journal, Submission
from flowc.submit.plan import steps_of
from tests.mithril.parts.model import Bid
from tests.mithril.server import Server

ROOT = Path(__file__).resolve().parents[2]
TASKS = 1000
# The bars of the project.
BARS = {"list": 8.0, "status": 8.0, "list, local": 8.0, "status, local": 8.0, "run, local": 15.0, "submit": 30.0}


def measure(rounds: int) -> dict[str, float]:
    """Name to the median of its processor times in seconds; the calls' time is none of it."""
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        home = Path(folder)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "PYTHONPATH": str(ROOT),
            "MITHRIL_API_URL": server.url,
            "MITHRIL_API_KEY": server.key,
            "MITHRIL_PROJECT": "research",
        }
        (home / "job.sbatch").write_text("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\ntrue\n")
        words = {
            "list": ["list", "--provider", "mithril", "--limit", str(TASKS)],
            "status": ["status", "bench-mithril"],
            "list, local": ["list", "--provider", "local", "--all", "--limit", str(TASKS)],
            "status, local": ["status", "bench-local"],
            "run, local": ["run", "echo hello", "--provider", "local"],
            "submit": ["submit", "job.sbatch", "--force-new"],
        }
        _many_tasks(home, server)
        times: dict[str, list[float]] = {"python3 -c pass": [], **{name: [] for name in words}}
        for number in range(rounds + 1):
            taken = {"python3 -c pass": _once([sys.executable, "-c", "pass"], home, environ)}
            for name, each in words.items():
                # The provider takes so many calls a minute, of all processes of a user together.
                (home / ".local/state/flowc/pace").unlink(missing_ok=True)
                taken[name] = _once([str(Path(sys.executable).with_name("flowc")), *each], home, environ)
            if number:  # the first round fills the caches
                for name, seconds in taken.items():
                    times[name].append(seconds)
        return {name: statistics.median(each) for name, each in times.items()}


def report(medians: dict[str, float]) -> str:
    unit = medians["python3 -c pass"]
    lines = [f"{f'processor time, with {TASKS:,} tasks':<34}{'median ms':>10}{'ratio':>8}   bar"]
    for name, seconds in medians.items():
        bar = f"   {BARS[name]:.1f}" if name in BARS else ""
        lines.append(f"{name:<34}{seconds * 1000:>10.1f}{seconds / unit:>8.2f}{bar}")
    return "\n".join(lines)


def _once(words: list[str], home: Path, environ: dict[str, str]) -> float:
    """Processor seconds of a process and of what it has started, up to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=home, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _wait_for_orphans() -> None:
    """What a command leaves running comes to this process, once it has said so (`adopt_orphans`)."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _many_tasks(home: Path, server: Server) -> None:
    """Bids at the provider and tasks here that wait and have ended, all known to the journal."""
    folder = home / ".local" / "state" / "flowc"
    journal = Journal(str(folder))
    state = server.state
    market = state.market("h100-80gb.sxm.8x")
    project = next(iter(state.projects))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for provider in ("mithril", "local"):
        names = [f"bench-{provider}-{number:04}" for number in range(TASKS)]
        alike = {"hours_bound": "1", "after": [], "max_concurrent": None}
        jobs = [{"name": name, "bids": [name], **alike} for name in names]
        requests = [
            {"id": name, "method": "POST", "path": "/v2/spot/bids", "body": {"name": name}, "after": []}
            for name in names
        ]
        document = {"requests": requests, "jobs": jobs, "unresolved": []}
        submission = Submission(
            key=f"bench-{provider}",
            content=provider,
            name=names[0],
            provider=provider,
            nonce="abcdefgh",
            created_at=0.0,
            state=OPEN,
            keep=False,
            document=document,
            resolved={},
        )
        steps = steps_of(document, "abcdefgh")
        journal.begin(submission, steps)
        for number, step in enumerate(steps):
            if provider == "mithril":
                fid = state.fid("bid")
                state.bids[fid] = Bid(
                    fid=fid,
                    name=step.name,
                    project=project,
                    created_by=next(iter(state.users.values())).fid,
                    created_at=state.clock.now,
                    age=state.age(),
                    limit=1,
                    quantity=1,
                    market=market,
                    ssh_keys=[],
                    volumes=[],
                )
            else:
                fid = f"task-{number:012}"
                _local_task(folder / "local" / "tasks" / fid, step.name, now)
                journal.ended(submission.key, number, "completed", 0)
                journal.released(submission.key, number, 0.0)
            journal.made(submission.key, number, fid)
        journal.close_submission(submission.key, "done")
    journal.close()


def _local_task(folder: Path, name: str, now: str) -> None:
    folder.mkdir(parents=True)
    asked = {"name": name, "created_at": now, "instance_type": "h100-80gb.sxm.8x", "body": {}}
    (folder / "task.json").write_text(json.dumps(asked))
    state = {
        "state": "completed",
        "reason": None,
        "ended_at": now,
        "exit_status": 0,
        "starts": 1,
        "on": [],
        "shared": [],
    }
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "lock").write_text("")
    (folder / "launched").write_text("")
