"""Programs that SkyPilot installs on its machines, and tasks call as their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.frontends.skypilot.reading import checked, jobs, names

BASE = "resources: {accelerators: H100:8}\n"
RUN, SETUP = BASE + "run: |\n  ", BASE + "run: 'true'\nsetup: |\n  "
INSTALLED = [
    RUN + "uv run train.py\n",
    RUN + "cd a && uvx ruff check\n",
    SETUP + "uv venv --python 3.11\n  uv pip install torch\n",
    BASE + "setup: |\n  sudo apt-get install -y git\nrun: |\n  uv run train.py\n",
]
NOT = [
    RUN + "python train.py --env=uv\n",
    RUN + "pip install uv && uv run train.py\n",
    BASE + "setup: pip install uv\nrun: uv run train.py\n",
    SETUP + "curl -LsSf https://astral.sh/uv/install.sh | sh\n  uv venv\n",
    BASE.replace("}", ", image_id: 'docker:ubuntu:24.04'}") + "run: uv run train.py\n",
]


@pytest.mark.parametrize("task", INSTALLED)
def test_uv_is_installed_where_a_task_only_calls_it(task: str) -> None:
    (job,) = jobs(task)
    first, _, rest = job["setup"].partition("\n")
    assert first.startswith("command -v uv ")
    assert job["programs"] == ["uv", "uvx"]
    assert rest == yaml.safe_load(task).get("setup", "")
    found = [each for each in checked(task).diagnostics if each.code.name in ("program-installed", "command-missing")]
    assert [each.code.name for each in found] == ["program-installed"]
    span = found[0].span
    assert span.source.text[span.start : span.end] in ("uv", "uvx")


@pytest.mark.parametrize("task", NOT)
def test_what_a_task_or_its_image_brings_is_left_to_them(task: str) -> None:
    (job,) = jobs(task)
    assert "command -v uv" not in (job["setup"] or "")
    assert "program-installed" not in names(task)


@pytest.mark.parametrize("fails", [False, True])
def test_the_setup_brings_it_once_or_ends(fails: bool, tmp_path: Path) -> None:
    (job,) = jobs(SETUP + "uv venv\n")
    program = (
        "exit 1"
        if fails
        else f"echo $* >>calls; printf '#!/bin/sh\\necho uv $*\\n' >{tmp_path}/uv; chmod 755 {tmp_path}/uv"
    )
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "python3").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    for _ in range(2):
        done = subprocess.run(
            ["/bin/bash", "-c", job["setup"]], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True
        )
        wanted = (1, "", "flowc: cannot bring program uv\n") if fails else (0, "uv venv\n", "")
        assert (done.returncode, done.stdout, done.stderr) == wanted
    if not fails:
        assert (tmp_path / "calls").read_text() == "-m pip install -q uv\n"
