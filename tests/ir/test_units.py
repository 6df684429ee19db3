"""Money, sizes and durations."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.ir import units


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("12", 12_000_000),
        ("12.5", 12_500_000),
        ("0.000001", 1),
        ("999999999.999999", 999_999_999_999_999),
        ("", None),
        (".5", None),
        ("5.", None),
        ("-1", None),
        ("1e3", None),
        ("inf", None),
        ("nan", None),
        ("$12", None),
        ("1,000", None),
        ("0.0000001", None),
        ("1000000000", None),
        ("٣", None),
        (" 1", None),
    ],
)
def test_money_is_read_exactly_or_not_at_all(text: str, micros: int | None) -> None:
    assert units.parse_usd(text) == micros


@given(st.integers(0, 10**15 - 1))
def test_money_reads_back(micros: int) -> None:
    text = units.usd_text(micros)
    assert units.parse_usd(text) == micros
    assert len(text.partition(".")[2]) >= 2
    assert Fraction(text) == Fraction(micros, 10**6)


@given(st.integers(0, 10**15))
def test_cents_are_rounded_against_surprise(micros: int) -> None:
    below, above = units.floor_cents(micros), units.ceil_cents(micros)
    assert below <= micros <= above
    assert below % 10_000 == above % 10_000 == 0
    assert above - below in (0, 10_000)


@pytest.mark.parametrize(
    ("seconds", "text"), [(3600, "1"), (1800, "0.5"), (600, "0.1667"), (1, "0.0003"), (129_600, "36")]
)
def test_hours(seconds: int, text: str) -> None:
    assert units.hours_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (12, "12 bytes"),
        (1 << 10, "1 KiB"),
        (190 << 30, "190 GiB"),
        ((3 << 30) // 2, "1.5 GiB"),
        (1814 << 30, "1814 GiB"),
        (2 << 40, "2 TiB"),
        ((1 << 30) + 1, "1.1 GiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert units.size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (45, "45 s"),
        (300, "5 min"),
        (3600, "1 h"),
        (5400, "90 min"),
        (259_200, "72 h"),
        (0, "0 s"),
        (9000, "2.5 h"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert units.duration_text(seconds) == text


def test_plural() -> None:
    assert [units.plural(count, "GPU") for count in (0, 1, 2)] == ["0 GPUs", "1 GPU", "2 GPUs"]
