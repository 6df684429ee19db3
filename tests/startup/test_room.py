"""How much of the user's script fits beside the emitted runtime. `python tests/startup/test_room.py` prints
it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jobs import unit

from flowc import driver
from flowc.inputs import Inputs
from flowc.ir.job import Time
from flowc.source import Source
from flowc.startup import build

BASH = Path("/usr/lib/cloud-init/ds-identify")
LARGEST = 60_000


def fits(body: bytes) -> bool:
    return build(unit(body, time=Time(limit_s=3600)), index=None).fits


def noise(size: int) -> bytes:
    """A script of bytes that do not compress: all but NUL, LF and CR, after its first line."""
    draw, first = random.Random(1), b"#!/bin/bash\n"
    values = [value for value in range(1, 256) if value not in (10, 13)]
    return first + bytes(draw.choices(values, k=size - len(first)))


def room(text: bytes) -> int:
    """The length of the longest beginning of `text` that fits, by bisection."""
    low, high = 0, len(text)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle)
    return low


def test_6656_bytes_that_do_not_compress_fit() -> None:
    assert fits(noise(6656))


@pytest.mark.skipif(not BASH.exists(), reason="needs Debian's package cloud-init")
def test_20480_bytes_of_bash_fit() -> None:
    assert fits(BASH.read_bytes()[:20480])


@pytest.mark.skipif(not BASH.exists(), reason="needs Debian's package cloud-init")
def test_20000_bytes_of_bash_need_no_python_on_the_machine() -> None:
    assert build(unit(BASH.read_bytes()[:20000], time=Time(limit_s=3600)), index=None).encoding == "gzip+base64"


def steps(text: str, options: str = "") -> bool:
    """Whether a job of four nodes with a time limit and a step fits, and this text in it."""
    head = f"#!/bin/bash\n#SBATCH -N 4 --gpus-per-node=h100:8 -t 10\nsrun {options} python train.py\n"
    found = driver.compile(Source("j.sbatch", head + text), Inputs())
    return any(len(each.text) <= 10_000 for each in found.artifacts if each.name.endswith("startup.sh"))


def test_4096_bytes_that_do_not_compress_fit_beside_srun_on_four_nodes() -> None:
    text = noise(4096).partition(b"\n")[2].decode("utf-8", "surrogateescape")
    assert steps(f": <<'EOF'\n{text}\nEOF\n")


@pytest.mark.skipif(not BASH.exists(), reason="needs Debian's package cloud-init")
def test_14000_bytes_of_bash_fit_beside_srun_on_four_nodes() -> None:
    assert steps(BASH.read_text()[:14000])


def test_what_cannot_fit_says_so_and_is_not_raised() -> None:
    startup = build(unit(noise(200_000)), index=None)
    assert not startup.fits
    assert len(startup.sent) > startup.limit


if __name__ == "__main__":
    print(f"bytes that do not compress: {room(noise(LARGEST))}")
    if BASH.exists():
        print(f"ordinary bash ({BASH.name}): {room(BASH.read_bytes())}")
    else:
        print("ordinary bash: needs Debian's package cloud-init")
