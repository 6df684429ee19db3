"""GPU models that are not sold: what takes their place with `--move` or a line of the profile, and what never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flowc
from flowc._compiled.gpu_capabilities import MODELS, SAME_FEATURES
from flowc._compiled.gpu_models import FAMILIES, MAKERS, WORDS
from flowc.catalog import bundled
from flowc.catalog.gpus import read_gpu_word
from flowc.catalog.stand_ins import stand_ins
from flowc.inputs import Flags, Inputs

MOVE = Inputs(flags=Flags(move=True))
# Machines with them have ARM processors, for which programs are others.
ARM = {"gh200", "gb200", "gb300", "t4g"}
OTHERS = {name for names in MAKERS.values() for name in names}


def script(gpus: str) -> str:
    return f"#!/bin/bash\n#SBATCH --time=1:00:00 {gpus}\nnvidia-smi\n"


def chosen(text: str, inputs: Inputs = MOVE, path: str = "job.sbatch") -> tuple[str | None, list[str]]:
    """The machine, and what is said of it (but for the budget's notes)."""
    result = flowc.compile(text, inputs, path=path, emit="plan")
    codes = [each.code.id for each in result.diagnostics if each.code.id.startswith("FC6")]
    if result.failed:
        return None, codes
    return json.loads(result.artifacts[0].text)["jobs"][0]["instance_type"], codes


@pytest.mark.parametrize(
    ("gpus", "machine"),
    [
        ("--gres=gpu:v100:1", "a100-80gb.sxm.1x"),
        ("--gres=gpu:v100:3", "a100-80gb.sxm.4x"),
        ("--gres=gpu:nvidia_rtx_a6000:2", "a100-80gb.sxm.2x"),
        ("--gres=gpu:rtx4090:1", "h100-80gb.sxm.1x"),
        ("--gres=gpu:rtx_pro_6000:1", "neb-b200.sxm.8x"),
        ("--gpus=1 -C volta", "a100-80gb.sxm.1x"),
        ("--gres=gpu:tesla_t4:1", "a100-80gb.sxm.1x"),
    ],
)
def test_the_cheapest_that_is_at_least_as_capable(gpus: str, machine: str) -> None:
    assert chosen(script(gpus), Inputs()) == (None, ["FC605"])
    found, codes = chosen(script(gpus))
    assert found == machine
    assert "FC626" in codes
    assert "FC605" not in codes


@pytest.mark.parametrize(
    "gpus", ["gpu:mi250:1", "gpu:gaudi2:1", "gpu:tpu:1", "gpu:gh200:1", "gpu:b300:1", "gpu:nonsense:1"]
)
def test_nothing_takes_the_place_of_these(gpus: str) -> None:
    assert chosen(script(f"--gres={gpus}"))[0] is None


def test_what_is_sold_stays() -> None:
    assert chosen(script("--gres=gpu:h100:8"))[0] == chosen(script("--gres=gpu:h100:8"), Inputs())[0]
    assert "FC626" not in chosen(script("--gres=gpu:h100:8"))[1]


def test_more_gpus_than_are_sold_are_still_refused() -> None:
    assert chosen(script("--nodes=1 --gres=gpu:v100:16")) == (None, ["FC611"])


def test_one_of_several_choices(tmp_path: Path) -> None:
    text = "resources:\n  accelerators: {V100: 1, T4: 1}\nrun: nvidia-smi\n"
    assert chosen(text, Inputs(), "job.yaml")[0] is None
    assert chosen(text, MOVE, "job.yaml")[0] == "a100-80gb.sxm.1x"


def with_profile(tmp_path: Path, lines: str, gpus: str) -> tuple[str | None, list[str]]:
    path = tmp_path / "profile.yaml"
    path.write_text(lines)
    return chosen(script(gpus), Inputs(profile=str(path)))


def test_a_line_of_the_profile(tmp_path: Path) -> None:
    assert with_profile(tmp_path, "gpus: {v100: h100}\n", "--gres=gpu:v100:1") == ("h100-80gb.sxm.1x", ["FC626"])
    assert with_profile(tmp_path, "gpus: {'V1*': any}\n", "--gres=gpu:v100:1")[0] == "a100-80gb.sxm.1x"
    assert with_profile(tmp_path, "gpus: {t4: h100}\n", "--gres=gpu:v100:1") == (None, ["FC605"])
    # A line for what is sold has no say.
    assert with_profile(tmp_path, "gpus: {a100: h100}\n", "--gres=gpu:a100:1")[0] == "a100-80gb.sxm.1x"


@pytest.mark.parametrize(
    "gpus", ["-C v100-32g --gres=gpu:1", "--gres=gpu:tesla_v100-sxm2-32gb:1", "--gres=gpu:volta:1"]
)
def test_a_line_for_a_model_is_for_all_its_spellings(tmp_path: Path, gpus: str) -> None:
    assert with_profile(tmp_path, "gpus: {v100: h100}\n", gpus)[0] == "h100-80gb.sxm.1x"
    assert with_profile(tmp_path, "gpus: {'*': any, V100: h100}\n", gpus)[0] == "h100-80gb.sxm.1x"
    assert with_profile(tmp_path, "gpus: {v100-16g: h100}\n", gpus)[0] is None
    path = tmp_path / "profile.yaml"
    path.write_text("gpus: {v100: h100}\n")
    assert flowc.check(script(gpus), Inputs(profile=str(path)), path="job.sbatch").used == {("gpus", "v100")}


def test_the_word_itself_goes_before_its_model(tmp_path: Path) -> None:
    lines = "gpus: {v100: h100, v100-32g: h200}\n"
    assert with_profile(tmp_path, lines, "-C v100-32g --gres=gpu:1")[0] == "ccs-h200.sxm.1x"
    assert with_profile(tmp_path, lines, "-C v100-16g --gres=gpu:1")[0] == "h100-80gb.sxm.1x"


def test_what_is_to_take_the_place_must_be_sold(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    for model, place in (("nothing9", "nothing9"), ("v100", None)):
        path.write_text(f"gpus: {{v100: {model}}}\n")
        found = flowc.check(script("--gres=gpu:v100:1"), Inputs(profile=str(path)), path="job.sbatch").diagnostics
        (error,) = [each for each in found if each.severity == "error"]
        if place is not None:
            assert (error.code.id, error.span and error.span.text) == ("FC038", place)
        else:
            assert error.code.id == "FC605"
            assert "the profile's `gpus.v100` names `v100`, which is not sold" in (error.help or "")


def test_help_names_the_line_of_a_profile(tmp_path: Path) -> None:
    found = flowc.check(script("-C v100-32g --gres=gpu:1"), Inputs(), path="job.sbatch").diagnostics
    (help,) = [each.help for each in found if each.code.id == "FC605"]
    assert "a profile's line `gpus: {v100: any}` does for all jobs" in (help or "")


def test_an_unused_line_is_known(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text("gpus: {v100: h100, t4: any}\n")
    found = flowc.check(script("--gres=gpu:v100:1"), Inputs(profile=str(path)), path="job.sbatch")
    assert found.used == {("gpus", "v100")}


def test_every_model_of_nvidia_has_a_row() -> None:
    known = {*FAMILIES, *(family for families in WORDS.values() for family in families)} - OTHERS - ARM
    assert known == {*MODELS}
    assert {*SAME_FEATURES} <= {row["capability"] for row in MODELS.values()}


def test_a_stand_in_has_all_that_the_model_has() -> None:
    catalog = bundled()
    for family, row in MODELS.items():
        word = read_gpu_word(family)
        assert word is not None, family
        for offer in stand_ins(word, catalog):
            assert offer.type.gpu_memory_gb >= row["memory_gb"]
            assert float(MODELS[offer.type.family]["capability"]) >= float(
                SAME_FEATURES.get(row["capability"], row["capability"])
            )
