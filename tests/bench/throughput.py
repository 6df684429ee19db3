"""Throughput: whole compilations in one process on one core, over the corpus, and what each stage takes of
them.

`python -m tests.bench.throughput` prints a line of numbers: compilations a second, then seconds a job by
target.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.bench.processes import JOB
from tests.corpus import CASES, load

STAGES = ("ast", "ir", "plan", "mithril")
BAR, AIM = 1000, 2000
YAML_BAR = 500
PRICES_BAR_S = 3.0


def jobs(folder: str = "slurm") -> list[tuple[str, bytes, Inputs]]:
    """The cases of a format that give a bid: path, bytes, what else is told. Bytes, so that reading them is part of the
    work."""
    found = [load(case) for case in CASES if case.parent.name == folder]
    return [(source.path, source.data, inputs) for source, inputs in found if not driver.compile(source, inputs).failed]


def seconds_per_job(work: list[tuple[str, bytes, Inputs]], target: str, least_s: float) -> float:
    """The best round's time of a job: what disturbs a round only ever adds to it."""
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < least_s:
        start = time.perf_counter()
        for path, data, inputs in work:
            driver.compile(Source.from_bytes(path, data), inputs, emit=target)
        best = min(best, (time.perf_counter() - start) / len(work))
    return best


def measure(least_s: float = 1.5) -> tuple[int, dict[str, float]]:
    work = jobs()
    return len(work), {target: seconds_per_job(work, target, least_s) for target in STAGES}


def formats(least_s: float = 1.0) -> str:
    """Bids a second for each other format of the corpus."""
    lines = [f"{'format':<22}{'jobs':>6}{'bids/s':>10}   bar"]
    for folder in sorted({case.parent.name for case in CASES} - {"slurm", "same"}):
        work = jobs(folder)
        if work:
            each = seconds_per_job(work, "mithril", least_s)
            lines.append(f"{folder:<22}{len(work):>6}{1 / each:>10,.0f}   {YAML_BAR}")
    return "\n".join(lines)


def prices(jobs_: int = 1000) -> str:
    """What a page of so many jobs takes, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        names = [shutil.copy(JOB, f"{folder}/{number}.sbatch") for number in range(jobs_)]
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "flowc", "price", *names], capture_output=True, check=True)
        return f"flowc price of {jobs_:,} jobs: {time.perf_counter() - start:.2f} s (bar {PRICES_BAR_S:.0f})"


def report(count: int, times: dict[str, float], earlier: float | None) -> str:
    """`earlier`: the last release's compilations a second, None where there is none."""
    whole = 1 / times["mithril"]
    lines = [f"{count} jobs of the corpus: {whole:,.0f} bids a second and core (bar {BAR:,}, aim {AIM:,})"]
    if earlier is not None:
        lines.append(f"last release: {earlier:,.0f}, now {whole / earlier:.2f} times that")
    lines += ["", f"{'stage':<22}{'µs a job':>10}{'share':>8}"]
    names = {"ast": "read", "ir": "lower", "plan": "passes", "mithril": "emit"}
    before = 0.0
    for target, seconds in times.items():
        # The documents of ast, ir and plan are written only when asked for: a stage's share is a little
        # overstated.
        own = max(0.0, seconds - before)
        lines.append(f"{names[target]:<22}{own * 1e6:>10.0f}{own / times['mithril']:>8.0%}")
        before = seconds
    return "\n".join(lines)


if __name__ == "__main__":
    print(1 / measure()[1]["mithril"])
