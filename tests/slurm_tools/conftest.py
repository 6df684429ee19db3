"""Four agents on this machine, once per session; programs that run beside them and end with their test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small import PATIENCE_S, Cluster, Start, marked


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("slurm-tools")) as found:
        yield found


@pytest.fixture
def mark() -> Iterator[str]:
    """What all programs of a test have in their environment, MARK=…; they end with the test, or after a minute."""
    text = f"mark-{os.getpid()}-{time.monotonic_ns()}"

    def sweep() -> None:
        for entry in marked(text):
            with contextlib.suppress(OSError):
                os.kill(int(entry.name), signal.SIGKILL)

    timer = threading.Timer(PATIENCE_S, sweep)
    timer.start()
    yield text
    timer.cancel()
    sweep()


@pytest.fixture
def start(mark: str) -> Iterator[Start]:
    running = []

    def run(*words: str | Path, env: dict[str, str], **more: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **more,
        }
        running.append(subprocess.Popen(words, env={**env, "MARK": mark}, text=True, start_new_session=True, **pipes))
        return running[-1]

    yield run
    for each in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each.pid, signal.SIGKILL)
        each.communicate(timeout=PATIENCE_S)


@pytest.fixture
def batch(cluster: Cluster, tmp_path: Path, mark: str) -> dict[str, str]:
    return {
        "PATH": f"{cluster.bin}:{os.environ['PATH']}", "SLURM_JOB_ID": f"9{os.getpid()}",
        "SLURM_JOB_NODELIST": "n[1-4]", "SLURM_NODELIST": "n[1-4]", "SLURM_NNODES": "4",
        "SLURM_JOB_CPUS_PER_NODE": "16(x4)", "SLURM_TASKS_PER_NODE": "1(x4)", "HOME": str(tmp_path),
        "SLURMD_NODENAME": "n1", "MARK": mark,
    }  # fmt: skip
