"""`python -m tests.bench [--rounds N] [--base COMMIT]`: start-up and throughput, as ratios within this run.

Another flowc is measured in the same rounds: that of a commit, or of the last release tag where there is one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import folders, output, processes, real, steps, tasks, throughput

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def other(commit: str | None) -> Iterator[tuple[str, Path] | None]:
    """(name, a folder with that commit, or else with the last release), None where no tag is reachable. The folder goes
    afterwards; in it is the helper in C that this installation has."""
    found = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode != 0 and not commit:
        yield None
        return
    tag = commit or found.stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "release"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), tag], cwd=ROOT, check=True)
        for helper in (ROOT / "flowc" / "scripts" / "packing").glob("*.so"):
            shutil.copy(helper, tree / "flowc" / "scripts" / "packing")
        try:
            yield tag, tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def earlier_throughput(tree: Path) -> float | None:
    """The release's compilations a second, measured with this bench; None where it no longer fits that
    release."""
    program = (
        f"import sys; sys.path.insert(0, {str(tree)!r}); import runpy; "
        "runpy.run_module('tests.bench.throughput', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    return float(done.stdout) if done.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="processes of each kind (default: 40)")
    parser.add_argument("--base", metavar="COMMIT", help="the commit to compare with (default: the last release)")
    parser.add_argument("--real", action="store_true", help="real texts alone")
    words = parser.parse_args()
    rounds = words.rounds
    with other(words.base) as release:
        print(f"compared with: {release[0] if release else 'nothing'}\n")
        print(real.report(release, max(1, rounds // 13)))
        print(f"\n{real.growth()}")
        if words.real:
            return
        print()
        print(processes.report(processes.measure(rounds, release[1] if release else None)))
        print()
        print(tasks.report(tasks.measure(max(3, rounds // 4))))
        print()
        print(folders.report(folders.measure(max(3, rounds // 4))))
        print()
        print(output.report(output.measure(rounds)))
        print()
        print(steps.report(steps.measure(max(1, rounds // 20))))
        print()
        count, times = throughput.measure()
        print(throughput.report(count, times, earlier_throughput(release[1]) if release else None))
        print()
        print(throughput.formats())
        print()
        print(throughput.prices())


if __name__ == "__main__":
    main()
