"""Reading: the same values as PyYAML reads, each with its place; what is refused, where and in bounded time."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowc.diag.sink import Diagnostic, Sink
from flowc.source import Source
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence, walk
from flowc.yamldoc.read import read


def documents(text: str) -> list[Node]:
    sink = Sink()
    found = read(Source("a.yaml", text), sink)
    assert sink.diagnostics == []
    assert found is not None
    return found


def problems(text: str) -> list[Diagnostic]:
    sink = Sink()
    read(Source("a.yaml", text), sink)
    return sink.diagnostics


def place(diagnostic: Diagnostic) -> tuple[int, int]:
    assert diagnostic.span is not None
    return diagnostic.span.source.position(diagnostic.span.start)


def texts(node: Node) -> Any:
    """A document with all scalars as text, as PyYAML's BaseLoader gives it."""
    if isinstance(node, Mapping):
        return {pair.key.text: texts(pair.value) for pair in node.pairs}
    if isinstance(node, Sequence):
        return [texts(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text


def spanned(node: Node) -> str:
    return node.span.text


# A text with NUL is refused, see test_refusals_say_where.
TEXTS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
VALUES = st.recursive(
    st.text(TEXTS, max_size=20)
    | st.sampled_from(["no", "1.10", "a: b", "x\n  y\n", " lead", "#c", "'q'", '"q"', "\ttab"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(TEXTS, min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(TEXTS, min_size=1, max_size=8), VALUES, min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_same_values_as_pyyaml(value: Any, flow: bool, wide: bool) -> None:
    text = yaml.dump(value, default_flow_style=flow, allow_unicode=True, width=30 if not wide else 1000)
    if yaml.load(text, yaml.CBaseLoader) == value and "<<" not in text:
        (node,) = documents(text)
        assert texts(node) == value


@given(st.dictionaries(st.text("ab:#-' \n", min_size=1, max_size=8), VALUES, min_size=1, max_size=3), st.booleans())
def test_spans_hold_what_was_read(value: Any, flow: bool) -> None:
    """The text at a scalar's span, read alone, is that scalar."""
    text = yaml.dump(value, default_flow_style=flow)
    for root in documents(text):
        for node in walk(root):
            if isinstance(node, Scalar) and node.style in (None, "'", '"') and node.end > node.start:
                assert yaml.load(node.span.text, yaml.CBaseLoader) == node.text


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    found = problems(text)
    assert all(each.span is None or each.span.end <= len(text) for each in found)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    problems(data.decode("utf-8", "surrogateescape"))


def test_places() -> None:
    (root,) = documents("a: 1\nb:\n  - x\n  - {y: z}\n# c\nc: &n 5\nd: !!str 7\n")
    assert isinstance(root, Mapping)
    assert [spanned(pair.key) for pair in root.pairs] == ["a", "b", "c", "d"]
    assert [root.at("a").span.text, root.at("b", 0).span.text, root.at("b", 1).span.text] == ["1", "x", "{y: z}"]  # type: ignore[union-attr]
    assert [root.at("c").span.text, root.at("d").span.text] == ["5", "7"]  # type: ignore[union-attr]
    assert root.at("b").span.text == "- x\n  - {y: z}"  # type: ignore[union-attr]


def test_byte_order_mark_does_not_shift_places() -> None:
    (root,) = documents("\ufeffa: 1\r\nb: é x\r\n")
    assert [root.at("a").span.text, root.at("b").span.text] == ["1", "é x"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("run: |\n    echo hi\n\n      python train.py\n", "train"),
        ("run: |2\n   echo\n  train\n", "train"),
        ("run: |-\n  a\n  train", "train"),
        ("run: >\n  one\n  two train\n\n  three\n", "train"),
        ('run: "a\\tb\\x41 train"\n', "train"),
        ("run: 'it''s train'\n", "train"),
        ("run: one\n  two train\n", "train"),
        ("- run: |\r\n    echo\r\n    train\r\n", "train"),
    ],
)
def test_place_inside_a_scalar(text: str, word: str) -> None:
    (root,) = documents(text)
    (scalar,) = [each for each in walk(root) if isinstance(each, Scalar) and word in each.text]
    start = scalar.text.index(word)
    span = scalar.placed.span(start, start + len(word))
    assert span is not None
    assert span.text == word
    assert span.start == text.index(word)


@given(st.lists(st.text("ab \t'\"\\é", max_size=6), min_size=1, max_size=6), st.sampled_from("|>'\""))
def test_each_character_of_a_scalar_has_its_place(lines: list[str], style: str) -> None:
    value = "\n".join(lines)
    text = yaml.dump({"k": value}, default_style=style, allow_unicode=True)
    (root,) = documents(text)
    scalar = root.at("k")
    if isinstance(scalar, Scalar):
        places = [scalar.placed.span(at, at + 1) for at in range(len(scalar.text))]
        spans = [span for span in places if span is not None]
        assert len(spans) == len(places)
        assert [span.start for span in spans] == sorted(span.start for span in spans)
        for char, span in zip(scalar.text, spans, strict=True):
            if not char.isspace():
                assert span.text in (char, "''", '\\"', "\\\\", "\\xE9")


def test_anchors_and_merge_keys() -> None:
    (root,) = documents("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: *b, y: 9}\ntwo: {<<: [*b, *m]}\n")
    assert texts(root.at("one")) == {"y": "9", "x": "1"}  # type: ignore[arg-type]
    assert texts(root.at("two")) == {"x": "1", "y": "2", "z": "4"}  # type: ignore[arg-type]
    merged = root.at("one").pair("x")  # type: ignore[union-attr]
    assert merged.merged
    assert merged.value.span.text == "1"


def test_an_alias_is_a_copy_that_knows_its_place() -> None:
    (root,) = documents("a: &n 8\nb: *n\n")
    first, second = root.at("a"), root.at("b")
    assert first is not second
    assert second.via.text == "*n"  # type: ignore[union-attr]
    assert second.span == first.span  # type: ignore[union-attr]


def test_documents_and_empty_ones() -> None:
    assert [texts(each) for each in documents("---\n---\na: 1\n...\n---\n# nothing\n---\nb: 2\n")] == [
        {"a": "1"},
        {"b": "2"},
    ]


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("a: b: c\n", "yaml-syntax", (1, 5)),
        ("a: 'x\n", "yaml-syntax", (1, 5)),
        ("a: [1,\n", "yaml-syntax", (1, 6)),
        ("a:\n\t- b\n", "yaml-tab", (2, 1)),
        ("a: @x\n", "yaml-syntax", (1, 4)),
        ("a: x\x00y\n", "yaml-syntax", (1, 5)),
        ('a: "x\\0y"\n', "yaml-syntax", (1, 4)),
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", (3, 1)),
        ("{a: 1, a: 2}\n", "duplicate-key", (1, 8)),
        ("a: \udcff\n", "not-utf-8", (1, 4)),
        ("a: *b\n", "yaml-unknown-alias", (1, 4)),
        ("a: &a [*a]\n", "yaml-alias-of-itself", (1, 8)),
        ("? [a]\n: b\n", "yaml-key-not-text", (1, 3)),
        ("a: {{ b }}\n", "yaml-key-not-text", (1, 5)),
        ("a:\n  <<: 1\n", "yaml-merge-not-mapping", (2, 7)),
        ("[" * 1000, "yaml-too-deep", (1, 101)),
        ("---\n" * 1001, "yaml-too-many-documents", (1001, 1)),
    ],
)
def test_refusals_say_where(text: str, code: str, where: tuple[int, int]) -> None:
    (found,) = problems(text)
    assert (found.code.name, place(found)) == (code, where)


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        bomb(12),
        "\n".join(
            ["a0: &a0 {k0: x, k1: x}"]
            + [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: *a{n - 1}}}" for n in range(1, 40)]
        ),
        "{" * 100_000,
        "- " * 100_000,
        "a: " + "x" * 3_000_000,
        "a: &a " + "[" * 50_000,
        "".join(f"k{n}: v\n" for n in range(300_000)),
    ],
    ids=["bomb", "merge bomb", "braces", "dashes", "long", "anchored", "keys"],
)
def test_what_would_grow_without_bound_is_refused(text: str) -> None:
    assert [each.severity for each in problems(text)][-1:] == ["error"]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("name: a\n  type: b\n", "let it begin right below `name`"),
        ("x:\n  - name: a\n\n      type: b\n", "let it begin right below `name`"),
        ('env:\n  A: "b"\n    C: d\n', "let it begin right below `A`"),
        ("name: a\n  type: b: c\n", "let it begin right below `name`"),
        ("name: a: b\n", "put the value in quotes"),
        ("name:\n  type: b: c\n", "put the value in quotes"),
        ('name: "a" b\n', "check its indent, and the quotes"),
    ],
)
def test_a_line_that_is_indented_too_far_is_told_apart(text: str, help: str) -> None:
    (found,) = problems(text)
    assert found.code.id == "FC020"
    assert help in (found.help or "")
