"""Quantities: the grammar of Kubernetes, exact values, the text that Kubernetes prints."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.quantity import MOST, NANO, QuantityError, canonical, parse

GI = 2**30


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("1Gi", GI, "1Gi"),
        ("1G", 10**9, "1G"),
        ("1.5Gi", GI * 3 // 2, "1536Mi"),
        (".5Gi", GI // 2, "512Mi"),
        ("1.", 1, "1"),
        ("+1", 1, "1"),
        (".", 0, "0"),
        ("0", 0, "0"),
        ("1e3", 1000, "1e3"),
        ("12E4", 120_000, "120e3"),
        ("1E", 10**18, "1E"),
        ("1E3", 1000, "1e3"),
        ("100m", Fraction(1, 10), "100m"),
        ("0.0001", Fraction(1, 10_000), "100u"),
        ("1024Mi", GI, "1Gi"),
        ("1024M", 1024 * 10**6, "1024M"),
        ("-1", -1, "-1"),
        ("1000", 1000, "1k"),
        (" 1Gi ", GI, "1Gi"),
        ("16Ei", 2**63 - 1, "9223372036854775807"),
        ("1e999999999", 2**63 - 1, None),
        ("-1e999999999", 1 - 2**63, None),
        ("0.1n", Fraction(1, NANO), "1n"),
        ("-0.1n", Fraction(-1, NANO), "-1n"),
        ("1e-999999999", Fraction(1, NANO), None),
        ("9" * 5000, 2**63 - 1, None),
        ("0." + "0" * 5000 + "1", Fraction(1, NANO), None),
        ("0." + "3" * 5000, Fraction(333_333_334, NANO), None),
    ],
)
def test_value_is_exact(text: str, value: Fraction, printed: str | None) -> None:
    assert Fraction(parse(text), NANO) == value
    if printed is not None:
        assert canonical(text) == printed


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("1GB", "1Gi"),
        ("1gi", "1Gi"),
        ("1 Gi", "1Gi"),
        ("8g", "8G"),
        ("1K", "1k"),
        ("16GiB", "16Gi"),
        ("1,5Gi", "1.5Gi"),
        ("", None),
        ("Gi", None),
        ("1i", None),
        ("1e", None),
        ("1_000", None),
        ("1,000,000", None),
        ("true", None),
        ("1\n2", None),
        ("\u0661", None),
    ],
)
def test_what_is_none_is_refused_with_what_was_meant(text: str, instead: str | None) -> None:
    with pytest.raises(QuantityError) as refused:
        parse(text)
    assert refused.value.instead == instead


@pytest.mark.parametrize(
    ("text", "whole", "milli"), [("100m", 1, 100), ("1.5", 2, 1500), ("0.0001", 1, 1), ("2", 2, 2000), ("1n", 1, 1)]
)
def test_parts_are_rounded_up(text: str, whole: int, milli: int) -> None:
    assert quantity.bytes_of(parse(text)) == whole
    assert quantity.milli_cpus(parse(text)) == milli
    assert quantity.is_whole(parse(text)) == (whole * 1000 == milli)


SUFFIXES = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E-2", "e+1")


@given(
    st.sampled_from(("", "-", "+")),
    st.from_regex(r"[0-9]{1,12}(\.[0-9]{0,6})?", fullmatch=True),
    st.sampled_from(SUFFIXES),
)
def test_printed_text_means_the_same(sign: str, number: str, suffix: str) -> None:
    text = sign + number + suffix
    printed = canonical(text)
    least, value = parse(printed), parse(text)
    # Binary quantities are printed without a fraction, rounded away from zero.
    assert abs(least) >= abs(value)
    assert abs(least - value) < (NANO if suffix.endswith("i") else 1)
    assert canonical(printed) == printed or abs(value) >= MOST


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(QuantityError):
        assert -MOST <= parse(text) <= MOST
