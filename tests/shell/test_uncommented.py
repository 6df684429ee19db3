"""A shell's text without its comments is the same to bash."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowc.shell.comments import uncommented
from tests.shell.test_scan import SIGNS, texts

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
SCRIPTS = sorted([*CORPUS.glob("slurm/*/input.*"), *CORPUS.glob("*/*/run.sh")])


def read(text: str) -> tuple[str, str]:
    """How bash writes it anew, and what it says of it."""
    done = subprocess.run(
        ["bash", "--norc", "-c", "source /dev/stdin; declare -f f"],
        input=f"shopt -s extglob\nf() {{\n{text}\n}}\n",
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=60,
        check=False,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.parent.name)
def test_scripts(path: Path) -> None:
    text = path.read_text(errors="surrogateescape")
    less = uncommented(text)
    assert read(less) == read(text)
    assert [not line for line in less.split("\n")].count(True) >= text.count("\n#SBATCH")
    assert less.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "less"),
    [
        ("#!/bin/bash\n#SBATCH -n 1\na # b\n  # c\nd", "#!/bin/bash\n\na \n  \nd"),
        ("# a\nb", "# a\nb"),
        ("a '# b' \"# c\" ${#d} $# e#f \\# g \\ #h", "a '# b' \"# c\" ${#d} $# e#f \\# g \\ #h"),
        ("cat <<E # a\n# b\nE\nc=$(d # e\n) # f", "cat <<E \n# b\nE\nc=$(d \n) "),
        ("a=(b # c\nd) # e", "a=(b \nd) "),
        ("case $1 in # a\nb) c;; # d\nesac", "case $1 in \nb) c;; \nesac"),
        ("a \\\n# b\nc", "a \\\n\nc"),
    ],
)
def test_comments_go_and_nothing_else(text: str, less: str) -> None:
    assert uncommented(text) == less
    assert read(less)[0] == read(text)[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(texts(), st.lists(st.booleans(), min_size=40, max_size=40))
def test_comments_anywhere(text: str, where: list[bool]) -> None:
    """At any line's end, be it one of a string or of a here-document."""
    lines = text.split("\n")
    text = "\n".join(f"{line} # it's `(\"" if here else line for line, here in zip(lines, where * 9, strict=False))
    shown, said = read(text)
    if shown and not said:
        assert read(uncommented(text)) == (shown, said)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(SIGNS), max_size=60))
def test_any_text_keeps_its_lines(parts: list[str]) -> None:
    """What is left of a line stands in it."""
    text = "".join(parts)
    lines, less = text.split("\n"), uncommented(text).split("\n")
    assert len(less) == len(lines)
    assert all(one in line for one, line in zip(less, lines, strict=True))
