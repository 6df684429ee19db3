"""Compares flowc with the real sbatch on made-up scripts: `python -m tests.differential --count 20000 --seed 1`.

Both must accept the same scripts, with equal options in every component. What may differ is listed in EXPLAINED, with
the reason. Exit status 1 when anything else does. Needs the program sbatch (Debian: slurm-client).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from flowc.diag.sink import Sink
from flowc.frontends.slurm.read import read
from flowc.frontends.slurm.words.getopt import release
from flowc.inputs import Inputs
from flowc.source import Source
from tests.frontends.slurm import generator

ORACLE = Path(__file__).parent / "oracle" / "sbatch_oracle.py"


def ask_sbatch(cases: list[dict[str, Any]], sbatch: str = "sbatch") -> list[dict[str, Any]]:
    """What the real sbatch makes of each case; `sbatch` is its path."""
    lines = "\n".join(json.dumps({**case, "path": "job.sh"}) for case in cases)
    done = subprocess.run(
        [sys.executable, str(ORACLE), "--jsonl", "--sbatch", sbatch],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask_flowc(case: dict[str, Any], version: str = "22.05") -> dict[str, Any]:
    """The same of flowc, in the oracle's form; `codes` names the diagnostics."""
    sink = Sink()
    data = (case["script"] or "").encode("utf-8", "surrogateescape")
    inputs = Inputs(
        args=tuple(case.get("args") or ()),
        environ=tuple((case.get("env") or {}).items()),
        slurm_version=version,
    )
    ast = read(Source.from_bytes("job.sh", data), inputs, sink)
    components = [component.options for component in ast.components] if ast else [{}]
    result: dict[str, Any] = {"ok": not sink.failed and ast is not None, "options": components[0]}
    if len(components) > 1:
        result["het"] = components
    result["codes"] = {each.code.id for each in sink.diagnostics}
    result["error"] = "; ".join(each.message for each in sink.diagnostics if each.severity == "error")
    return result


def newer_option(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> bool:
    """An option that only newer Slurm knows, or one of a known plugin, is accepted and noted (contract §3)."""
    return bool({"FC112", "FC114"} & own["codes"]) and not real["ok"]


def operand(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> bool:
    """A word of its own on the command line is the script's name to sbatch, an argument of the script to flowc."""
    return bool(re.search("Unable to open file|not permitted with --wrap", real["error"] or ""))


def reads_a_file(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> bool:
    """flowc reads no file but the script."""
    return "FC113" in own["codes"] and real["ok"]


def clock(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> bool:
    """Points in time that depend on the clock keep their text."""
    if not (real["ok"] and own["ok"]) or len(real.get("het", ())) != len(own.get("het", ())):
        return False
    pairs = zip(real.get("het", [real["options"]]), own.get("het", [own["options"]]), strict=True)
    return all(
        {key: value for key, value in theirs.items() if key not in ("begin", "deadline")}
        == {key: value for key, value in ours.items() if key not in ("begin", "deadline")}
        and all(
            not ours[key][:4].isdigit() or len(ours[key]) != 19
            for key in ("begin", "deadline")
            if key in ours and ours[key] != theirs[key]
        )
        for theirs, ours in pairs
    )


def both_packs(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> bool:
    """`pack,nopack`: sbatch prints an error within its list of options, which the oracle takes for `--error`."""
    return "Unknown distribution flag" in str(real)


def quiet(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> bool:
    """`--quiet` conflicts with the oracle's own `--verbose`."""
    return "don't specify both --verbose" in (real["error"] or "")


EXPLAINED = (newer_option, operand, reads_a_file, clock, both_packs, quiet)


def agree(real: dict[str, Any], own: dict[str, Any]) -> bool:
    if real["ok"] != own["ok"]:
        return False
    return not real["ok"] or (real["options"] == own["options"] and real.get("het") == own.get("het"))


def explanation(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> str | None:
    """The class of an expected difference."""
    return next((each.__name__ for each in EXPLAINED if each(case, real, own)), None)


def describe(case: dict[str, Any], real: dict[str, Any], own: dict[str, Any]) -> str:
    shown = [f"script {case['script']!r}", f"args {case.get('args')} env {case.get('env')}"]
    for name, result in (("sbatch", real), ("flowc", own)):
        verdict = "accepts" if result["ok"] else "refuses"
        shown.append(f"  {name:6} {verdict} {result.get('het', result['options'])} {result['error']}")
    return "\n".join(shown)


def main(argv: list[str]) -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--count", type=int, default=20000)
    cli.add_argument("--seed", type=int, default=1)
    cli.add_argument("--show", type=int, default=20, help="differences to print")
    cli.add_argument("--sbatch", default="sbatch", help="another sbatch, of the release that --slurm-version names")
    cli.add_argument("--slurm-version", default="22.05")
    options = cli.parse_args(argv)
    version = release(options.slurm_version)
    random = Random(options.seed)
    tally: Counter[str] = Counter()
    for start in range(0, options.count, 500):
        cases = [generator.case(random, version) for _ in range(min(500, options.count - start))]
        for case, real in zip(cases, ask_sbatch(cases, options.sbatch), strict=True):
            own = ask_flowc(case, options.slurm_version)
            tally["accepted" if real["ok"] else "refused"] += 1
            if agree(real, own):
                continue
            reason = explanation(case, real, own)
            tally[f"explained: {reason}" if reason else "DIFFERENT"] += 1
            if reason is None and tally["DIFFERENT"] <= options.show:
                print(describe(case, real, own), flush=True)
    print(", ".join(f"{name} {count}" for name, count in sorted(tally.items())))
    return 1 if tally["DIFFERENT"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
