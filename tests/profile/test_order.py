"""The order in which the lines of a first draft free most files."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowc.profile.needs import Line, ranked


def test_order_frees_most_first() -> None:
    a, b, c = (Line(section="modules", key=key, files=1) for key in "abc")
    key_a, key_b, key_c = (("modules", key) for key in "abc")
    needs = [{key_a, key_b}, {key_a, key_b}, {key_c}, {key_b}, {key_b}]
    found = ranked([a, b, c], [frozenset(each) for each in needs])
    assert [(line.key, line.frees) for line in found] == [("b", 2), ("a", 2), ("c", 1)]
    assert found == in_order([a, b, c], needs)


def in_order(candidates: list[Line], needs: list[set[tuple[str, str]]]) -> list[Line]:
    """As `ranked`, told plainly: the best of all that are left, again and again."""
    found: list[Line] = []
    left, waiting = [{*each} for each in needs], {("modules", line.key): line for line in candidates}
    while waiting:
        asked = {key: [1 / len(each) for each in left if key in each] for key in waiting}
        best = min(waiting, key=lambda key: (-asked[key].count(1.0), -sum(asked[key]), -waiting[key].files, key))
        found.append(waiting.pop(best).replace(frees=asked[best].count(1.0)))
        left = [each - {best} for each in left]
    return found


keys = st.sampled_from("abcdefgh").map(lambda key: ("modules", key))


@settings(deadline=None)
@given(st.lists(st.sets(keys)), st.integers(1, 8))
def test_order_is_that_of_looking_at_all_that_are_left(needs: list[set[tuple[str, str]]], known: int) -> None:
    candidates = [Line(section="modules", key=key, files=ord(key) % 3) for key in "abcdefgh"[:known]]
    assert ranked(candidates, [frozenset(each) for each in needs]) == in_order(candidates, needs)
