"""Records are made of their fields, all that are required and no others."""

from __future__ import annotations

import pytest

from flowc.record import Record


class Pair(Record):
    first: int
    second: int
    third: int = 3


def test_a_record_is_made_of_its_fields() -> None:
    assert Pair(first=1, second=2) == Pair(second=2, first=1, third=3)
    assert repr(Pair(first=1, second=2).replace(third=4)) == "Pair(first=1, second=2, third=4)"


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ({"first": 1}, "second"),
        ({"first": 1, "second": 2, "fourth": 4}, "fourth"),
        ({"first": 1, "secnd": 2}, "secnd, second"),  # one missing, one too many: as many as there should be
        ({"first": 1, "second": 2, "thrid": 3, "third": 3}, "thrid"),
    ],
)
def test_other_fields_are_refused(values: dict[str, int], odd: str) -> None:
    with pytest.raises(TypeError, match=f"Pair: missing or unknown fields: {odd}$"):
        Pair(**values)


def test_a_copy_with_a_misspelt_field_is_refused() -> None:
    with pytest.raises(TypeError, match="secnd"):
        Pair(first=1, second=2).replace(secnd=3)
