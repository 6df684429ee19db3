"""Start-up: what a whole process costs, in units of the bare interpreter that runs it."""

from __future__ import annotations

import compileall
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JOB = str(ROOT / "corpus" / "slurm" / "train-8-gpus" / "input.sbatch")
# The largest case of each format in YAML that a check passes.
TASKS = {name: ROOT / "corpus" / name for name in ("task-yaml", "foundry-yaml", "k8s", "skypilot")}
# The bars of the project: at most, and what it aims at.
BARS = {
    "flowc check": (2.4, 2.0),
    "flowc compile": (2.9, 2.5),
    "flowc price": (5.2, None),
    **{f"flowc check, {name}": (3.0, 2.5) for name in TASKS},
    "flowc check, no .pyc": (4.0, 3.0),
}
WORKFLOW = ROOT / "tests" / "bench" / "workflow.yml"
# As today's installers write it.
LAUNCHER = """\
import sys
sys.path.insert(0, {tree!r})
from flowc.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""
# The bundle holds no code of files that have changed just now.
SETTLED_S = 2.5


def commands(folder: Path, tree: Path | None) -> dict[str, list[str]]:
    """What is measured: name to words. `tree` holds an older flowc to be compared with, or is None. What the commands
    need is put into `folder`."""
    found = {"python3 -c pass": [sys.executable, "-c", "pass"]}
    flowc = _launcher(folder / "here", ROOT)
    for name in ("check", "compile"):
        found[f"flowc {name}"] = [*flowc, name, JOB]
        found[f"python -m flowc {name}"] = [sys.executable, "-m", "flowc", name, JOB]
        if tree is not None:
            found[f"flowc {name}, last release"] = [*_launcher(folder / "release", tree), name, JOB]
    found["flowc price"] = [*flowc, "price", JOB]
    # A fresh checkout that may not write such files, with the cache folder of earlier commands.
    shutil.copytree(ROOT / "flowc", folder / "fresh" / "flowc", ignore=shutil.ignore_patterns("__pycache__"))
    found["flowc check, no .pyc"] = [*_launcher(folder / "bare", folder / "fresh", "-B"), "check", JOB]
    for name, folder in TASKS.items():
        files = [path for path in folder.glob("*/input.yaml") if not (path.parent / "args").exists()]
        good = [path for path in files if (path.parent / "ir.json").exists()]
        if good:
            found[f"flowc check, {name}"] = [*flowc, "check", str(max(good, key=lambda path: path.stat().st_size))]
    found["flowc --version"] = [*flowc, "--version"]
    for name, words in (
        ("sbatch --test-only", ["sbatch", "--test-only", JOB]),
        ("shellcheck", ["shellcheck", JOB]),
        ("yamllint", ["yamllint", "-d", "relaxed", str(TASKS["k8s"])]),
        ("ruff check", ["ruff", "check", "--no-cache", str(ROOT / "flowc" / "version.py")]),
        ("actionlint", ["actionlint", "-shellcheck=", "-pyflakes=", str(WORKFLOW)]),
    ):
        # Those of this environment too, which a command need not have on its PATH.
        program = shutil.which(words[0], path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if program is not None:
            found[name] = [program, *words[1:]]
    return found


def _launcher(folder: Path, tree: Path, *flags: str) -> list[str]:
    """The words that start the flowc of a tree as an installed command does."""
    folder.mkdir(exist_ok=True)
    path = folder / "flowc"
    path.write_text(LAUNCHER.format(tree=str(tree)))
    return [sys.executable, *flags, str(path)]


def once(words: list[str]) -> float:
    """Seconds from start to end of a process; its output goes nowhere."""
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    program = shutil.which(words[0]) or words[0]
    start = time.perf_counter()
    pid = os.posix_spawn(program, words, os.environ, file_actions=nowhere)
    os.waitpid(pid, 0)
    return time.perf_counter() - start


def measure(rounds: int, tree: Path | None) -> dict[str, float]:
    """Name to the median of its times in seconds; each round runs every command once, so that a busy moment
    of the machine hits all of them."""
    for folder in filter(None, (ROOT / "flowc", tree and tree / "flowc")):  # as an installation has it
        compileall.compile_dir(folder, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        todo = commands(Path(folder), tree)
        time.sleep(SETTLED_S)
        times: dict[str, list[float]] = {name: [] for name in todo}
        for number in range(rounds + 2):
            for name, words in todo.items():
                taken = once(words)
                if number >= 2:  # the first rounds fill the caches
                    times[name].append(taken)
    return {name: statistics.median(each) for name, each in times.items()}


def report(medians: dict[str, float]) -> str:
    unit = medians["python3 -c pass"]
    lines = [f"{'process':<34}{'median ms':>10}{'ratio':>8}   bar (aim)"]
    for name, seconds in medians.items():
        bar, aim = BARS.get(name, (None, None))
        limits = "" if bar is None else f"{bar:.1f}" + (f" ({aim:.1f})" if aim else "")
        lines.append(f"{name:<34}{seconds * 1000:>10.1f}{seconds / unit:>8.2f}   {limits}".rstrip())
    return "\n".join(lines)
