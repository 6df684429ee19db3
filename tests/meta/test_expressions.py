"""Regular expressions that were compiled ahead are those that `re` makes; what stands in for `fnmatch` and
`functools.lru_cache` does the same."""

from __future__ import annotations

import _sre
import marshal
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import patterns
from flowc._compiled import expressions, expressions_seldom, expressions_yaml
from flowc.patterns import is_like, remembered

ROOT = Path(__file__).resolve().parents[2]
TABLES = (expressions, expressions_yaml, expressions_seldom)
ALL = [(row[0], row[1]) for table in TABLES for packed in table.EXPRESSIONS if packed for row in marshal.loads(packed)]


def test_table_is_what_the_parser_makes_on_this_interpreter() -> None:
    """Patterns are equal where their text, their flags and their code are; groups are no part of that."""
    assert _sre.MAGIC in expressions.MAGICS
    assert len(ALL) > 300
    for pattern, flags in ALL:
        made, wanted = patterns._of_table(pattern, flags), re.compile(pattern, flags)
        assert made is not None
        assert made == wanted, pattern
        assert (made.groups, made.groupindex, made.flags) == (wanted.groups, wanted.groupindex, wanted.flags), pattern


def test_names_of_groups_are_found_by_their_numbers() -> None:
    for pattern, flags in ALL:
        made, wanted = patterns._of_table(pattern, flags), re.compile(pattern, flags)
        assert made is not None
        for text in ("", "a", "10", "#SBATCH --x=1", "a b\n", pattern):
            one, other = made.search(text), wanted.search(text)
            assert (one and (one.groups(), one.groupdict(), one.lastgroup)) == (
                other and (other.groups(), other.groupdict(), other.lastgroup)
            ), pattern


@pytest.mark.parametrize("interpreter", [{"MAGIC": 1}, {"CODESIZE": 2}], ids=str)
def test_other_interpreters_parse(interpreter: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in interpreter.items():
        monkeypatch.setattr(_sre, name, value)
    pattern, flags = ALL[0]
    assert patterns._of_table(pattern, flags) is None
    monkeypatch.setattr(patterns, "_compiled", {})
    assert patterns.compiled(pattern, flags) == re.compile(pattern, flags)


def test_what_is_in_no_table_is_parsed() -> None:
    pattern = "in(no)?[table]"
    assert patterns._of_table(pattern, 0) is None
    assert patterns.compiled(pattern, 2) == re.compile(pattern, 2)
    assert patterns.compiled(pattern, 2) is patterns.compiled(pattern, 2)


@pytest.mark.parametrize(
    "words",
    [
        ["check", "corpus/slurm/train-8-gpus/input.sbatch"],
        ["compile", "corpus/slurm/train-8-gpus/input.sbatch"],
        ["compile", "--emit", "plan", "corpus/slurm/array-sweep/input.sbatch"],
    ],
    ids=" ".join,
)
def test_no_parser_on_the_ordinary_way(words: list[str]) -> None:
    program = (
        "import sys; from flowc.cli import main; status = main(sys.argv[1:]); "
        "sys.stderr.write('|'.join(sys.modules)); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    loaded = {*done.stderr.rpartition("\n")[2].split("|")}
    assert "flowc.driver" in loaded
    assert loaded & {"re", "enum", "functools", "collections", "fnmatch"} == set()


@given(st.text("aB*?[]-!.\n/", max_size=8), st.text("aB*?[]-!.\n/", max_size=8))
def test_globs_mean_what_they_mean_to_fnmatch(text: str, glob: str) -> None:
    assert is_like(text, glob) == fnmatchcase(text, glob)
    stars = glob.replace("?", "*").replace("[", "a")
    assert is_like(text, stars) == fnmatchcase(text, stars)


def test_what_is_remembered_is_asked_once_as_long_as_it_is_wanted() -> None:
    asked = []

    @remembered(2)
    def double(number: int) -> int:
        asked.append(number)
        if number < 0:
            raise ValueError(number)
        return 2 * number

    assert [double(number) for number in (1, 2, 1, 2)] == [2, 4, 2, 4]
    assert asked == [1, 2]
    assert [double(3), double(1)] == [6, 2]
    assert asked == [1, 2, 3], "1 was among the last ones"
    assert [double(4), double(1), double(2)] == [8, 2, 4]
    assert asked == [1, 2, 3, 4, 2], "2 was not asked for since"
    asked.clear()
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            double(-1)
    assert asked == [-1, -1]
