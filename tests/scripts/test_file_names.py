"""Patterns in file names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.scripts.file_names import HOST, expand

VALUES = {
    "j": "42", "J": "42", "A": "41", "a": "7", "x": "a/name", "u": "root", "n": "0", "t": "0", "s": "batch",
}  # fmt: skip


def expanded(pattern: str) -> str:
    return "".join("<host>" if part is HOST else part for part in expand(pattern, "/w", VALUES))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("slurm-%j.out", "/w/slurm-42.out"),
        ("/abs/%A_%a", "/abs/41_7"),
        ("%4j-%12j", "/w/0042-0000000042"),
        ("%x.%u.%s", "/w/a/name.root.batch"),
        ("%9x", "/w/a/name"),
        ("%N.log", "/w/<host>.log"),
        ("%n%t", "/w/00"),
        ("%3n", "/w/000"),
        ("100%%", "/w/100%"),
        ("%%j", "/w/%j"),
        ("%%%j", "/w/%42"),
        ("%%%%", "/w/%%"),
        ("%z-%4z", "/w/%z-4z"),
        ("%b%r", "/w/%b%r"),
        ("end%", "/w/end%"),
        ("a\\b-%j", "/w/ab-%j"),
        ("None", "/dev/null"),
        ("NONE", "/dev/null"),
        ("none.txt", "/w/none.txt"),
    ],
)
def test_pattern(pattern: str, name: str) -> None:
    assert expanded(pattern) == name


def by_the_table(pattern: str) -> str:
    """The same, one token after the other, as the manual's table reads."""
    if pattern.lower() == "none":
        return "/dev/null"
    name = pattern.replace("\\", "") if "\\" in pattern else re.sub(r"%([0-9]*)(.?)", token, pattern, flags=re.DOTALL)
    return name if pattern.startswith("/") else "/w/" + name


def token(match: re.Match[str]) -> str:
    digits, letter = match[1], match[2]
    if letter == "%" and not digits:
        return "%"
    if letter == "N":
        return "<host>"
    if letter in VALUES and letter:
        padded = letter in "jJAant" and digits
        return VALUES[letter].zfill(min(int(digits), 10)) if padded else VALUES[letter]
    return digits + letter if digits else "%" + letter


@given(st.text("%%%%jJAaxuNnts0123456789zb /.\\é", max_size=25).filter(lambda text: not re.search(r"%[0-9]+%", text)))
def test_any_pattern_expands_as_the_table_says(pattern: str) -> None:
    name = "" if "\\" in pattern else pattern
    if name.startswith("/") or not pattern.replace("\\", "").startswith("/"):
        assert expanded(pattern) == by_the_table(pattern)


@given(st.text(max_size=40))
def test_any_text_gives_an_absolute_name_without_empty_parts(pattern: str) -> None:
    parts = expand(pattern, "/w", VALUES)
    assert parts
    assert all(part is HOST or part for part in parts)
    assert parts[0] is not HOST
    assert str(parts[0]).startswith("/")
