"""Some scenes of `make test-supervisor`, beside nothing else."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scenes import draw, play

TICK_S = 0.2
AT_ONCE = 12
FIRST, EACH = 1_000_000, 50


@pytest.mark.parametrize("first", [FIRST, *(pytest.param(FIRST + n * EACH, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_what_falls_together_with_the_end_ends_right(first: int, tmp_path: Path) -> None:
    def one(number: int) -> str | None:
        folder = tmp_path / str(number)
        folder.mkdir()
        scene = draw(random.Random(number), TICK_S)
        found = play(scene, folder)
        return found and f"{number}: {scene}: {found}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert [found for found in pool.map(one, range(first, first + EACH)) if found] == []
