"""Limit price, worst case and budget."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flowc.ir.job import Array, ExitRule, Pricing, Retry, Time
from flowc.passes.price_check import bound_s
from tests.passes.units import codes, error, plan, run, unit

H100 = {"gpus_per_node": 8, "gpu_model": "h100"}


@pytest.mark.parametrize(
    ("model", "gpus", "priority", "limit"),
    [
        ("h100", 8, None, "64.00"),
        ("h100", 8, "low", "32.00"),
        ("h100", 8, "high", "128.00"),
        ("h100", 1, "med", "8.00"),
        ("a100", 2, None, "12.00"),
        ("h200", 8, None, "80.00"),
        ("b200", 8, "low", "48.00"),
    ],
)
def test_limit_follows_from_family_priority_and_gpus(model: str, gpus: int, priority: str | None, limit: str) -> None:
    found = plan(gpus_per_node=gpus, gpu_model=model, pricing=Pricing(priority=priority))
    assert found.limit_usd_per_instance_hour == limit


def test_limit_is_that_of_the_whole_machine_where_gpus_stay_idle() -> None:
    assert plan(gpus_per_node=4, gpu_model="h100").limit_usd_per_instance_hour == "64.00"


def test_cap_wins_over_priority() -> None:
    pricing = Pricing(max_usd_per_instance_hour="20.5", priority="high")
    assert plan(pricing=pricing, **H100).limit_usd_per_instance_hour == "20.50"


def test_cap_is_cut_to_cents_and_told() -> None:
    done, (note,) = run(unit(pricing=Pricing(max_usd_per_instance_hour="20.129"), **H100))
    assert done.plan is not None
    assert done.plan.limit_usd_per_instance_hour == "20.12"
    assert note.message == "prices have whole cents: $20.129 becomes $20.12"


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        ("7.99", ["cap-below-minimum"]),
        ("8", ["limit-below-market"]),
        ("12.02", ["limit-below-market"]),
        ("12.03", []),
        ("0.001", ["cap-below-minimum"]),
    ],
)
def test_cap_against_minimum_and_market(cap: str, expected: list[str]) -> None:
    assert codes(pricing=Pricing(max_usd_per_instance_hour=cap), **H100) == expected


def test_cap_that_was_meant_for_each_gpu_is_recognised() -> None:
    found = error(pricing=Pricing(max_usd_per_instance_hour="3.50"), **H100)
    assert found.help == "prices are for a whole machine: $3.50 for each GPU would be $28.00"
    assert error(pricing=Pricing(max_usd_per_instance_hour="0.50"), **H100).help is None


def test_cap_below_a_cent_is_refused_where_no_minimum_is_known() -> None:
    found = error(gpus_per_node=8, gpu_model="b200", pricing=Pricing(max_usd_per_instance_hour="0.009"))
    assert "not sold below $0.01 an hour, the limit price is $0.009" in found.message


WORST: list[tuple[dict[str, Any], str | None, str | None, str | None]] = [
    ({"time": Time(limit_s=3600)}, "1", "64.00", "12.03"),
    ({"time": Time(limit_s=600)}, "0.1667", "10.67", "2.01"),
    ({"time": Time(limit_s=36 * 3600), "nodes": 2}, "36", "4608.00", "866.16"),
    ({"time": Time(limit_s=3600), "array": Array(indices=(1, 2, 5))}, "1", "192.00", "36.09"),
    ({"time": Time()}, None, None, None),
]


@pytest.mark.parametrize(("fields", "hours", "worst", "expected"), WORST)
def test_worst_case_and_expected_cost(
    fields: dict[str, Any], hours: str | None, worst: str | None, expected: str | None
) -> None:
    found = plan(**fields, **H100)
    assert (found.hours_bound, found.worst_case_usd, found.expected_usd) == (hours, worst, expected)


def test_attempts_count_where_only_each_attempt_is_limited() -> None:
    job = unit(time=Time(attempt_limit_s=600), retry=Retry(max_restarts=2)).job
    assert bound_s(job) == 1800
    assert bound_s(job.replace(retry=Retry())) is None


@pytest.mark.parametrize(
    ("retry", "seconds"),
    [
        (Retry(max_restarts=0), 600),
        (Retry(max_restarts=2, delay_ms=1500), 1803),
        (Retry(max_restarts=2, delay_ms=1501), 1804),
        (Retry(max_restarts=3, delay_ms=10_000, delay_factor="2"), 2400 + 10 + 20 + 40),
        (Retry(max_restarts=3, delay_ms=10_000, delay_factor="2", max_delay_ms=15_000), 2400 + 10 + 15 + 15),
        (Retry(max_restarts=10**9, delay_ms=10_000, delay_factor="2", max_delay_ms=20_000), 620 * 10**9 + 600 - 10),
        (Retry(max_restarts=10**9, delay_ms=1, delay_factor="0.5"), 600 * (10**9 + 1) + 10**6),
        (Retry(max_restarts=10**9, delay_ms=1000, delay_factor="1.5"), None),
        (Retry(max_restarts=2, exit_rules=(ExitRule(action="free", codes=(42,)),)), None),
        (Retry(max_restarts=2, exit_rules=(ExitRule(action="fail", codes=(42,)),)), 1800),
        (Retry(), None),
    ],
)
def test_attempts_and_the_waits_between_them_are_bounded(retry: Retry, seconds: int | None) -> None:
    job = unit(time=Time(attempt_limit_s=600), retry=retry).job
    assert bound_s(job) == seconds
    assert bound_s(job.replace(time=Time(attempt_limit_s=600, limit_s=60))) == 60


def test_budget_is_refused_with_its_arithmetic() -> None:
    fields = {"nodes": 2, "array": Array(indices=(0, 1, 2)), "time": Time(limit_s=2 * 3600)}
    found = error(pricing=Pricing(budget_usd="767.99"), **fields, **H100)
    assert found.message == (
        "may cost $768.00, the budget is $767.99: $64.00 an hour x 2 h x 2 nodes x 3 tasks of the array"
    )
    assert codes(pricing=Pricing(budget_usd="768"), **fields, **H100) == []


def test_no_time_limit_is_noted_once_and_refused_with_a_budget() -> None:
    assert codes(time=Time(), **H100) == ["cost-unbounded"]
    assert codes(time=Time(), pricing=Pricing(budget_usd="100"), **H100) == ["budget-unbounded"]


@given(
    st.integers(1, 10**9),
    st.integers(1, 256),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=50, unique=True),
    st.integers(1, 10**7),
)
def test_worst_case_is_exact_and_rounded_up_to_cents(cents: int, nodes: int, indices: list[int], seconds: int) -> None:
    assume(cents >= 803)
    cap = f"{cents // 100}.{cents % 100:02d}"
    found = plan(
        nodes=nodes,
        pricing=Pricing(max_usd_per_instance_hour=cap),
        array=Array(indices=tuple(sorted(indices))),
        time=Time(limit_s=seconds),
        **H100,
    )
    exact = Fraction(cents, 100) * nodes * len(indices) * seconds / 3600
    assert 0 <= Fraction(found.worst_case_usd or "") - exact < Fraction(1, 100)
    assert 0 <= Fraction(found.hours_bound or "") - Fraction(seconds, 3600) <= Fraction(1, 10_000)


def test_what_multiplies_the_price_is_said_unless_a_budget_bounds_it() -> None:
    fields = {"gpus_per_node": 8, "gpu_model": "h100", "nodes": 2, "array": Array(indices=(1, 2, 3))}
    _, found = run(unit(time=Time(limit_s=7200), **fields))
    (note,) = (each for each in found if each.code.name == "cost-multiplied")
    assert note.message == "may cost up to $768.00 in all: $64.00 an hour x 2 h x 2 nodes x 3 tasks of the array"
    _, found = run(unit(time=Time(limit_s=7200), pricing=Pricing(budget_usd="800"), **fields))
    assert "cost-multiplied" not in [each.code.name for each in found]
