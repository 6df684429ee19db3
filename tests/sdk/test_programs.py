"""Small programs as users of the SDK write them (`programs/`), on this computer and at the loopback provider."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.tasks.conftest import ROOT, Cloud

PROGRAMS = sorted((Path(__file__).parent / "programs").rglob("*.py"))
# The machines of these tests have no file shares.
NOT_THERE = {"volumes", "volumes_again"}
OF_EVERY_DAY = {"function", "hello"}


def there(path: Path) -> ParameterSet:
    return pytest.param(path, id=path.stem, marks=[] if path.stem in OF_EVERY_DAY else [pytest.mark.slow])


def run(path: Path, home: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-B", str(path)], cwd=home, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_runs_here(path: Path, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    run(path, tmp_path, {**environ, "FLOW_PROVIDER": "local", "DOCKER_HOST": "unix:///nonexistent"})


@pytest.mark.parametrize("path", [there(path) for path in PROGRAMS if path.stem not in NOT_THERE])
def test_a_program_runs_there(path: Path, cloud: Cloud) -> None:
    run(path, cloud.person.home, cloud.person.environ)
    assert cloud.living() == []
