"""Ordinary good jobs, in all formats: nothing is wrong with them, so no warning is shown. Notes may be."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from flowc import driver
from flowc.diag.sink import Diagnostic
from flowc.inputs import Inputs
from flowc.source import Source
from tests.corpus import ROOT, told

CLEAN = ROOT / "corpus" / "clean"
COMMANDS = (CLEAN / "command-lines.txt").read_text().splitlines()
FILES = sorted(path for path in CLEAN.iterdir() if path.name != "command-lines.txt")
FORMATS = {".sbatch": "slurm", ".k8s.yaml": "k8s", ".sky.yaml": "skypilot", ".task.yaml": "task-yaml"}


def worse(found: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{each.code.id} {each.message}" for each in found if each.severity != "note"]


def format_of(path: Path) -> str:
    return next(name for suffix, name in FORMATS.items() if path.name.endswith(suffix))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_has_no_warning(path: Path) -> None:
    source = Source.from_bytes(path.name, path.read_bytes())
    assert worse(driver.check(source, Inputs(), frontend=format_of(path), measured=False).diagnostics) == []


@pytest.mark.parametrize("line", COMMANDS)
def test_command_line_has_no_warning(line: str) -> None:
    inputs = told(tuple(shlex.split(line)))
    assert inputs.command is not None
    assert worse(driver.check(inputs.command.source, inputs, frontend="command-line", measured=False).diagnostics) == []


def test_there_are_two_hundred_of_all_formats() -> None:
    counts = [sum(format_of(path) == name for path in FILES) for name in FORMATS.values()]
    assert len(FILES) + len(COMMANDS) >= 200
    assert min(*counts, len(COMMANDS)) >= 20
    assert len({path.read_bytes() for path in FILES}) == len(FILES)
