from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.diag.suggest import completed, nearest

NAMES = ("nodes", "ntasks", "ntasks-per-node", "time", "time-min", "mem", "mem-per-cpu", "mem-per-gpu", "gres")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("tmie", "time"),
        ("TIME", "time"),
        ("node", "nodes"),
        ("ntaks-per-node", "ntasks-per-node"),
        ("mem-per-cup", "mem-per-cpu"),
        ("memm", "mem"),
        ("output", None),
        ("", None),
        ("x" * 10_000, None),
    ],
)
def test_nearest_name_is_suggested(word: str, expected: str | None) -> None:
    assert nearest(word, NAMES) == expected


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("ssh_key", ["name", "ssh_key_name"], "ssh_key_name"),
        ("nodes", ["num_nodes", "name"], "num_nodes"),
        ("path", ["name", "mountPath"], "mountPath"),
        ("path", ["subPath", "mountPath"], None),
        ("ssh-name", ["ssh_key_name"], "ssh_key_name"),
        ("id", ["volume_id"], None),
        ("stance", ["instance"], None),
        ("a" * 1000, ["a" * 1000 + "_b"], None),
    ],
)
def test_the_only_longer_name_is_suggested(word: str, candidates: list[str], expected: str | None) -> None:
    assert completed(word, candidates) == expected


def plain_distance(a: str, b: str) -> int:
    """The same distance by its definition."""
    table = [[max(i, j) if min(i, j) == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            change = table[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, change)
            if i > 1 and j > 1 and (a[i - 1], a[i - 2]) == (b[j - 2], b[j - 1]):
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(st.text("abcd-", max_size=9), st.lists(st.text("abcd-", max_size=9), max_size=6))
def test_no_other_candidate_is_nearer(word: str, candidates: list[str]) -> None:
    allowed = max(1, len(word.lstrip("-")) // 3)
    distances = {each: plain_distance(word, each) for each in candidates}
    within = [each for each in candidates if distances[each] <= allowed]
    expected = min(within, key=lambda each: distances[each], default=None)
    assert nearest(word, candidates) == expected
