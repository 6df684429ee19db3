"""The spellings of instance types: all that are known from documents and releases, and any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc._compiled.gpu_models import FAMILIES
from flowc.catalog.names import LONGEST, Mistake, Parsed, canonical, parse_instance_type

# Spelling, and the canonical name that it stands for where it gives a count.
WITH_COUNT = (
    ("4xa100", "a100-80gb.sxm.4x"),
    ("8xa100", "a100-80gb.sxm.8x"),
    ("8xh100", "h100-80gb.sxm.8x"),
    ("1xh100", "h100-80gb.sxm.1x"),
    ("2xh100", "h100-80gb.sxm.2x"),
    ("a100:4", "a100-80gb.sxm.4x"),
    ("h100:8", "h100-80gb.sxm.8x"),
    ("3xa100", "a100-80gb.sxm.3x"),
    ("16xh100", "h100-80gb.sxm.16x"),
    ("a100-80gb.sxm.4x", "a100-80gb.sxm.4x"),
    ("h100-80gb.sxm.8x", "h100-80gb.sxm.8x"),
    ("h100-80gb.pcie.8x", "h100-80gb.pcie.8x"),
    ("8xh100.80gb.sxm5", "h100-80gb.sxm.8x"),
    ("8xh100-80gb", "h100-80gb.sxm.8x"),
    ("h100.8x.SXM5.IB", "h100-80gb.sxm.8x"),
    ("h100.8x", "h100-80gb.sxm.8x"),
    ("8x NVIDIA H100 80GB SXM5", "h100-80gb.sxm.8x"),
    ("8XH100", "h100-80gb.sxm.8x"),
    ("  8xh100\t", "h100-80gb.sxm.8x"),
    ("2xrtx-a6000", "rtx-a6000-48gb.pcie.2x"),
    ("8xh200", "h200-141gb.sxm.8x"),
    ("a40.4x.PCIe.ICI", "a40-48gb.pcie.4x"),
)

# Spelling of a family alone: family and memory.
BARE = (
    ("a100", "a100", None),
    ("A100", "a100", None),
    ("h100", "h100", None),
    ("a100-80gb", "a100", 80),
    ("a100-40gb", "a100", 40),
    ("a100.80gb", "a100", 80),
    ("a100.80gb.sxm", "a100", 80),
    ("a10g", "a10g", None),
)

# Spelling, a word of the reason, and the suggestion.
MISTAKES = (
    ("a100x8", "count comes first", "8xa100"),
    ("a100:0", "at least 1", "a100"),
    ("0xa100", "at least 1", "a100"),
    ("gpu.nvidia.h100", "no name", "h100"),
    ("nvidia-a100", "no name", "a100"),
    ("h100-sxm5-80gb", "no name", "h100-80gb"),
    ("a100*8", "count comes first", "8xa100"),
    ("8*h100", "no name", "8xh100"),
    ("8 x h100", "no name", "8xh100"),
    ("8xh100x8", "count twice", "8xh100"),
    ("8x8xh100", "count twice", "8xh100"),
    ("h100:8:8", "count twice", "8xh100"),
    ("rtx4090", "no known GPU family", None),
    ("cpu", "without GPU", None),
    ("32xcpu", "without GPU", None),
    ("cpu.large", "without GPU", None),
    ("gpu:24gb", "how much memory", None),
    ("24gb", "how much memory", None),
    ("auto", "when none is named", None),
    ("cheapest", "when none is named", None),
    ("", "empty", None),
)


@pytest.mark.parametrize(("text", "name"), WITH_COUNT)
def test_spelling_with_a_count(text: str, name: str) -> None:
    parsed = parse_instance_type(text)
    assert isinstance(parsed, Parsed)
    assert parsed.count is not None
    assert canonical(parsed, parsed.count) == name


@pytest.mark.parametrize(("text", "family", "memory"), BARE)
def test_spelling_of_a_family(text: str, family: str, memory: int | None) -> None:
    parsed = parse_instance_type(text)
    assert isinstance(parsed, Parsed)
    assert (parsed.family, parsed.memory_gb, parsed.count) == (family, memory, None)


@pytest.mark.parametrize(("text", "reason", "suggestion"), MISTAKES)
def test_mistake_has_its_reason_and_one_suggestion(text: str, reason: str, suggestion: str | None) -> None:
    mistake = parse_instance_type(text)
    assert isinstance(mistake, Mistake)
    assert reason in mistake.reason
    assert mistake.suggestion == suggestion


def test_suggestions_are_well_formed_themselves() -> None:
    suggestions = [suggestion for _, _, suggestion in MISTAKES if suggestion is not None]
    assert all(isinstance(parse_instance_type(text), Parsed) for text in suggestions)


def test_id_passes_through_with_its_case() -> None:
    assert parse_instance_type(" it_XqgKWbhZ5gznAYsG ") == Parsed(fid="it_XqgKWbhZ5gznAYsG")
    assert isinstance(parse_instance_type("it_a-b"), Mistake)


def test_network_of_an_old_name_is_kept_and_its_lack_noticed() -> None:
    full, short, ours = map(parse_instance_type, ("h100.8x.SXM5.IB", "h100.8x", "h100-80gb.sxm.8x"))
    assert isinstance(full, Parsed)
    assert full.fabric == "ib"
    assert [getattr(each, "abridged", None) for each in (full, short, ours)] == [False, True, False]


@given(
    st.sampled_from(sorted(FAMILIES)),
    st.none() | st.integers(1, 999_999),
    st.none() | st.integers(1, 9999),
    st.none() | st.sampled_from(["sxm", "pcie"]),
)
def test_canonical_names_read_back(family: str, count: int | None, memory: int | None, form: str | None) -> None:
    parsed = Parsed(family=family, count=count, memory_gb=memory, form=form)
    again = parse_instance_type(canonical(parsed, count or 1).upper())
    assert isinstance(again, Parsed)
    assert (again.family, again.count) == (family, count or 1)
    assert again.memory_gb == memory or memory is None
    assert again.form == form or form is None


@given(st.text(max_size=2 * LONGEST))
def test_any_text_gives_a_result(text: str) -> None:
    result = parse_instance_type(text)
    assert isinstance(result, (Parsed, Mistake))
    if isinstance(result, Mistake) and result.suggestion is not None:
        assert isinstance(parse_instance_type(result.suggestion), Parsed)


@given(st.text(alphabet="0123456789xabhgn-.: *cpusmie_", max_size=40))
def test_suggestions_from_near_misses_are_well_formed(text: str) -> None:
    result = parse_instance_type(text)
    if isinstance(result, Mistake) and result.suggestion is not None:
        assert isinstance(parse_instance_type(result.suggestion), Parsed)
