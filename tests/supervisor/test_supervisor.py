"""Some scenes of `make test-supervisor`, beside nothing else."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scenes import draw, play

from tests.some import some

TICK_S = 0.2
AT_ONCE = 12
FIRST = 1_000_000
SCENES = [range(FIRST + start, FIRST + end) for start, end in ((0, 15), (15, 50), (50, 100), (100, 150), (150, 200))]


@pytest.mark.parametrize("scenes", some(SCENES, SCENES[0]), ids=lambda scenes: str(scenes[0]))
def test_what_falls_together_with_the_end_ends_right(scenes: range, tmp_path: Path) -> None:
    def one(number: int) -> str | None:
        folder = tmp_path / str(number)
        folder.mkdir()
        scene = draw(random.Random(number), TICK_S)
        found = play(scene, folder)
        return found and f"{number}: {scene}: {found}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert [found for found in pool.map(one, scenes) if found] == []
