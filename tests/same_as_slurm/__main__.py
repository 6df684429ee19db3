"""`python -m tests.same_as_slurm [--real [--update]] [PATTERN]`: the bodies in whose THEME/NAME the regular expression
PATTERN is found, under flowc and under Slurm.

Prints the differences, those that are meant as counts with their reason. What Slurm does is read from the golden files;
with --real it runs too, and must do what they say. Exit status 1 for a difference that is not meant, for a row of the
table of known differences that nothing needs (without PATTERN), and for a golden file that is wrong.
"""

from __future__ import annotations

import argparse
import sys

from tests.same_as_slurm.body import Plain, bodies, read_golden, write_golden
from tests.same_as_slurm.compare import Report, differences, run_flowc
from tests.same_as_slurm.real import run_slurm


def changed(golden: dict[str, Plain], real: dict[str, Plain]) -> list[str]:
    """What Slurm does otherwise than the golden files say."""
    lines = []
    for name, found in sorted(real.items()):
        if name not in golden:
            lines.append(f"{name}: new")
            continue
        for what, before, now in differences(golden[name], found):
            lines += [f"{name}: {what}", f"    golden {before}", f"    slurm  {now}"]
    return lines


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("pattern", nargs="?", default="")
    cli.add_argument("--real", action="store_true", help="run the bodies on a real cluster too")
    cli.add_argument("--update", action="store_true", help="accept what the real cluster does as the golden files")
    args = cli.parse_args()
    chosen = bodies(args.pattern)
    golden = {name: each for theme in {body.theme for body in chosen} for name, each in read_golden(theme).items()}
    wrong: list[str] = []
    if args.real or args.update:
        real = run_slurm(chosen)
        wrong = changed(golden, real)
        print("\n".join(wrong or ["Slurm does what the golden files say"]))
        if args.update:
            write_golden(real)
            wrong = []
        golden = real
    report = Report(chosen, golden, run_flowc(chosen))
    print("\n".join(report.lines))
    for reason, count in sorted(report.reasons.items()):
        print(f"{count:4} {reason}")
    unused = [] if args.pattern else report.unused
    for row in unused:
        print(f"nothing needs {row}")
    meant = len(chosen) - report.equal - len(report.bad)
    print(f"{len(chosen)} bodies: {report.equal} equal, {meant} differ as is meant, {len(report.bad)} differ")
    return 1 if report.bad or unused or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
