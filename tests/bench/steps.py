"""A step on one machine: `srun true` beside that of a real Slurm on this machine, and 200 short steps in a row."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.same_as_slurm import cluster, rented
from tests.same_as_slurm.body import Body
from tests.same_as_slurm.cluster import Cluster
from tests.same_as_slurm.outcome import Outcome

HEAD = '#!/bin/bash\n#SBATCH --ntasks=1 --time=10\nnow() { echo "${EPOCHREALTIME/./}"; }\n'
STEPS = 200
# What is measured: a body that prints microseconds, and the bar of the project, in times of the real srun.
BODIES = {
    "srun true": (HEAD + "now\nsrun true\nnow\n" * 9, 2.0),
    f"{STEPS} steps in a loop": (HEAD + f"now\nfor ((i = 0; i < {STEPS}; i++)); do srun true; done\nnow\n", 1.0),
}
# A job that takes longer is none of these.
HANGS_S = 240


def measure(rounds: int) -> dict[str, tuple[float, float]] | None:
    """Name to the medians of flowc's and of the real times in seconds; each round runs all, so that a busy moment hits
    all of them. None where no real Slurm can run here."""
    if os.geteuid() != 0 or not all(map(shutil.which, cluster.PROGRAMS)):
        return None
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in BODIES}
    with tempfile.TemporaryDirectory() as folder, Cluster() as real:
        runs: list[Callable[[Body], Outcome]] = [
            lambda body: rented.run(body, hangs=HANGS_S),
            lambda body: real.run(body, HANGS_S),
        ]
        for _ in range(rounds):
            for number, (name, (text, _bar)) in enumerate(BODIES.items()):
                path = Path(folder) / f"{number}.sbatch"
                path.write_text(text)
                for times, run in zip(found[name], runs, strict=True):
                    times.append(_seconds(run(Body(path))))
    return {name: (statistics.median(ours), statistics.median(theirs)) for name, (ours, theirs) in found.items()}


def _seconds(outcome: Outcome) -> float:
    """The median of what a body measured; ValueError where it did not run."""
    (text,) = (text for name, text in outcome.files.items() if name.startswith("slurm-"))
    # Slurm may say that the step before has not quite ended.
    stamps = [int(line) for line in text.splitlines() if line.isdigit()]
    if outcome.tasks != [("COMPLETED", 0)]:
        raise ValueError(f"a job of the bench ended with {outcome.tasks}")
    return statistics.median(later - before for before, later in zip(stamps[::2], stamps[1::2], strict=True)) / 1e6


def report(found: dict[str, tuple[float, float]] | None) -> str:
    """A table."""
    if found is None:
        return "steps beside a real Slurm: needs root, slurmctld, slurmd and slurm-client"
    lines = [f"{'steps, ms':<34}{'flowc':>10}{'Slurm':>8}{'ratio':>8}   bar"]
    for name, (ours, theirs) in found.items():
        bar = BODIES[name][1]
        lines.append(f"{name:<34}{ours * 1000:>10.1f}{theirs * 1000:>8.1f}{ours / theirs:>8.2f}   {bar:.1f}")
    return "\n".join(lines)
