"""Some of the runs of graphs of jobs of `make faults`: each command is killed, and any next one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.graphs import COMMANDS, Found, Run, draw, moments, play, table


@pytest.fixture(scope="module")
def most(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    return moments(tmp_path_factory.mktemp("undisturbed"))


def runs(found: list[Run], folder: Path) -> list[Found]:
    played = []
    for each in found:
        place = folder / str(each.number)
        place.mkdir()
        played.append(play(each, place))
        assert not played[-1].why, "\n".join([str(each), *played[-1].why])
    return played


@pytest.mark.slow
def test_every_command_is_killed_and_the_graph_comes_to_its_end(most: dict[str, int], tmp_path: Path) -> None:
    assert set(most) == set(COMMANDS)
    drawn = [each for each in draw(3 * sum(most.values()), most) if each.cut.moment < 5]
    found = runs([next(each for each in drawn if each.command == command) for command in COMMANDS], tmp_path)
    print(table(found))
    assert sum(each.cut for each in found) > len(COMMANDS) // 2


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_hundred_more(most: dict[str, int], tmp_path: Path, part: int) -> None:
    print(table(runs(draw(100, most)[part::4], tmp_path)))
