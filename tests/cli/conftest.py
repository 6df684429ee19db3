from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc.cli import main

ROOT = Path(__file__).resolve().parents[2]
GOOD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n"
BAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --tmie=10\nnvidia-smi\n"


class Outcome:
    """What a command line did: exit status, standard output, standard error."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def flowc(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command line in this process."""

    def run(*words: str) -> Outcome:
        status = main(list(words))
        return Outcome(status, *capfd.readouterr())

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a command line as a process of its own, in an environment that holds only what is given."""

    def run(*words: str, environ: dict[str, str] | None = None, **more: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [sys.executable, "-m", "flowc", *words],
            env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, **(environ or {})},
            capture_output=True,
            check=False,
            **more,
        )

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; no colours, no defaults of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("MITHRIL_", "SBATCH_", "SLURM_", "FORCE_", "NO_COLOR", "FLOWC_")):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def job(folder: Path) -> Path:
    (folder / "job.sbatch").write_text(GOOD)
    return folder / "job.sbatch"


@pytest.fixture
def bad(folder: Path) -> Path:
    (folder / "bad.sbatch").write_text(BAD)
    return folder / "bad.sbatch"
