"""Text made of other text knows where it comes from: any stretch of it covers the characters that it was made of."""

from __future__ import annotations

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from flowc.diag.sink import Sink
from flowc.frontends.slurm.read import read as read_script
from flowc.frontends.slurm.words.tokens import split
from flowc.inputs import Inputs, command_line
from flowc.source import Derived, Source, Span
from flowc.yamldoc.node import Mapping, Scalar
from flowc.yamldoc.read import read

WORDS = [f"w{number}x" for number in range(12)]
GAPS = st.sampled_from(
    (" ", "  ", "\t", " \t ", "\n", "\n\n", "\n  ", " \n", "'", '"', "\\", "é", ": ", " #", "\u2028")
)


def placed(text: Derived, source: Source) -> None:
    """Each word stands in the source once, so where it comes from is known, and with it each stretch from one word to
    another."""
    words = [word for word in WORDS if word in text.text]
    for number, first in enumerate(words):
        for last in words[number:]:
            span = text.span(text.text.index(first), text.text.index(last) + len(last))
            assert span == Span(source, source.text.index(first), source.text.index(last) + len(last))
            assert span.source is source


@st.composite
def values(draw: st.DrawFn) -> str:
    count = draw(st.integers(1, len(WORDS)))
    gaps = [draw(GAPS) for _ in range(count)]
    return "".join(word + gap for word, gap in zip(WORDS, gaps, strict=False)) + draw(
        st.sampled_from(("", "\n", "\n\n"))
    )


def scalar(text: str) -> tuple[Scalar, Source]:
    source = Source("a.yaml", text)
    roots = read(source, Sink())
    assume(roots)
    assert roots is not None
    assert isinstance(roots[0], Mapping)
    node = roots[0].get("k")
    assert isinstance(node, Scalar)
    return node, source


@given(values(), st.sampled_from(("", "'", '"', "|", ">")), st.sampled_from((20, 80)), st.booleans())
def test_scalars_of_yaml(value: str, style: str, width: int, crlf: bool) -> None:
    text = yaml.dump({"k": value}, default_style=style, width=width, allow_unicode=True)
    node, source = scalar(text.replace("\n", "\r\n") if crlf else text)
    placed(node.placed, source)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=6),
    st.sampled_from("|>"),
    st.sampled_from(("", "-", "+")),
    st.sampled_from((None, 1, 2, 4)),
    st.integers(1, 4),
    st.sampled_from(("", " # said", "\t")),
)
def test_blocks_by_hand(
    lines: list[tuple[int, int, int]], style: str, chomping: str, told: int | None, indent: int, behind: str
) -> None:
    """Lines of words, indented further or less, with empty lines of any length between them."""
    indent, words = told or indent, iter(WORDS)
    text = f"k: {style}{told or ''}{chomping}{behind}\n"
    for number, (more, count, empty) in enumerate(lines):
        more = 0 if number == 0 and told is None else more
        text += " " * (indent + more) + " ".join(next(words) for _ in range(count)) + "\n"
        text += "".join(" " * min(each, indent) + "\n" for each in range(empty))
    node, source = scalar(text + "z: 1\n")
    placed(node.placed, source)


@given(st.lists(st.sampled_from((" ", "'", '"', "\\-", "\\ ", "#", "=", "")), min_size=12, max_size=12), st.booleans())
def test_directives(gaps: list[str], keep: bool) -> None:
    source = Source("a.sbatch", "#SBATCH " + "".join(map("".join, zip(WORDS, gaps, strict=True))))
    for word in split(source, 8, len(source.text), keep_escaped_blank=keep).words:
        placed(word, source)


@given(st.lists(values(), min_size=1, max_size=1), st.lists(st.text("a' \\\n", max_size=5), max_size=3))
def test_command_lines(middle: list[str], around: list[str]) -> None:
    source, found = command_line((*around, *middle, *around))
    for text, word in zip((*around, *middle, *around), found, strict=True):
        assert word.text == text
        placed(word, source)
        for index, char in enumerate(text):
            span = word.span(index, index + 1)
            assert span is not None
            assert span.text == ("'\\''" if char == "'" else char)


@given(values())
def test_the_script_of_wrap(value: str) -> None:
    """And what is said of it: the command line is where the user wrote it."""
    tree = read_script(Source("<wrap>", ""), Inputs(args=("-N1", f"--wrap={value}")), Sink())
    assume(tree is not None)
    assert tree is not None
    assert tree.text == f"#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{value}\n"
    place = tree.placed.span(len(tree.text) - len(value) - 1, len(tree.text))
    assert place is not None
    assert isinstance(tree.placed, Derived)
    placed(tree.placed, place.source)
    assert tree.placed.span(0, 9) is None


@st.composite
def derivations(draw: st.DrawFn, source: Source) -> tuple[Derived, list[tuple[int, int] | None]]:
    """A text made of the source in several steps, and for each of its characters what it was made of."""
    start = draw(st.integers(0, len(source.text)))
    end = draw(st.integers(start, len(source.text)))
    text, known = Derived.of(source, start, end), [(at, at + 1) for at in range(start, end)]
    places: list[tuple[int, int] | None] = [*known]
    for _ in range(draw(st.integers(0, 4))):
        size = len(text.text)
        kind = draw(st.sampled_from(("slice", "join", "whole")))
        if kind == "slice":
            start = draw(st.integers(0, size))
            end = draw(st.integers(start, size))
            text, places = Derived.of(text, start, end), places[start:end]
        elif kind == "join":
            at = draw(st.integers(0, size))
            text = Derived.joined(Derived.of(text, at, size), "++", Derived.of(text, 0, at))
            places = [*places[at:], None, None, *places[:at]]
        elif size:
            made = [each for each in places if each is not None]
            stretch = (min(made)[0], max(last for _, last in made)) if made else None
            text, places = Derived("<>!", text, 0, size), [stretch] * 3
    return text, places


@given(st.data())
def test_texts_made_of_texts_made_of_texts(data: st.DataObject) -> None:
    source = Source("x", "abcdefghij")
    text, places = data.draw(derivations(source))
    assert len(places) == len(text.text)
    for start in range(len(places)):
        for end in range(start + 1, len(places) + 1):
            made = [each for each in places[start:end] if each is not None]
            span = text.span(start, end)
            if not made:
                assert span is None
            else:
                assert span == Span(source, min(made)[0], max(last for _, last in made))


def test_of_several_sources_the_first_counts() -> None:
    one, other = Source("one", "abc"), Source("other", "xyz")
    text = Derived.joined("-", one, other)
    assert text.text == "-abcxyz"
    assert text.span(0, 7) == Span(one, 0, 3)
    assert text.span(4, 7) == Span(other, 0, 3)
    assert text.span(0, 1) is None


def test_nothing_is_traced_before_a_place_is_asked() -> None:
    def trace() -> list[tuple[int, Source | Derived | None, int, int]]:
        raise AssertionError

    text = Derived("abc", Source("x", "a-b-c"), 0, 5, trace)
    assert Derived.joined(Derived.of(text, 0, 1), "x", text).text == "axabc"
