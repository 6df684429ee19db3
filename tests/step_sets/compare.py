"""Runs jobs with sets of steps on both sides and compares what their drivers tell."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.same_as_slurm import rented
from tests.same_as_slurm.body import Body
from tests.same_as_slurm.cluster import Cluster
from tests.same_as_slurm.outcome import Outcome
from tests.step_sets.bodies import Job

# Local machines of several jobs at a time wait for each other more than they gain.
AT_ONCE = 2
HANGS_S = 600
COMPLETED = [("COMPLETED", 0)]
Event = dict[str, Any]
# The events of each set, by its number.
Told = dict[int, list[Event]]
# What Slurm 22.05 does that nobody can want, or that flowc means to do otherwise: an expression for Slurm's event and
# the words of its step, one for flowc's event.
GRES = r'ended.*"error: Unable to create step for JOB: Invalid generic resource'
KNOWN = (
    (
        rf"{GRES}.*step has .*(?:-c|--overlap|_OVERLAP)",
        "runs|waits",
        "Slurm refuses a step of wide or overlapping tasks for the GPUs that others have now; here it waits, or runs",
    ),
    (
        rf"{GRES}.*step has ",
        "waits",
        "Slurm refuses a step for the CPUs and GPUs that others have now, where it need only wait",
    ),
    (
        r"runs.*step has .*-x",
        "runs",
        "srun -x takes the first nodes of the job, though others are idle",
    ),
    (
        "hangs",
        "runs|waits|ended",
        "Slurm counts no CPU for --overcommit, then finds no core for the next step and asks again after a minute",
    ),
)


class Report:
    """`lines` tell of sets that differ, `reasons` says how often each known reason was needed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.reasons: dict[str, int] = {}
        self.equal = self.bad = self.steps = self.waited = 0


def run_slurm(jobs: Sequence[Job]) -> list[Told]:
    with bodies(jobs) as made, Cluster() as cluster:
        return [events(cluster.run(body, HANGS_S)) for body in made]


def run_flowc(jobs: Sequence[Job]) -> list[Told]:
    with bodies(jobs) as made, ThreadPoolExecutor(AT_ONCE) as pool:
        return [events(outcome) for outcome in pool.map(lambda body: rented.run(body, hangs=HANGS_S), made)]


@contextmanager
def bodies(jobs: Sequence[Job]) -> Iterator[list[Body]]:
    driver = (Path(__file__).parent / "driver.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for number, job in enumerate(jobs):
            path = Path(folder) / f"sets-{number}.sbatch"
            path.write_text(job.script())
            made.append(Body(path))
            made[-1].files["driver.py"] = driver
        yield made


def events(outcome: Outcome) -> Told:
    """What the driver told. AssertionError where anything else was said, or the job did not end well."""
    (text,) = (outcome.text(data) for name, data in outcome.files.items() if name.startswith("slurm-"))
    told: Told = {}
    for line in text.splitlines():
        assert line[:1] == "{", text
        event = json.loads(line)
        told.setdefault(int(event.pop("set")), []).append(event)
    assert outcome.tasks == COMPLETED, f"{outcome.tasks}\n{outcome.said}\n{text}"
    return told


def compared(jobs: Sequence[Job], theirs: Sequence[Told], ours: Sequence[Told]) -> Report:
    report = Report()
    for job, real, mine in zip(jobs, theirs, ours, strict=True):
        for number, steps in job.sets.items():
            report.steps += sum("runs" in event for event in real[number])
            report.waited += sum("waits" in event for event in real[number])
            pairs = zip(real[number], mine[number], strict=False)
            differs = next((pair for pair in pairs if plain(pair[0]) != plain(pair[1])), None)
            if differs is None and len(real[number]) == len(mine[number]):
                report.equal += 1
                continue
            differs = differs or ({}, {})
            words = steps[int(differs[0].get("step", "_0").rpartition("_")[2])]
            reason = reason_of(differs[0], differs[1], words)
            if reason:
                report.reasons[reason] = report.reasons.get(reason, 0) + 1
                continue
            report.bad += 1
            report.lines += [
                f"set {number} ({job.options})",
                *(f"    {place} {step}" for place, step in enumerate(steps)),
            ]
            report.lines += [f"  slurm {json.dumps(differs[0])}", f"  flowc {json.dumps(differs[1])}"]
    return report


def plain(event: Event) -> Event:
    """Without the words of messages; a list of nodes may be written in two ways."""
    kept = {key: value for key, value in event.items() if key != "said"}
    return kept | {"runs": [re.sub(r"on=n\[([\d,-]+)\]", in_full, line) for line in kept.get("runs", [])]}


def in_full(match: re.Match[str]) -> str:
    """`n[1-2,4]` is `n1,n2,n4`."""
    ends = [part.partition("-") for part in match[1].split(",")]
    return "on=" + ",".join(f"n{node}" for low, _, high in ends for node in range(int(low), int(high or low) + 1))


def reason_of(theirs: Event, ours: Event, words: str) -> str | None:
    for real, mine, reason in KNOWN:
        if re.search(real, f"{json.dumps(theirs)} step has {words}") and re.search(f'"(?:{mine})"', json.dumps(ours)):
            return reason
    return None
