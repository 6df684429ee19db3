"""`python -m tests.same_as_slurm.releases.record 22.05 26.05=/opt/slurm-26.05 [--only PATTERN]`: what each of these
releases makes of bodies/, kept in golden.json.

22.05 is Debian's; another is a folder into which that release was installed (bin, sbin, lib/slurm). A body has the
outcome of the first release, and of each later one that changed it.
"""

from __future__ import annotations

import argparse
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.same_as_slurm.body import Body, Plain
from tests.same_as_slurm.cluster import Cluster
from tests.same_as_slurm.compare import loaded

FOLDER = Path(__file__).parent
GOLDEN = FOLDER / "golden.json"
AT_ONCE = 8


def bodies() -> list[Body]:
    return [Body(path) for path in sorted((FOLDER / "bodies").glob("*.sbatch"))]


def recorded() -> dict[str, dict[str, Plain]]:
    """By the body's name and the release."""
    found: dict[str, dict[str, Plain]] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    return found


def outcome(outcomes: dict[str, Plain], release: str) -> Plain:
    """What a release makes of a body."""
    return outcomes[max(each for each in outcomes if each <= release)]


def releases() -> list[str]:
    """Those that were asked."""
    found: list[str] = recorded()["releases"]["asked"]
    return found


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("releases", nargs="+")
    cli.add_argument("--only", default="")
    args = cli.parse_args()
    chosen = [body for body in bodies() if re.search(args.only, body.name)]
    golden = recorded()
    asked = set(golden.pop("releases", {"asked": []})["asked"])
    told = {name: {release: outcome(each, release) for release in asked} for name, each in golden.items()}
    for release, _, prefix in (each.partition("=") for each in args.releases):
        asked.add(release)
        with Cluster(Path(prefix) if prefix else None) as cluster, ThreadPoolExecutor(AT_ONCE) as pool:
            for body, found in zip(chosen, pool.map(cluster.run, chosen), strict=True):
                told.setdefault(body.name, {})[release] = loaded(found.plain(ordered=body.ordered))
    kept: dict[str, dict[str, Plain]] = {"releases": {"asked": sorted(asked)}}
    for body in bodies():
        last: Plain | None = None
        kept[body.name] = {}
        for release, found in sorted(told[body.name].items()):
            if found != last:
                kept[body.name][release] = last = found
    GOLDEN.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
