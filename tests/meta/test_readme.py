"""The example in README.md is real: its commands are run, and what they print is what stands there (`--update`)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```\n\$ (?P<command>.*)\n(?P<output>(?s:.*?))^```$", re.MULTILINE)


def printed(command: str, folder: Path) -> str:
    """What a shell prints for `command`, with the program of this checkout first on the path."""
    folder.joinpath("bin").mkdir(exist_ok=True)
    program = folder / "bin" / "flowc"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m flowc "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_example_prints_what_the_readme_says(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = README.read_text()
    _, *blocks = BLOCK.finditer(text)  # the first is run in tests/tasks/test_run.py
    assert len(blocks) == 3, "README.md shows a job, its check and its report"
    assert blocks[0]["command"] == "cat job.sbatch"
    tmp_path.joinpath("job.sbatch").write_text(blocks[0]["output"])
    found = text
    for block in blocks[1:]:
        output = printed(block["command"], tmp_path)
        found = found.replace(block[0], f"```\n$ {block['command']}\n{output}```")
    if request.config.getoption("--update"):
        README.write_text(found)
    assert found == README.read_text()
