"""`flowc.compile` from several threads at once gives what it gives from one."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowc import driver
from flowc.diag.render import render
from tests.corpus import CASES, load

ROOT = Path(__file__).resolve().parents[1]
THREADS = 8


def made(case: Path) -> tuple[list[tuple[str, str]], str]:
    source, inputs = load(case)
    result = driver.compile(source, inputs)
    return [(each.name, each.text) for each in result.artifacts], render(source.path, result.diagnostics)


@pytest.fixture
def often() -> object:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often")
def test_several_threads_make_what_one_makes() -> None:
    alone = {case: made(case) for case in CASES}
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(made, [*CASES, *reversed(CASES), *CASES]))
    for case, found in zip([*CASES, *reversed(CASES), *CASES], together, strict=True):
        assert found == alone[case], case.name


FIRST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import flowc
sys.setswitchinterval(1e-6)
texts = [(f"#!/bin/bash\\n#SBATCH --gpus-per-node={gpu} --time=5\\n{command} a\\n", "job.sbatch")
         for gpu in ("h100:8", "a100:4") for command in ("srun", "module load", "mpirun", "scontrol show")]
texts += [(f"instance_type: {name}\\ncommand: echo\\nmax_run_time_hours: 1\\n", "job.yaml")
          for name in ("8x NVIDIA H100 80GB SXM5", "h100.8x.SXM5.IB", "h100:8", "a100-80gb.sxm.4x", "8xh100", "a100")]
barrier = Barrier(len(texts))
def make(each):
    text, path = each
    result = flowc.compile(text, path=path)
    return [each.text for each in result.artifacts], [each.message for each in result.diagnostics]
def first(each):
    barrier.wait()
    return make(each)
with ThreadPoolExecutor(len(texts)) as pool:
    together = list(pool.map(first, texts))
assert together == [make(each) for each in texts]
"""


def test_the_first_use_of_all_may_be_in_several_threads() -> None:
    """What is made at first use, tables and expressions, is whole before anybody sees it."""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, check=False, env={"PYTHONPATH": str(ROOT)}
        )
        assert done.stderr.decode() == ""
