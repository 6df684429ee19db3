"""`python -m tests.step_sets [--count N] [--seed S] [--first F]`: sets of background steps made by chance, on a real
Slurm and on the machines that flowc would rent. Both must place each step alike, and run the same steps at one time.

Prints the sets that differ, those with a known reason as counts. Exit status 1 for one without.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.step_sets.bodies import make
from tests.step_sets.compare import compared, run_flowc, run_slurm


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--count", type=int, default=500, help="sets (default: 500)")
    cli.add_argument("--seed", type=int, default=1, help="what they are made from (default: 1)")
    cli.add_argument("--first", type=int, default=0, help="number of the first set (default: 0)")
    args = cli.parse_args()
    jobs = make(args.count, args.seed, args.first)
    began = time.monotonic()
    report = compared(jobs, run_slurm(jobs), run_flowc(jobs))
    print("\n".join(report.lines))
    for reason, count in sorted(report.reasons.items()):
        print(f"{count:4} {reason}")
    known = sum(report.reasons.values())
    print(f"{report.steps} steps ran, {report.waited} of them had to wait, {time.monotonic() - began:.0f} s")
    print(f"{args.count} sets: {report.equal} equal, {known} differ as is known, {report.bad} differ")
    return 1 if report.bad else 0


if __name__ == "__main__":
    sys.exit(main())
