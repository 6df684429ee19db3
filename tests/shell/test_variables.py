"""Which variables a text of a shell gives a value."""

from __future__ import annotations

import pytest

from flowc.shell.variables import set_in, surely_set


@pytest.mark.parametrize(
    "text",
    [
        "X=1\n",
        "export X=1\n",
        "X+=1 true\n",
        "X[2]=a\n",
        "for X in a b; do :; done\n",
        "while read -r a X; do :; done\n",
        "local X\n",
        "(( X = 2 ))\n",
        "setenv X 1\n",
        "printf -v X %s a\n",
    ],
)
def test_gives_a_value(text: str) -> None:
    assert "X" in set_in(text)
    assert surely_set(text, "X")


@pytest.mark.parametrize(
    "text", ["# X=1\n", "env Y=$X\n", "cat <<E\nX=1\nE\n", "prog --X=1\n", "echo $X\n", "srun -n $X --x\n", "X==1\n"]
)
def test_gives_none_for_sure(text: str) -> None:
    assert not surely_set(text, "X")


def test_only_from_the_place_on() -> None:
    assert not surely_set("X=1\necho $X\n", "X", 4)
