"""The small Slurm is written in files and put together ahead: what would change its meaning on the way fails there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from flowc.ahead.joined import PARTS, joined
from flowc.ahead.program import compile_program
from flowc.ahead.programs import pieces

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with what the step reads."""
    shutil.copytree(ROOT / "templates" / "slurm", tmp_path / "templates" / "slurm")
    (tmp_path / "flowc" / "data").mkdir(parents=True)
    for name in "slurm_programs.yaml", "slurm_words.yaml":
        shutil.copy(ROOT / "flowc" / "data" / name, tmp_path / "flowc" / "data")
    return tmp_path


def added(copy: Path, text: str) -> None:
    file = copy / "templates" / "slurm" / "launchers.py"
    file.write_text(file.read_text() + text)


@pytest.mark.slow
def test_the_copy_is_the_program(copy: Path) -> None:
    (text,) = compile_program(copy).values()
    assert (ROOT / "flowc" / "_compiled" / "slurm_program.py").read_text().endswith(text)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("#% if sruns\nx = 1\n#% end\n", "no table knows the features ['sruns']"),
        ("#% if srun|!opt:nothing\nx = 1\n#% end\n", "no table knows the features ['opt:nothing']"),
        ("#% iff srun\nx = 1\n#% end\n", "these are no marks: ['#% iff srun']"),
        ("#% if srun\nx = 1\n", "not each mark has its end"),
    ],
)
def test_a_mark_that_no_table_knows_fails_the_build(copy: Path, mark: str, said: str) -> None:
    added(copy, mark)
    with pytest.raises(ValueError, match=re.escape(said)):
        compile_program(copy)


def test_a_row_that_needs_what_no_table_knows_fails_the_build(copy: Path) -> None:
    file = copy / "flowc" / "data" / "slurm_programs.yaml"
    file.write_text(file.read_text().replace('"opt:time": "time"', '"opt:time": "tim"'))
    with pytest.raises(ValueError, match="tim"):
        compile_program(copy)


def test_a_file_that_is_not_in_the_table_fails_the_build(copy: Path) -> None:
    (copy / "templates" / "slurm" / "more.py").write_text("")
    with pytest.raises(ValueError, match="more"):
        compile_program(copy)


def joined_of(folder: Path, text: str) -> str:
    for name in PARTS:
        (folder / f"{name}.py").write_text("")
    (folder / f"{PARTS[-1]}.py").write_text(text)
    return joined(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Called once, with its own names: it goes there.
        ("def f(a):\n    b = a\n    return b\nif a:\n    b = f(a)\n", "if a:\n    b = a\n"),
        ("def f():\n    global a\n    a = 1\nif x:\n    f()\n", "if x:\n    a = 1\n"),
        (
            "def f(a):\n    #% if x\n    a.x = 1\n    #% end\ndef g(a):\n    while 1:\n        f(a)\ng(1)\ng(2)\n",
            "def g(a):\n    while 1:\n        #% if x\n        a.x = 1\n        #% end\ng(1)\ng(2)\n",
        ),
        ("def f():\n    g()\ndef g():\n    x()\nif a:\n    f()\n", "if a:\n    x()\n"),
        # Called otherwise, or more often: it stays.
        *((text, text) for text in ("def f(a):\n    x(a)\nif b:\n    f(b)\n", "def f():\n    x()\nf()\nf()\n")),
        *((text, text) for text in ("def f():\n    return 1\nf()\n", "def f():\n    x()\nx(f)\n")),
    ],
)
def test_a_function_goes_in_the_place_of_its_only_call(tmp_path: Path, text: str, expected: str) -> None:
    assert joined_of(tmp_path, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\ndef f():\n    a = 2\nif x:\n    f()\nx(a)\n",
        "def f():\n    open = 2\ndef g():\n    open(1)\nif x:\n    f()\n",
        "def f():\n    a = 2\n    x(lambda: a)\nif x:\n    f()\n",
        "def f():\n    global a\n    a = 2\ndef g():\n    f()\ndef h():\n    x(a)\n",
        "def f():\n    a = 2\ndef g(a):\n    f()\n    x(a)\n",
    ],
)
def test_a_name_that_would_mean_something_else_fails_the_build(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="would mean something else"):
        joined_of(tmp_path, text)


def test_parts_of_a_program_in_the_shell() -> None:
    text = "#!/bin/bash\n# Why.\nif a; then\n    b\n    #% if exec\n    c\n    #% end\nfi\n"
    assert pieces(text) == [("", "#!/bin/bash\nif a; then\nb\n"), ("exec", "c\n"), ("", "fi\n")]


@pytest.mark.parametrize("text", ["#% if a\n#% if b\n#% end\n", "#% end\n", "#% if a\nb\n", "#% iff a\n#% end\n"])
def test_marks_of_a_program_in_the_shell_fit_together(text: str) -> None:
    with pytest.raises(ValueError, match=r"mark|no end"):
        pieces(text)
