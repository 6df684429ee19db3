"""Submissions that are cut at every moment: `python -m tests.faults --count 2000`.

Prints a table, and each run that went wrong with its number, which is the same each time (`--first NUMBER`); exits with
1 if there was one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.faults import graphs
from tests.faults.judge import Verdict
from tests.faults.plans import ROWS, Plan, draw
from tests.faults.power import Disk
from tests.faults.runs import count_moments, play

_disk: list[Disk] = []
COLUMNS = (
    "runs",
    "processes",
    "calls",
    "struck",
    "bids",
    "double",
    "lost",
    "orphans",
    "stuck",
    "silent",
    "told",
    "ended_again",
)
HEADS = {"struck": "went wrong", "told": "keys told", "ended_again": "placed twice, one ended"}


def one(plan: Plan) -> tuple[Verdict, str]:
    """Within a worker."""
    if not _disk:
        _disk.append(Disk())
    with tempfile.TemporaryDirectory() as folder:
        try:
            verdict = play(plan, Path(folder), None if plan.real else _disk[0])
        except Exception as error:  # a harness that breaks must not look like a right run
            verdict = Verdict(row=plan.row, stuck=1, why=[f"{type(error).__name__}: {error}"])
    return verdict, str(plan)


def table(verdicts: list[Verdict]) -> str:
    rows: dict[str, list[Verdict]] = defaultdict(list)
    for each in verdicts:
        rows[each.row].append(each)
    heads = ["", *(HEADS.get(name, name) for name in COLUMNS)]
    lines = [[name, *_sums(rows[name])] for name in ROWS if rows[name]]
    lines.append(["all", *_sums(verdicts)])
    widths = [max(len(line[place]) for line in (heads, *lines)) for place in range(len(heads))]
    return "\n".join(
        "  ".join(text.ljust(width) if not place else text.rjust(width) for place, (text, width) in
                  enumerate(zip(line, widths, strict=True)))
        for line in (heads, *lines)
    )  # fmt: skip


def _sums(verdicts: list[Verdict]) -> list[str]:
    return [str(len(verdicts)), *(str(sum(getattr(each, name) for each in verdicts)) for name in COLUMNS[1:])]


def graphs_of(count: int, first: int, at_once: int) -> int:
    """Runs of graphs. The exit status."""
    with tempfile.TemporaryDirectory() as folder:
        most = graphs.moments(Path(folder))
    print("moments of an undisturbed run: " + ", ".join(f"{name} {count}" for name, count in most.items()))
    found, wrong = [], 0
    with ProcessPoolExecutor(at_once) as pool:
        for each, run in pool.map(graphs.one, graphs.draw(count, most)[first:]):
            found.append(each)
            if each.why:
                wrong += 1
                print(f"WRONG {run}\n  " + "\n  ".join(each.why), flush=True)
    print(graphs.table(found))
    print(f"{wrong} of {len(found)} runs went wrong")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="leave out those before it")
    parser.add_argument("--row", choices=ROWS, help="runs of one line of the table only")
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--graphs", type=int, metavar="COUNT", help="so many runs of graphs of jobs instead")
    options = parser.parse_args()
    if options.graphs is not None:
        return graphs_of(options.graphs, options.first, options.at_once)
    with tempfile.TemporaryDirectory() as folder:
        moments = count_moments(Path(folder))
    print("moments of an undisturbed run: " + ", ".join(f"{name} {count}" for name, count in moments.items()))
    plans = [each for each in draw(options.count, moments)[options.first :] if options.row in (None, each.row)]
    verdicts, wrong = [], 0
    with ProcessPoolExecutor(options.at_once) as pool:
        for verdict, plan in pool.map(one, plans):
            verdicts.append(verdict)
            if verdict.wrong:
                wrong += 1
                print(f"WRONG {plan}\n  " + "\n  ".join(verdict.why), flush=True)
            if len(verdicts) % 200 == 0:
                print(f"{len(verdicts)} of {len(plans)}", file=sys.stderr, flush=True)
    print(table(verdicts))
    print(f"{wrong} of {len(verdicts)} runs went wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
