"""Choosing the machine: the decisions, their reasons, and why a job is refused."""

from __future__ import annotations

from typing import Any

import pytest

import flowc
from flowc.ir.job import Placement, Pricing
from tests.passes.units import codes, error, plan, run, unit

GIB = 1 << 30
REQUESTS: list[tuple[dict[str, Any], str, int]] = [
    # Named models, sold and unsold counts.
    ({"gpus_per_node": 8, "gpu_model": "h100"}, "h100-80gb.sxm.8x", 1),
    ({"gpus_per_node": 4, "gpu_model": "h100"}, "h100-80gb.sxm.8x", 1),
    ({"gpus_per_node": 1, "gpu_model": "h100"}, "h100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 3, "gpu_model": "nvidia_a100-sxm4-80gb"}, "a100-80gb.sxm.4x", 1),
    ({"gpus_per_node": 2, "gpu_model": "A100", "nodes": 3}, "a100-80gb.sxm.2x", 3),
    ({"gpus_per_node": 1, "gpu_model": "a100_40gb"}, "a100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 1, "gpu_model": "nvidia_h100_80gb_hbm3_3g.40gb"}, "h100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 2, "gpu_model": "h200"}, "ccs-h200.sxm.8x", 1),
    ({"gpus_per_node": 8, "gpu_model": "b200"}, "neb-b200.sxm.8x", 1),
    # No model: the cheapest.
    ({"gpus_per_node": 1}, "a100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 8}, "a100-80gb.sxm.8x", 1),
    ({"gpus_per_node": 1, "gpu_model": "gpu"}, "a100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 1, "gpu_memory_bytes": 100 * GIB}, "ccs-h200.sxm.1x", 1),
    # GPUs of the whole job.
    ({"gpus_total": 4, "nodes": None}, "a100-80gb.sxm.4x", 1),
    ({"gpus_total": 16, "nodes": None}, "a100-80gb.sxm.8x", 2),
    ({"gpus_total": 4, "nodes": 2}, "a100-80gb.sxm.2x", 2),
    ({"gpus_total": 5, "nodes": 2}, "a100-80gb.sxm.4x", 2),
    ({"gpus_total": 16, "gpus_per_node": 4, "nodes": None}, "a100-80gb.sxm.4x", 4),
    (
        {"tasks": 4, "gpus_per_task": 1, "gpus_total": 4, "nodes": None, "gpu_model": "h100"},
        "h100-80gb.sxm.8x",
        1,
    ),
    ({"tasks": 8, "tasks_per_node": 4, "gpus_per_task": 2, "nodes": 2}, "a100-80gb.sxm.8x", 2),
    # No GPU: CPUs and memory.
    ({}, "a100-80gb.sxm.1x", 1),
    ({"tasks": 32}, "a100-80gb.sxm.2x", 1),
    ({"tasks": 32, "nodes": 2}, "a100-80gb.sxm.1x", 2),
    ({"tasks": 1000, "nodes": None, "nodes_max": 1000}, "a100-80gb.sxm.8x", 5),
    ({"cpus_per_task": 30}, "a100-80gb.sxm.2x", 1),
    ({"cpus_per_node": 100}, "a100-80gb.sxm.4x", 1),
    ({"gpus_per_node": 1, "cpus_per_gpu": 24}, "a100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 1, "cpus_per_gpu": 48}, "a100-80gb.sxm.2x", 1),
    ({"memory_bytes_per_node": 200 * GIB}, "a100-80gb.sxm.2x", 1),
    ({"memory_bytes_per_node": 1600 * GIB}, "h100-80gb.sxm.8x", 1),
    ({"memory_bytes_per_cpu": 8 * GIB, "tasks": 32}, "a100-80gb.sxm.2x", 1),
    ({"memory_bytes_per_cpu": 16 * GIB, "tasks": 32}, "a100-80gb.sxm.4x", 1),
    ({"memory_bytes_per_gpu": 200 * GIB, "gpus_per_node": 2}, "a100-80gb.sxm.4x", 1),
    ({"disk_bytes": 10**13}, "a100-80gb.sxm.8x", 1),
    # Ranges of nodes: as few as fit.
    ({"nodes": 2, "nodes_max": 4, "tasks": 2}, "a100-80gb.sxm.1x", 2),
    ({"nodes": 2, "nodes_max": 4, "tasks": 600}, "a100-80gb.sxm.8x", 3),
    # Features.
    ({"gpus_per_node": 1, "features": ("h100", "ib")}, "h100-80gb.sxm.1x", 1),
    ({"gpus_per_node": 1, "features": ("v100", "h200")}, "ccs-h200.sxm.1x", 1),
    ({"gpus_per_node": 1, "features": ("skylake",)}, "a100-80gb.sxm.1x", 1),
    ({"features": ("h100",)}, "h100-80gb.sxm.1x", 1),
    ({"features": ("v100",)}, "a100-80gb.sxm.1x", 1),
    # Names.
    ({"alternatives": ("h100",)}, "h100-80gb.sxm.8x", 1),
    ({"alternatives": ("a100",)}, "a100-80gb.sxm.1x", 1),
    ({"alternatives": ("h200",)}, "ccs-h200.sxm.1x", 1),
    ({"alternatives": ("8xh200",)}, "ccs-h200.sxm.8x", 1),
    ({"alternatives": ("H200.8x",)}, "ccs-h200.sxm.8x", 1),
    ({"alternatives": ("h200-141gb.sxm.8x",)}, "ccs-h200.sxm.8x", 1),
    ({"alternatives": ("8xb200",)}, "neb-b200.sxm.8x", 1),
    ({"alternatives": ("1xh100",)}, "h100-80gb.sxm.1x", 1),
    ({"alternatives": ("h100.8x.SXM5.IB",)}, "h100-80gb.sxm.8x", 1),
    ({"alternatives": (" it_XqgKWbhZ5gznAYsG ",)}, "h100-80gb.sxm.8x", 1),
    ({"alternatives": ("a100",), "gpus_per_node": 4}, "a100-80gb.sxm.4x", 1),
    ({"alternatives": ("h100",), "gpus_per_node": 1}, "h100-80gb.sxm.1x", 1),
    ({"alternatives": ("1xa100", "8xh100"), "gpus_per_node": 8}, "h100-80gb.sxm.8x", 1),
]


@pytest.mark.parametrize(("fields", "machine", "nodes"), REQUESTS, ids=lambda value: str(value)[:60])
def test_request_gets_its_machine(fields: dict[str, Any], machine: str, nodes: int) -> None:
    found = plan(**fields)
    assert (found.instance_type, found.nodes) == (machine, nodes)
    (chosen,) = [each for each in found.candidates if each.chosen]
    assert chosen.instance_type == machine
    assert all(each.reason for each in found.candidates)


def test_unsold_count_names_idle_gpus_and_price_and_hides_them() -> None:
    done, (warning,) = run(unit(gpus_per_node=4, gpu_model="h100"))
    assert warning.code.name == "gpus-stay-idle"
    assert "4 of 8 GPUs" in warning.message
    assert "limit $32.00 of $64.00 an hour; the market price is $12.03" in warning.message
    assert warning.span is not None
    assert done.plan is not None
    assert (done.plan.gpus_per_node, done.plan.gpus_visible) == (8, 4)


def test_exclusive_job_sees_all_gpus_of_its_machine_and_none_is_told_to_stay_idle() -> None:
    done, found = run(unit(gpus_per_node=4, gpu_model="h100", exclusive=True))
    assert "gpus-stay-idle" not in {each.code.name for each in found}
    assert done.plan is not None
    assert (done.plan.gpus_per_node, done.plan.gpus_visible) == (8, None)


def test_price_of_idle_gpus_is_that_of_all_nodes() -> None:
    _, (warning, _cost) = run(unit(gpus_per_node=4, gpu_model="h100", nodes=2))
    assert "(limit $64.00 of $128.00 an hour for 2 nodes; the market price is $24.06)" in warning.message


def test_all_gpus_are_visible_where_all_are_asked_for_or_none() -> None:
    assert plan(gpus_per_node=8, gpu_model="h100").gpus_visible is None
    assert plan(tasks=4).gpus_visible is None
    assert plan(alternatives=("8xh100",)).gpus_visible is None


def test_named_machine_with_more_gpus_is_no_surprise_but_hides_them() -> None:
    done, found = run(unit(gpus_per_node=4, alternatives=("8xh100",)))
    assert found == []
    assert done.plan is not None
    assert done.plan.gpus_visible == 4


def test_open_choices_are_warnings_and_errors_under_strict() -> None:
    for fields, name in (({"gpus_per_node": 1}, "gpu-model-open"), ({}, "gpu-not-asked")):
        _, (warning,) = run(unit(**fields))
        assert (warning.code.name, warning.severity) == (name, "warning")
        assert "`a100-80gb.sxm.1x`" in warning.message
        assert "limit $6.00 an hour; the provider's minimum is $0.01" in warning.message
        _, (strict,) = run(unit(**fields), strict=True)
        assert strict.severity == "error"
    result = flowc.compile("#!/bin/sh\n#SBATCH --gres=gpu:1 -t 10 --array=1-9%2\ntrue\n", strict=True)
    assert result.failed
    assert result.artifacts == ()
    # No stage is left out for it: what the backend has to say is there too.
    assert {"gpu-model-open", "order-kept-by-submit"} <= {each.code.name for each in result.diagnostics}


SPEC_ERRORS = (
    ("a100x8", "did you mean `8xa100`? valid formats: `a100`, `2xa100`, `4xa100`, `8xa100`"),
    ("h100*8", "did you mean `8xh100`? valid formats: `h100`, `1xh100`, `8xh100`"),
)


@pytest.mark.parametrize(("text", "help"), SPEC_ERRORS)
def test_unreadable_name_has_value_suggestion_and_formats(text: str, help: str) -> None:
    found = error(alternatives=(text,))
    assert found.message.startswith(f"invalid instance type `{text}`: ")
    assert found.help == help


@pytest.mark.parametrize(
    ("text", "sold"),
    [
        ("4xh100", "H100 is sold with 1 or 8 GPUs of 80 GB"),
        ("2xh100", "H100 is sold with 1 or 8 GPUs of 80 GB"),
        ("3xa100", "A100 is sold with 1, 2, 4 or 8 GPUs of 80 GB"),
        ("16xh100", "H100 is sold with 1 or 8 GPUs of 80 GB"),
        ("a100-40gb", "A100 is sold with 1, 2, 4 or 8 GPUs of 80 GB"),
        ("h100-80gb.pcie.8x", "H100 is sold with 1 or 8 GPUs of 80 GB"),
        ("b200-192gb.8x", "B200 is sold with 8 GPUs of 180 GB"),
        ("neb-b200.sxm.1x", "B200 is sold with 8 GPUs of 180 GB"),
        ("a40", "what is sold has A100, H100, H200 or B200 GPUs"),
    ],
)
def test_name_that_is_not_sold_lists_what_is(text: str, sold: str) -> None:
    found = error(alternatives=(text,))
    assert found.code.name == "instance-type-not-sold"
    assert found.message == f"no machine `{text}` is sold: {sold}"
    assert "`8xh100`" in (found.help or "")


@pytest.mark.parametrize("model", ["tesla_v100", "rtx3090", "a30.24", "volta", "gh200"])
def test_known_model_that_is_not_sold(model: str) -> None:
    found = error(gpus_per_node=1, gpu_model=model)
    assert found.code.name == "gpu-model-not-sold"
    assert "is sold: what is sold has A100, H100" in found.message
    assert "--instance-type" in (found.help or "")


def test_model_with_more_memory_than_is_sold() -> None:
    found = error(gpus_per_node=1, gpu_model="h100_94gb")
    assert found.message == "no machine with 94 GB H100 GPUs is sold: H100 is sold with 1 or 8 GPUs of 80 GB"


def test_unknown_model_has_a_suggestion() -> None:
    found = error(gpus_per_node=1, gpu_model="h1000")
    assert found.code.name == "gpu-model-unknown"
    assert (found.help or "").startswith("did you mean `h100`? ")


def test_instance_type_wins_over_an_unsold_model() -> None:
    assert codes(gpus_per_node=1, gpu_model="v100", alternatives=("1xa100",)) == ["instance-type-wins"]
    assert codes(gpus_per_node=1, gpu_model="h1000", alternatives=("1xa100",)) == ["instance-type-wins"]
    assert codes(gpus_per_node=1, gpu_model="nvidia_a100", alternatives=("1xa100",)) == []


REFUSALS: list[tuple[dict[str, Any], str]] = [
    (
        {"gpus_per_node": 16, "gpu_model": "h100"},
        "16 GPUs on one node; the largest machine for `h100` that is sold",
    ),
    ({"gpus_per_node": 8, "alternatives": ("1xa100",)}, "8 GPUs on one node; `a100-80gb.sxm.1x` has 1 GPU"),
    (
        {"tasks": 256},
        "256 CPUs on one node; the largest machine that is sold, `a100-80gb.sxm.8x`, has 204 CPUs",
    ),
    ({"tasks": 10**9, "nodes": 4}, "250000000 CPUs on each of 4 nodes"),
    ({"memory_bytes_per_node": 4000 * GIB}, "4000 GiB of memory on one node"),
    (
        {"disk_bytes": 10**15},
        "of local disk on one node; the largest machine that is sold, `a100-80gb.sxm.8x`",
    ),
    (
        {"gpus_per_node": 1, "gpu_memory_bytes": 300 * GIB},
        "300 GiB of memory on each GPU; `neb-b200.sxm.8x` has 180 GB",
    ),
    (
        {"tasks": 200, "memory_bytes_per_node": 1800 * GIB},
        "200 CPUs and 1800 GiB of memory together on one node",
    ),
    ({"gpus_total": 10_000, "nodes": None}, "40 GPUs on each of 256 nodes"),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSALS, ids=lambda value: str(value)[:60])
def test_refusal_names_the_true_reason(fields: dict[str, Any], reason: str) -> None:
    found = error(**fields)
    assert found.code.name == "more-than-sold"
    assert reason in found.message
    assert found.span is not None


def test_refusal_says_where_more_nodes_would_help() -> None:
    assert error(tasks=256).help == "spread over 2 nodes (`--nodes=2`), it would fit"
    assert error(gpus_per_node=16).help == "no machine has as many: ask for 2 nodes with 8 GPUs each"
    assert error(gpus_per_node=12).help is None
    fixed = error(tasks=256, tasks_per_node=256).help
    assert fixed == "spread over 2 nodes (`--nodes=2 --ntasks-per-node=128`), it would fit"


def test_region_where_it_is_not_sold_says_where_it_is() -> None:
    found = error(gpus_per_node=8, gpu_model="h100", placement=Placement(regions=("us-central3-a",)))
    assert found.code.name == "not-in-region"
    assert "`h100-80gb.sxm.8x` is in us-central2-a and us-central1-b" in found.message


def test_unknown_region_warns_and_is_taken() -> None:
    done, (warning,) = run(unit(gpus_per_node=8, gpu_model="h100", placement=Placement(regions=("ap-south1-a",))))
    assert warning.code.name == "region-unknown"
    assert done.plan is not None
    assert (done.plan.region, done.plan.fid, done.plan.market_usd_per_instance_hour) == (
        "ap-south1-a",
        None,
        None,
    )


def test_region_narrows_the_choice() -> None:
    found = plan(gpus_per_node=1, placement=Placement(regions=("us-central2-b", "us-central2-a")))
    assert found.instance_type == "h100-80gb.sxm.1x"
    assert any(each.reason == "not in us-central2-b or us-central2-a" for each in found.candidates)


def test_id_that_the_catalog_does_not_know_needs_region_and_price() -> None:
    found = error(alternatives=("it_new",))
    assert "give `--region` and `--max-price-per-hour` with it" in found.message
    placed = {"placement": Placement(regions=("us-central2-a",)), "alternatives": ("it_new",)}
    assert "give `--max-price-per-hour` with it" in error(**placed).message
    taken = plan(pricing=Pricing(max_usd_per_instance_hour="20"), gpus_per_node=8, **placed)
    assert (taken.fid, taken.region, taken.gpus_per_node) == ("it_new", "us-central2-a", 8)


def test_reason_of_every_candidate_is_told() -> None:
    reasons = {each.instance_type: each.reason for each in plan(gpus_per_node=8, gpu_model="h100").candidates}
    assert reasons["h100-80gb.sxm.1x"] == "`h100-80gb.sxm.1x` has 1 GPU, not 8"
    assert reasons["a100-80gb.sxm.8x"] == "not `h100`"


@pytest.mark.parametrize(
    ("fields", "machine", "gpus"),
    [
        ({"gpu_memory_bytes": 40 * GIB}, "a100-80gb.sxm.1x", "1 GPU of 80 GB"),
        ({"gpu_memory_bytes": 100 * GIB}, "ccs-h200.sxm.1x", "1 GPU of 141 GB"),
        ({"gpu_memory_bytes": 150 * GIB}, "neb-b200.sxm.8x", "8 GPUs of 180 GB"),
        ({"gpu_memory_bytes": 40 * GIB, "cpus_per_node": 100}, "a100-80gb.sxm.4x", "4 GPUs of 80 GB"),
        ({"gpu_model": "h100"}, "h100-80gb.sxm.1x", "1 GPU of 80 GB"),
    ],
)
def test_kind_of_gpu_without_a_count(fields: dict[str, Any], machine: str, gpus: str) -> None:
    done, (note,) = run(unit(**fields))
    assert (note.code.name, note.severity) == ("gpu-count-open", "note")
    assert f"`{machine}` is the cheapest machine with such GPUs: {gpus} (limit $" in note.message
    assert note.span is not None
    assert done.plan is not None
    assert (done.plan.instance_type, done.plan.gpus_visible) == (machine, None)
    assert "the cheapest" in done.plan.candidates[0].reason or "the only one" in done.plan.candidates[0].reason


def test_more_memory_than_any_gpu_has() -> None:
    assert "300 GiB of memory on each GPU; `neb-b200" in error(gpu_memory_bytes=300 * GIB).message


@pytest.mark.parametrize(
    ("pattern", "region"), [("us-central2-a", "us-central1-b"), ("us-central2-*", "us-central1-b")]
)
def test_excluded_regions(pattern: str, region: str) -> None:
    found = plan(gpus_per_node=8, gpu_model="h100", placement=Placement(exclude_regions=(pattern,)))
    assert found.region == region
    assert any(each.reason == "us-central2-a is excluded" for each in found.candidates)


def test_no_region_is_left() -> None:
    found = error(gpus_per_node=8, gpu_model="h100", placement=Placement(exclude_regions=("us-*", "eu-*")))
    assert found.code.name == "not-in-region"
    assert "offered in the regions that are left without `us-*` and `eu-*`: `h100-80gb.sxm.8x` is in" in found.message
    assert found.span is not None


def test_excluding_wins_over_naming() -> None:
    placement = Placement(regions=("ap-south1-a", "us-central2-a"), exclude_regions=("ap-*",))
    found = plan(gpus_per_node=8, gpu_model="h100", placement=placement)
    assert found.region == "us-central2-a"


def test_pattern_that_excludes_nothing() -> None:
    _, (warning,) = run(
        unit(gpus_per_node=8, gpu_model="h100", placement=Placement(exclude_regions=("us-est*", "eu-*")))
    )
    assert warning.message.startswith("`us-est*` excludes no region")
    assert "eu-central1-a" in (warning.help or "")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"shm_bytes": 4000 * GIB}, "4000 GiB of shared memory on one node; the largest machine that is sold, `h100"),
        ({"shm_bytes": 200 * GIB, "alternatives": ("1xa100",)}, "`a100-80gb.sxm.1x` has 190 GiB of shared memory"),
        ({"disk_bytes": 10**15}, "of local disk on one node"),
    ],
)
def test_disk_and_shared_memory_are_bounded_by_the_machine(fields: dict[str, Any], reason: str) -> None:
    found = error(**fields)
    assert found.code.name == "more-than-sold"
    assert reason in found.message


