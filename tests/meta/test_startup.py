"""What a command imports: start-up time is decided by that, and unlike a time it can be asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JOB = ROOT / "corpus" / "slurm" / "train-8-gpus" / "input.sbatch"

# Each of these costs a third of an interpreter's start or more.
HEAVY = {
    *(
        "argparse",
        "dataclasses",
        "difflib",
        "inspect",
        "json",
        "logging",
        "pathlib",
        "shlex",
        "subprocess",
        "typing",
    ),
    *(
        "importlib.metadata",
        "importlib.resources",
        "multiprocessing",
        "tempfile",
        "traceback",
        "urllib.parse",
    ),
    *("lark", "jinja2", "yaml", "pydantic"),
}


def imported(*words: str) -> set[str]:
    program = (
        "import sys; before = set(sys.modules); from flowc.cli import main; status = main(sys.argv[1:]); "
        "sys.stderr.write(chr(10).join(sorted(set(sys.modules) - before))); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("words", [["check"], ["compile", "--emit", "script"]], ids=" ".join)
def test_command_imports_nothing_heavy(words: list[str]) -> None:
    assert imported(*words, str(JOB)) & HEAVY == set()


@pytest.mark.parametrize(
    "words", [["compile"], ["compile", "--emit", "plan"], ["compile", "--emit", "ast"]], ids=" ".join
)
def test_compilation_needs_no_library_of_others(words: list[str]) -> None:
    heavy = HEAVY - {"json", "json.decoder", "json.encoder"}
    assert imported(*words, str(JOB)) & heavy == set()


def test_help_loads_no_compiler() -> None:
    assert "flowc.driver" not in imported("--help")
    assert "flowc.driver" not in imported("compile", "--help")
