"""What plain scalars mean to the readers that the formats come from: held against PyYAML itself, and against the table
of what Kubernetes' reader was seen to do."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowc.source import Source
from flowc.yamldoc.node import Scalar
from flowc.yamldoc.scalars import as_number, decimal_text, meaning

WORDS = st.sampled_from(
    [
        "yes",
        "no",
        "on",
        "off",
        "true",
        "True",
        "FALSE",
        "y",
        "n",
        "~",
        "null",
        "Null",
        "010",
        "0777",
        "08",
        "0o10",
        "0x1F",
        "0b11",
        "1_000",
        "+1",
        "-3",
        "1e3",
        "1.5e3",
        "1.0e+3",
        "12:30",
        "22:22",
        "1:30:00",
        "2024-01-01",
        "1.10",
        ".5",
        "1.",
        ".",
        "-.inf",
        ".nan",
        "=",
        "<<x",
        "0",
        "00",
        "0.0",
        "-0",
        "1__0",
        "12e03",
        "685e12",
        "1,5",
        "v1",
        "1.2.3",
        "100m",
        "1Gi",
    ]
)


def scalar(text: str) -> Scalar:
    return Scalar(Source("a.yaml", text), 0, len(text), text, None, None)


# Three dashes are no scalar: they begin a document, an empty one.
@given(WORDS | st.text("0123456789.:eE+-_xob", min_size=1, max_size=8).filter(lambda text: text != "---"))
def test_pyyaml_sees_the_same(text: str) -> None:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return
    if isinstance(value, (list, dict)) or (isinstance(value, str) and value != text):
        return
    found = meaning(scalar(text), "pyyaml")
    if value is None:
        assert found.kind == "null"
    elif isinstance(value, bool):
        assert (found.kind, found.value) == ("bool", value)
    elif isinstance(value, int):
        assert (found.kind, found.value) == ("int", value)
    elif isinstance(value, (datetime.date, datetime.datetime)):
        assert found.kind == "odd"
    elif isinstance(value, float):
        assert found.kind in ("float", "odd", "int")
        if found.kind == "float":
            assert float(found.value) == pytest.approx(value)
    else:
        assert found.kind in ("text", "odd")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("y", "bool", True),
        ("N", "bool", False),
        ("yes", "bool", True),
        ("010", "int", 8),
        ("0o10", "int", 8),
        ("0x10", "int", 16),
        ("1_000", "int", 1000),
        ("+1", "int", 1),
        ("1e3", "float", "1000"),
        ("685e12", "float", "685000000000000"),
        ("12:30", "text", "12:30"),
        ("22:22", "text", "22:22"),
        ("2024-01-01", "text", "2024-01-01"),
        ("1.10", "float", "1.1"),
        ("08", "text", "08"),
        ("~", "null", None),
        ("=", "text", "="),
    ],
)
def test_kubernetes_reader(text: str, kind: str, value: object) -> None:
    found = meaning(scalar(text), "kubernetes")
    assert (found.kind, found.value) == (kind, value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_numbers_keep_their_value(number: Decimal) -> None:
    for text in (str(number), f"{number:e}", f"{number:f}"):
        found = decimal_text(text)
        assert found is not None
        assert Decimal(found) == number
        assert "e" not in found


def test_numbers_without_end_are_none() -> None:
    assert as_number("1e999999999") is None
    assert as_number("9" * 200) is None
