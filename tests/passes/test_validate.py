"""Bounds that hold for jobs of every format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.ir.job import Array, Placement, StopSignal, Time
from flowc.passes.validate import environment_bytes
from tests.passes.units import codes, error, run, unit

GPU = {"gpus_per_node": 8, "gpu_model": "h100"}


@pytest.mark.parametrize(("length", "refused"), [(4089, False), (4090, True)])
def test_environment_has_4096_bytes_at_most(length: int, refused: bool) -> None:
    env = (("NAME", "x" * length), ("B", ""))[: 2 if length == 4090 else 1]
    assert environment_bytes((("NAME", "x" * 4090),)) == 4096
    assert ("environment-too-large" in codes(env=env, **GPU)) == refused


def test_message_names_the_largest_variable_and_both_sizes() -> None:
    found = error(env=(("SMALL", "1"), ("LARGE", "ä" * 3000)), **GPU)
    assert "6015 bytes, at most 4096" in found.message
    assert found.help == "the largest is `LARGE` with 3000 characters"
    assert found.span is not None


@given(st.lists(st.tuples(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), st.text(max_size=50)), max_size=5))
def test_size_of_an_environment_is_that_of_its_bytes(env: list[tuple[str, str]]) -> None:
    env = [(name, value.encode("utf-8", "replace").decode()) for name, value in env]
    assert environment_bytes(tuple(env)) == sum(len(f"{name}={value}\0".encode()) for name, value in env)


@pytest.mark.parametrize("name", ["A-B", "1A", "", "A B", "Ä", "A\n"])
def test_name_that_no_shell_can_set(name: str) -> None:
    assert codes(env=((name, "1"),), **GPU) == ["environment-name"]


@pytest.mark.parametrize(("nodes", "refused"), [(256, False), (257, True), (10**30, True)])
def test_one_bid_has_256_nodes_at_most(nodes: int, refused: bool) -> None:
    assert (codes(nodes=nodes, **GPU) == ["too-many-nodes"]) == refused


@pytest.mark.parametrize("region", ["us-east-1", "US-CENTRAL1-A", "us-central1", "", "us-central1-a\n", "x" * 10_000])
def test_region_of_another_form(region: str) -> None:
    found = error(placement=Placement(regions=(region,)), **GPU)
    assert found.code.name == "region-form"
    assert "us-central2-a" in (found.help or "")


@pytest.mark.parametrize(("before_s", "warned"), [(300, True), (301, True), (299, False)])
def test_signal_that_is_due_at_once(before_s: int, warned: bool) -> None:
    signal = StopSignal(name="USR1", before_s=before_s, to="shell")
    assert ("signal-at-once" in codes(time=Time(limit_s=300, signal=signal), **GPU)) == warned


@pytest.mark.parametrize(("hours", "noted"), [(24, False), (25, True), (72, True)])
def test_long_jobs_are_told_about_interruption(hours: int, noted: bool) -> None:
    assert ("long-job" in codes(time=Time(limit_s=hours * 3600), **GPU)) == noted


@pytest.mark.parametrize(
    ("count", "together", "expected"),
    [
        (100, None, []),
        (101, None, ["array-over-quota"]),
        (101, 100, []),
        (4000, 50, []),
        (4000, 200, ["array-over-quota"]),
        (4001, None, ["array-too-large"]),
    ],
)
def test_arrays_have_a_largest_size(count: int, together: int | None, expected: list[str]) -> None:
    array = Array(indices=tuple(range(count)), max_concurrent=together)
    cost = [] if count > 4000 else ["cost-multiplied"]
    assert codes(array=array, **GPU) == expected + cost


def test_errors_of_a_job_are_reported_together() -> None:
    _, found = run(unit(env=(("A-B", "x" * 5000),), nodes=1000, placement=Placement(regions=("here",))))
    names = [each.code.name for each in found]
    assert names == ["environment-name", "environment-too-large", "too-many-nodes", "region-form"]
