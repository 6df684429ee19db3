"""A user's own program, by a strict type checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import pathlib
from collections.abc import Iterator

import flowc as flow
from flowc import Flow, FlowError, InsufficientQuotaError, Task, TaskConfig, VolumeSpec

task = flow.run("python train.py", gpu="a100", max_price_per_hour=12.5, env={"A": "b"}, wait=True)
text: str = task.logs()
lines: Iterator[str] = task.logs(follow=True)
status: str = task.status
config = TaskConfig(
    instance_type="a100-80gb.sxm.4x",
    command=["python", "train.py"],
    volumes=[VolumeSpec(name="models", size_gb=500)],
    max_price_per_hour=15.0,
)
if config.region is None:
    size: int | None = config.volumes[0].size_gb
tasks: list[Task] = Flow(provider="local").run_all(pathlib.Path("job.sbatch"))
for found in flow.find_instances({"gpu_memory_gb": 40}):
    print(found["instance_type"])
try:
    Flow().submit(config, secrets=["TOKEN"])
except InsufficientQuotaError as error:
    print(error.regions)
except FlowError as error:
    print(error.suggestions)
"""
WRONG = """
import flowc

flowc.run("python train.py", gpus=3)
flowc.run("python train.py", num_instances="two")
flowc.TaskConfig(nmae="x")
"""


def checked(text: str, folder: Path) -> str:
    path = folder / "program.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder), str(path)],
        cwd=folder,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_types_are_complete_and_hold(tmp_path: Path) -> None:
    assert "Success" in checked(PROGRAM, tmp_path)
    wrong = checked(WRONG, tmp_path)
    assert {line.partition("program.py:")[2][:1] for line in wrong.splitlines() if ": error:" in line} == set("456")
