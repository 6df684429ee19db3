"""What is found by looking for words first is what the expressions alone find."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowc.body
import flowc.frontends.slurm
import flowc.scripts
import flowc.shell

ROOT = Path(__file__).resolve().parents[2]
BETWEEN = [
    " ",
    "\n",
    "\t",
    "=",
    "(",
    ")",
    "()",
    "$",
    "${",
    "}",
    ";",
    "-",
    "--",
    ".",
    "/",
    "|",
    "'",
    '"',
    "a",
    "1",
    "_x",
]
MORE = ["-c", "load", "NODELIST=", "/bin/", "\\\n", "++", "x y", "-lt", "SCRATCH=", ",", "[0]", ":-", "{"]


@cache
def found() -> dict[str, tuple[Callable[[str], Iterator[re.Match[str]]], str, tuple[str, ...]]]:
    """By module and name: the finder, its expression, its words."""
    finders = {}
    for package in (flowc.body, flowc.frontends.slurm, flowc.scripts, flowc.shell):
        for each in walk_packages(package.__path__, package.__name__ + "."):
            if each.name.endswith("_mixing"):
                continue
            for name, value in vars(import_module(each.name)).items():
                if getattr(value, "__qualname__", "") == "at_words.<locals>.find":
                    cells = _cells(value)
                    finders[f"{each.name}.{name}"] = value, cells["pattern"], cells["words"]
    return finders


def _cells(function: Any) -> dict[str, Any]:
    names = function.__code__.co_freevars
    return dict(zip(names, (cell.cell_contents for cell in function.__closure__), strict=True))


def same(name: str, text: str) -> None:
    find, pattern, _ = found()[name]
    wanted = [(match.span(), match.groups()) for match in re.finditer(pattern, text)]
    assert [(match.span(), match.groups()) for match in find(text)] == wanted


@pytest.mark.parametrize("name", sorted(found()))
def test_it_is_what_the_expression_finds(name: str) -> None:
    parts = st.sampled_from([*found()[name][2], *BETWEEN, *MORE])

    @given(st.lists(parts, max_size=25).map("".join))
    def compare(text: str) -> None:
        same(name, text)

    compare()


@pytest.mark.parametrize("name", sorted(found()))
def test_in_real_texts_too(name: str) -> None:
    paths = [*(ROOT / "corpus" / "slurm").glob("*/input.sbatch"), *(ROOT / "corpus" / "clean").glob("*.sbatch")]
    assert len(paths) > 50
    for path in paths:
        same(name, path.read_text(errors="surrogateescape"))


def test_it_begins_where_it_is_told() -> None:
    find = found()["flowc.body.modules._names"][0]
    assert [match.start() for match in find("module ml", 1)] == [7]
