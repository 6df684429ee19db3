"""Records are made of their fields, all that are required and no others."""

from __future__ import annotations

import pytest

from flowc.record import MANY, Record


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


def test_the_many_th_record_is_made_as_the_first_one() -> None:
    class Empty(Record):
        pass

    class Base(Record):
        first: int
        second: tuple[int, ...] = ()

    class Child(Base):
        third: int = 3

    common = Base.__init__
    few = [Empty(), Base(first=1), Child(first=1)]
    for _ in range(MANY):
        many = [Empty(), Base(first=1), Child(first=1)]
        assert many == few
        assert [repr(each) for each in many] == [repr(each) for each in few]
    assert all(cls.__init__ is not common for cls in (Empty, Base, Child))
    assert Child(third=4, second=(2,), first=1).replace(first=0) == Child(first=0, second=(2,), third=4)
    for values in ({}, {"second": (1,)}, {"first": 1, "secnd": ()}):
        for cls in (Base, Child):
            with pytest.raises(TypeError, match=r"first|secnd"):
                cls(**values)


def test_a_record_that_makes_itself_goes_on_doing_so() -> None:
    class Own(Record):
        first: int

        def __init__(self, first: int) -> None:
            super().__init__(first=first + 1)

    assert [Own(1).first for _ in range(2 * MANY)] == [2] * (2 * MANY)


@pytest.mark.parametrize("first", ["base", "child", "record"])
def test_fields_are_those_of_a_class_whichever_was_asked_first(first: str) -> None:
    class Base(Record):
        first: int
        second: str = "2"
        _hidden: int = 0

    class Child(Base):
        second: str = "two"
        third: int = 3

    {"base": Base, "child": Child, "record": Record}[first].FIELDS  # noqa: B018
    assert Base(first=1).replace(second="").second == ""
    assert (Base.FIELDS, Base.DEFAULTS) == (("first", "second"), {"second": "2"})
    assert (Child.FIELDS, Child.DEFAULTS) == (("first", "second", "third"), {"second": "two", "third": 3})
    assert Child(first=1).DEFAULTS is Child.DEFAULTS
    assert (Record.FIELDS, Record.DEFAULTS) == ((), {})
    assert Child(first=1) == Child(first=1, second="two", third=3)
