"""Many scenes at once, beside busy loops: `python -m tests.supervisor --count 20000`.

The first twentieth of them runs with the real tick of five seconds. Prints each scene that went wrong, with the seed
that draws it again, and exits with 1 if there was one. `--log FILE` keeps a line for each, and those are not
run again.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scenes import busy, draw, play

SHORT_S, REAL_S = 0.2, 5.0
BUSY = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first scene")
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument(
        "--log", type=Path, default=None, help="seeds that are done and what was wrong; goes on from there"
    )
    options = parser.parse_args()
    real = options.count // 20
    numbers = list(range(options.first, options.first + options.count))
    log = options.log.open("a+") if options.log else io.StringIO()
    log.seek(0)
    found = dict(line.rstrip("\n").split("\t") for line in log)

    def one(number: int) -> None:
        tick = REAL_S if number - options.first < real else SHORT_S
        scene = draw(random.Random(number), tick)
        folder = Path(tempfile.mkdtemp(dir=top))
        try:
            wrong = play(scene, folder)
        except Exception as error:  # a harness that breaks must not look like a right run
            wrong = repr(error)
        if wrong is None:
            shutil.rmtree(folder)
        else:
            wrong = f"{scene}: {wrong}"
            print(f"{number}: {wrong}", flush=True)
        found[str(number)] = " ".join((wrong or "").split())
        print(number, found[str(number)], sep="\t", file=log, flush=True)
        if len(found) % 500 == 0:
            print(f"{len(found)} of {options.count}", flush=True)

    numbers = [number for number in numbers if str(number) not in found]
    loops = [busy() for _ in range(BUSY)]
    try:
        # The real ticks wait most of their time: many of them at once, beside the others.
        with (
            tempfile.TemporaryDirectory() as top,
            ThreadPoolExecutor(options.at_once) as pool,
            ThreadPoolExecutor(options.at_once) as waiting,
        ):
            jobs = [(waiting if number - options.first < real else pool).submit(one, number) for number in numbers]
            for job in jobs:
                job.result()
    finally:
        for loop in loops:
            loop.kill()
    wrong = {number: what for number, what in found.items() if what}
    print(f"{len(found)} runs, {real} of them with the real tick: {len(wrong)} wrong")
    for number, what in wrong.items():
        print(f"{number}: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
