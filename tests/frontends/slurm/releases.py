"""What each release of sbatch makes of the directives in releases.jsonl, as was recorded from the real programs:

`python -m tests.frontends.slurm.releases 22.05=/usr/bin/sbatch 26.05=/opt/slurm-26.05/bin/sbatch` asks them anew.
A line holds a case of the oracle and what sbatch prints of it, null where it refuses, from each release on that changed
the answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flowc.inputs import SLURM_RELEASES
from tests.differential import ask_sbatch

RECORDED = Path(__file__).parent / "releases.jsonl"


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]


def script(row: dict[str, Any]) -> dict[str, Any]:
    """The row as a case."""
    text = "".join(f"#SBATCH {line}\n" for line in row["directives"])
    return {"script": f"#!/bin/bash\n{text}hostname\n", "args": row.get("args", []), "env": row.get("env", {})}


def answers(row: dict[str, Any]) -> dict[str, Any]:
    """The answer of every release."""
    told: dict[str, Any] = {}
    last: Any = None
    for release in SLURM_RELEASES:
        last = row.get("answers", {}).get(release, last)
        told[release] = last
    return told


def answer(real: dict[str, Any]) -> Any:
    return real.get("het", real["options"]) if real["ok"] else None


def main(programs: list[str]) -> None:
    recorded = rows()
    for release, _, program in (each.partition("=") for each in programs):
        cases = [script(row) for row in recorded]
        for row, real in zip(recorded, ask_sbatch(cases, program), strict=True):
            row["answers"] = {**answers(row), release: answer(real)}
    for row in recorded:
        told = answers(row)
        row["answers"] = {
            release: told[release]
            for at, release in enumerate(told)
            if at == 0 or told[release] != list(told.values())[at - 1]
        }
    RECORDED.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in recorded), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
