"""What words for GPUs come to: machines, models that are not sold, and other makers' accelerators."""

from __future__ import annotations

import pytest

from tests.passes.units import error, plan, run, unit


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("mi250x", "AMD"),
        ("MI300X", "AMD"),
        ("amd", "AMD"),
        ("tpu-v5e-8", "Google"),
        ("Gaudi", "Intel"),
        ("v6e-4", "Google"),
        ("Trainium", "AWS"),
        ("Inferentia2", "AWS"),
        ("Radeon-Pro-V520", "AMD"),
    ],
)
def test_accelerator_of_another_maker(model: str, maker: str) -> None:
    found = error(gpus_per_node=8, gpu_model=model)
    assert found.code.name == "gpu-of-another-maker"
    assert found.message == f"`{model}` is made by {maker}: all machines that are sold have NVIDIA GPUs"
    assert "`8xh100`" in (found.help or "")


@pytest.mark.parametrize(
    ("model", "count", "machine"),
    [
        ("A100-80GB", 8, "a100-80gb.sxm.8x"),
        ("H100-SXM", 8, "h100-80gb.sxm.8x"),
        ("H100-MEGA", 8, "h100-80gb.sxm.8x"),
        ("NVIDIA-H100-80GB-HBM3", 1, "h100-80gb.sxm.1x"),
        ("nvidia-h100-mega-80gb", 8, "h100-80gb.sxm.8x"),
        ("H100_NVLINK_80GB", 8, "h100-80gb.sxm.8x"),
        ("H200", 8, "ccs-h200.sxm.8x"),
        ("nvidia-h200-141gb", 8, "ccs-h200.sxm.8x"),
        ("B200", 8, "neb-b200.sxm.8x"),
        ("NVIDIA-A100-80GB-PCIe", 2, "a100-80gb.sxm.2x"),
    ],
)
def test_words_of_other_clusters_and_clouds(model: str, count: int, machine: str) -> None:
    done, found = run(unit(gpus_per_node=count, gpu_model=model))
    assert found == []
    assert done.plan is not None
    assert done.plan.instance_type == machine


@pytest.mark.parametrize(
    "model",
    ["GH200", "NVIDIA-GH200-480GB", "L40S", "RTX-A6000", "RTXA6000", "A10G", "L4", "T4", "T4g", "V100-32GB", "GB200"],
)
def test_models_of_other_clouds_that_are_not_sold(model: str) -> None:
    found = error(gpus_per_node=1, gpu_model=model)
    assert found.code.name == "gpu-model-not-sold"
    assert "what is sold has A100, H100, H200 or B200 GPUs" in found.message


@pytest.mark.parametrize("model", ["a100-40gb", "A100_PCIE_40GB", "NVIDIA-A100-SXM4-40GB"])
def test_smaller_memory_than_is_sold_is_held_by_a_larger_one(model: str) -> None:
    done, (warning,) = run(unit(gpus_per_node=1, gpu_model=model))
    assert warning.code.name == "gpu-memory-larger"
    assert warning.message == f"`{model}` asks for GPUs with 40 GB, which are not sold: taken with 80 GB"
    assert done.plan is not None
    assert done.plan.instance_type == "a100-80gb.sxm.1x"


def test_size_without_a_model_is_a_least_size() -> None:
    assert plan(gpus_per_node=1, gpu_model="141gb").instance_type == "ccs-h200.sxm.1x"
