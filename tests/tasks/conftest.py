"""Whole commands, as somebody types them: `here` with the local provider alone, `there` with the loopback provider."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines.ordinary import as_ordinary_user, folder_of_the_user, python
from tests.mithril import document
from tests.mithril.server import Server

ROOT = Path(__file__).resolve().parents[2]
JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


class Person:
    """Somebody with a home folder, who types commands in it."""

    def __init__(self, home: Path, program: str, options: dict[str, object], environ: dict[str, str]) -> None:
        self.home = home
        self.program = program
        self.options = options
        self.environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), **environ}

    def starts(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.program, "-B", "-m", "flowc", *words],
            cwd=self.home,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self.options,  # type: ignore[call-overload]
        )

    def types(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        process = self.starts(*words, **environ)
        out, err = process.communicate(timeout=300)
        assert "internal error" not in err, err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def job(self, text: str, name: str = "job.sbatch", head: str = JOB) -> str:
        (self.home / name).write_text(head + text)
        return name


@pytest.fixture
def here() -> Iterator[Person]:
    program = python()
    for folder in folder_of_the_user():
        yield Person(Path(folder), program, as_ordinary_user(), {})


@pytest.fixture
def provider() -> Iterator[Server]:
    with Server(judge=document.JUDGE) as server:
        yield server


@pytest.fixture
def there(provider: Server, tmp_path: Path) -> Person:
    environ = {"MITHRIL_API_URL": provider.url, "MITHRIL_API_KEY": provider.key, "MITHRIL_PROJECT": "research"}
    return Person(tmp_path, sys.executable, {}, environ)
