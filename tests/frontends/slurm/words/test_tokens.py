"""Words of directive lines, where they stand, and what is fatal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.frontends.slurm.words.tokens import split
from flowc.source import Source, Span

CASES = {
    "-N2 -n 8": ["-N2", "-n", "8"],
    "\t-N2 # two": ["-N2"],
    "--job-name=foo#bar": ["--job-name=foo"],
    "--comment=#x": ["--comment="],
    '--job-name="a b"': ["--job-name=a b"],
    '"--job-name=a b" -n1': ["--job-name=a b", "-n1"],
    '--comment="it\'s"': ["--comment=it's"],
    r'"a\"b"': ['a"b'],
    r"'a\'b'": ["a'b"],
    r"\#": ["#"],
    r"\\": ["\\"],
    r"a\nb": ["anb"],
    r"--job-name=a\ b": ["--job-name=a", "b"],
    '-J "" -N2': ["-J"],
    '--comment="" -N2': ["--comment=", "-N2"],
    "--job-name hetjob": ["--job-name"],
    "--job-name=hetjob": ["--job-name=hetjob"],
    "hetjob#x": ["hetjob"],
    '"hetjob" -N2': ["hetjob", "-N2"],
    "a\u00a0b": ["a\u00a0b"],
    "a\rb\vc\fd": ["a", "b", "c", "d"],
    "$HOME ~ $(x)": ["$HOME", "~", "$(x)"],
    "x\\": ["x"],
    "\\": [],
    "": [],
    "# only": [],
}


@pytest.mark.parametrize("text", CASES)
def test_words(text: str) -> None:
    line = split(Source("x", text), 0, len(text))
    assert [word.text for word in line.words] == CASES[text]
    assert line.broken is None


def test_newer_slurm_keeps_an_escaped_blank() -> None:
    assert [word.text for word in split(Source("x", r"-J a\ b"), 0, 7, keep_escaped_blank=True).words] == ["-J", "a b"]


@pytest.mark.parametrize(("text", "at"), [("-J it's", 5), ('"a', 0), ("-J :x", 3), (": -N2", 0), ('"a" "b', 4)])
def test_fatal_places(text: str, at: int) -> None:
    assert split(Source("x", text), 0, len(text)).broken == at


@pytest.mark.parametrize(("text", "at"), [('-J "" -N2', 3), ("-N2 packjob x", 4), ('""', 0)])
def test_words_that_end_the_line(text: str, at: int) -> None:
    assert split(Source("x", text), 0, len(text)).cut == at


def test_each_character_knows_its_place() -> None:
    text = """--comment="a\\"b"'c d'\\#"""
    (word,) = split(Source("x", text), 0, len(text)).words
    assert word.text == '--comment=a"bc d#'
    places = [word.span(index, index + 1) for index in range(len(word.text))]
    assert [place.text for place in places if place is not None] == [*"--comment=a", '\\"', *"bc d", "\\#"]
    assert (word.start, word.end) == (0, len(text))
    assert word.span(99, 99) == Span(word.source, len(text), len(text))


@given(st.text(alphabet=" \t\r\v\f\"'\\#:ab-=hetjobH\u00e9\u00a0", max_size=40), st.booleans())
def test_words_lie_in_the_line_and_in_order(text: str, keep: bool) -> None:
    line = split(Source("x", text), 0, len(text), keep_escaped_blank=keep)
    last = 0
    for word in line.words:
        assert last <= word.start < word.end <= len(text)
        assert word.text
        for index, char in enumerate(word.text):
            span = word.span(index, index + 1)
            assert span is not None
            assert span.text in (char, "\\" + char)
        last = word.end