def test_shared_memory_chooses_the_machine() -> None:
    assert plan(gpus_per_node=1, gpu_model="a100", shm_bytes=200 * GIB).instance_type == "a100-80gb.sxm.2x"


def test_slice_without_a_model_is_told_as_one_and_a_feature_names_the_model() -> None:
    _, found = run(unit(gpus_per_node=1, gpu_model="1g.10gb"))
    messages = {each.code.name: each.message for each in found}
    assert messages["gpu-slice"] == "`1g.10gb` is a slice of a GPU; each becomes a whole GPU"
    assert messages["gpu-model-open"].startswith("`1g.10gb` names no GPU model: ")
    done, found = run(unit(gpus_per_node=1, gpu_model="1g.10gb", features=("h100",)))
    assert done.plan is not None
    assert done.plan.gpu_model == "h100"
    assert "gpu-model-open" not in {each.code.name for each in found}


def test_a_disk_of_unknown_size_is_taken_and_told() -> None:
    """Where a model is named of which no machine's disk is known; one whose disk is known to be smaller is refused."""
    _, found = run(unit(gpus_per_node=8, gpu_model="b200", disk_bytes=10**12))
    assert [each.message for each in found if each.code.name == "disk-unknown"] == [
        "the job asks for 931.4 GiB of local disk; how much `neb-b200.sxm.8x` has is not known"
    ]
    assert error(gpus_per_node=8, gpu_model="h100", disk_bytes=10**15).code.name == "more-than-sold"
