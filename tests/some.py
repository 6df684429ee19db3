"""Which cases of a test the ordinary suite runs."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet


def some(values: Iterable[object], *ordinary: object) -> list[ParameterSet]:
    """All values as parameters of a test: those that are named are of the ordinary suite, the others of the slow one.

    Raises:
        ValueError: One that is named is not among them.
    """
    found = list(values)
    if missing := [each for each in ordinary if each not in found]:
        raise ValueError(f"not among the values: {missing}")
    return [pytest.param(each, marks=[] if each in ordinary else [pytest.mark.slow]) for each in found]
