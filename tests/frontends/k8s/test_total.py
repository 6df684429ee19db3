"""Whatever stands in a manifest: it is lowered or refused, never with a traceback, and always the same way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.corpus import ROOT

TEXTS = [path.read_text() for path in sorted((ROOT / "corpus" / "k8s").glob("*/input.yaml"))]
PIECES = (
    *("\n", "  ", "- ", ": ", "{}", "[]", "null", "y", "1", "-1", '"', "'", "|\n", "&a ", "*a", "<<: *a\n", "---\n"),
    *("kind: List\nitems: x\n", "spec:\n", "containers:\n", "nvidia.com/gpu: 1\n", "$(A)", "1Gi", "{{", "\t", "\u2028"),
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A text of the corpus with pieces taken out, put in or doubled."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        change = draw(st.sampled_from(("out", "in", "double", "line")))
        if change == "out":
            text = text[:start] + text[end:]
        elif change == "in":
            text = text[:start] + draw(st.sampled_from(PIECES)) + text[start:]
        elif change == "double":
            text = text[:end] + text[start:]
        else:
            lines = text.split("\n")
            del lines[draw(st.integers(0, len(lines) - 1))]
            text = "\n".join(lines)
    return text


@settings(max_examples=300, deadline=None)
@given(mangled(), st.booleans())
def test_any_text_is_lowered_or_refused(text: str, once: bool) -> None:
    inputs = Inputs(once=once)
    first, second = (driver.compile(Source("a.yaml", text), inputs, emit="ir", frontend="k8s") for _ in range(2))
    assert [(each.code.id, each.message) for each in first.diagnostics] == [
        (each.code.id, each.message) for each in second.diagnostics
    ]
    assert [each.text for each in first.artifacts] == [each.text for each in second.artifacts]
    assert first.failed != bool(first.artifacts)
