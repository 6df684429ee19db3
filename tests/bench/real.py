"""Texts as people write them: the corpus and generated scripts, through this flowc and that of another commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.bench.generated import script
from tests.corpus import CASES

ROOT = Path(__file__).resolve().parents[2]
COUNT = 400
LONG = 11  # the number of a generated script with a body of ordinary length
# In a process of its own with the flowc of a tree: CPU seconds of a round over the files of a folder, by what is done.
_WORK = """
import os, sys, time
tree, folder = sys.argv[1:3]
sys.path.insert(0, tree)
import flowc
assert flowc.__file__.startswith(tree)
from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
files = [(name, open(os.path.join(folder, name), "rb").read()) for name in sorted(os.listdir(folder))]
found = {}
for name, act in (("checks", driver.check), ("bids", driver.compile)):
    for each in files[::10]:
        act(Source.from_bytes(*each), Inputs())
    start = time.process_time()
    for each in files:
        act(Source.from_bytes(*each), Inputs())
    found[name] = time.process_time() - start
import json
print(json.dumps(found))
"""
_TREE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from flowc.cli import main; sys.exit(main())"


def fill(folder: Path, times: int = 1) -> int:
    """So many files: the corpus's batch scripts, and `times` as many generated ones as usual."""
    texts = [case / "input.sbatch" for case in CASES if (case / "input.sbatch").exists()]
    for number, path in enumerate(texts):
        (folder / f"corpus-{number}.sbatch").write_bytes(path.read_bytes())
    for number in range(COUNT * times):
        (folder / f"made-{number}.sbatch").write_text(script(number))
    return len(texts) + COUNT * times


def rates(trees: dict[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    """Of each tree: files a second and core, by what is done; the best of interleaved rounds."""
    found: dict[str, dict[str, float]] = {name: {} for name in trees}
    with tempfile.TemporaryDirectory() as folder:
        count = fill(Path(folder))
        for _ in range(rounds):
            for name, tree in trees.items():
                done = subprocess.run(
                    [sys.executable, "-c", _WORK, str(tree), folder], check=True, capture_output=True, text=True
                )
                for what, seconds in json.loads(done.stdout).items():
                    found[name][what] = max(found[name].get(what, 0), count / seconds)
    return found


def growth() -> str:
    """What a check and a bid take of one script, of one ten times as long, and of one a hundred times: per byte, in
    units of the first."""
    head, _, body = script(LONG).partition("\n\n")
    titles = f"{'bytes':>10}{'check ms':>10}{'a byte':>8}{'bid ms':>10}{'a byte':>8}"
    lines = [f"{'one script, so many times as long':<34}{titles}"]
    first: tuple[float, float] | None = None
    for times in (1, 10, 100):
        data = f"{head}\n\n{body * times}".encode()
        took = []
        for act in (driver.check, driver.compile):
            best = float("inf")
            for _ in range(5):
                start = time.process_time()
                act(Source.from_bytes("grown.sbatch", data), Inputs())
                best = min(best, time.process_time() - start)
            took.append(best / len(data))
        first = first or (took[0], took[1])
        pairs = zip(took, first, strict=True)
        each = "".join(f"{one * len(data) * 1000:>10.2f}{one / of:>8.2f}" for one, of in pairs)
        lines.append(f"{times:<34}{len(data):>10,}{each}")
    return "\n".join(lines)


def whole(tree: Path, times: int, cache: str, runs: int = 1) -> tuple[float, int]:
    """Seconds of the last of these runs of `check FOLDER`, and the peak memory of a process of it in KB."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), times)
        for _ in range(runs):
            read, write = os.pipe()
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-c", _TIMED, str(write), sys.executable, "-c", _TREE, str(tree), "check", folder],
                {**os.environ, "XDG_CACHE_HOME": cache},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, write, write),
                ],
            )
            os.close(write)
            with os.fdopen(read) as answer:
                seconds, memory = json.load(answer)
            os.waitpid(pid, 0)
    return seconds, memory


_TIMED = """
import json, os, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[2:], check=False)
took = time.perf_counter() - start
with os.fdopen(int(sys.argv[1]), "w") as answer:
    json.dump([took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss], answer)
"""


def report(base: tuple[str, Path] | None, rounds: int) -> str:
    """`base`: the name of another commit and a folder with it."""
    trees = {"now": ROOT, **({base[0]: base[1]} if base else {})}
    lines = [f"{'corpus and generated scripts':<34}" + "".join(f"{name:>14}" for name in trees) + f"{'ratio':>8}"]
    found = rates(trees, rounds)
    for what in ("checks", "bids"):
        numbers = [found[name][what] for name in trees]
        ratio = f"{numbers[0] / numbers[1]:>8.2f}" if base else ""
        lines.append(f"{what + ' a second and core':<34}" + "".join(f"{number:>14,.0f}" for number in numbers) + ratio)
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as cache:
            colds = [whole(tree, times, cache) for tree in trees.values()]
            warm = whole(ROOT, times, cache, runs=2)
        name = f"check of {COUNT * times:,} files, seconds"
        ratio = f"{colds[1][0] / colds[0][0]:>8.2f}" if base else ""
        lines.append(f"{name:<34}" + "".join(f"{seconds:>14.2f}" for seconds, _ in colds) + ratio)
        lines.append(f"{'  the same, unchanged':<34}{warm[0]:>14.2f}")
        lines.append(f"{'  peak memory of a process, MB':<34}" + "".join(f"{kb / 1024:>14.1f}" for _, kb in colds))
    return "\n".join(lines)
