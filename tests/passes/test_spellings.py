"""Every spelling of an instance type that documents and releases of the provider's tools know, and what it comes to."""

from __future__ import annotations

import pytest

import flowc
from flowc import catalog
from flowc._compiled.gpu_models import FAMILIES, MAKERS, WORDS
from flowc._compiled.prices import USD_PER_GPU_HOUR
from flowc.catalog.gpus import read_gpu_word
from tests.passes.units import error, run, unit

# Spelling, the machine, and what is said of it.
MACHINES = [
    ("a100", "a100-80gb.sxm.1x", ["instance-type-means"]),
    ("A100", "a100-80gb.sxm.1x", ["instance-type-means"]),
    ("4xa100", "a100-80gb.sxm.4x", []),
    ("8xa100", "a100-80gb.sxm.8x", []),
    ("8xh100", "h100-80gb.sxm.8x", []),
    ("h100", "h100-80gb.sxm.8x", ["instance-type-means"]),
    # The catalog has it, though older lists do not.
    ("1xh100", "h100-80gb.sxm.1x", []),
    ("a100:4", "a100-80gb.sxm.4x", []),
    ("h100:8", "h100-80gb.sxm.8x", []),
    ("a100-80gb", "a100-80gb.sxm.1x", ["instance-type-means"]),
    ("a100.80gb", "a100-80gb.sxm.1x", ["instance-type-means"]),
    ("a100.80gb.sxm", "a100-80gb.sxm.1x", ["instance-type-means"]),
    ("a100-80gb.sxm.4x", "a100-80gb.sxm.4x", []),
    ("h100-80gb.sxm.8x", "h100-80gb.sxm.8x", []),
    ("8xh100.80gb.sxm5", "h100-80gb.sxm.8x", []),
    ("8xh100-80gb", "h100-80gb.sxm.8x", []),
    ("h100.8x.SXM5.IB", "h100-80gb.sxm.8x", []),
    ("a100.4x.SXM4.IB", "a100-80gb.sxm.4x", []),
    ("h100.8x", "h100-80gb.sxm.8x", ["instance-type-abridged"]),
    ("8x NVIDIA H100 80GB SXM5", "h100-80gb.sxm.8x", []),
    ("it_XqgKWbhZ5gznAYsG", "h100-80gb.sxm.8x", []),
    ("it_5ECSoHQjLBzrp5YM", "h100-80gb.sxm.8x", []),
    # Ids of before, as documents still give them.
    ("it_MsIRhxj3ccyVWGfP", "a100-80gb.sxm.1x", []),
    ("it_fK7Cx6TVhOK5ZfXT", "a100-80gb.sxm.4x", []),
    ("  8xH100 ", "h100-80gb.sxm.8x", []),
    ("ccs-h200.sxm.8x", "ccs-h200.sxm.8x", []),
    ("h200.8x", "ccs-h200.sxm.8x", []),
    ("8xh200", "ccs-h200.sxm.8x", []),
    ("neb-b200.sxm.8x", "neb-b200.sxm.8x", []),
    ("8xb200", "neb-b200.sxm.8x", []),
]

# Spelling, the error, and a part of its message or help.
ERRORS = [
    ("2xh100", "instance-type-not-sold", "H100 is sold with 1 or 8 GPUs"),
    ("4xh100", "instance-type-not-sold", "H100 is sold with 1 or 8 GPUs"),
    (
        "a100x8",
        "instance-type-unreadable",
        "did you mean `8xa100`? valid formats: `a100`, `2xa100`, `4xa100`, `8xa100`",
    ),
    ("8xb20", "instance-type-unreadable", "did you mean `8xb200`?"),
    ("8xH1000", "instance-type-unreadable", "did you mean `8xh100`?"),
    ("h10", "instance-type-unreadable", "did you mean `h100`?"),
    ("a100:0", "instance-type-unreadable", "a machine has at least 1 GPU"),
    ("0xa100", "instance-type-unreadable", "a machine has at least 1 GPU"),
    ("3xa100", "instance-type-not-sold", "A100 is sold with 1, 2, 4 or 8 GPUs"),
    ("16xh100", "instance-type-not-sold", "H100 is sold with 1 or 8 GPUs"),
    ("a100-40gb", "instance-type-not-sold", "A100 is sold with 1, 2, 4 or 8 GPUs of 80 GB"),
    ("h100-80gb.pcie.8x", "instance-type-not-sold", "H100 is sold with 1 or 8 GPUs"),
    ("gpu.nvidia.h100", "instance-type-unreadable", "did you mean `h100`?"),
    ("nvidia-a100", "instance-type-unreadable", "did you mean `a100`?"),
    ("h100-sxm5-80gb", "instance-type-unreadable", "did you mean `h100-80gb`?"),
    ("a100*8", "instance-type-unreadable", "did you mean `8xa100`?"),
    ("8*h100", "instance-type-unreadable", "did you mean `8xh100`?"),
    ("8 x h100", "instance-type-unreadable", "did you mean `8xh100`?"),
    ("8xh100x8", "instance-type-unreadable", "the count twice"),
    ("8x8xh100", "instance-type-unreadable", "the count twice"),
    ("h100:8:8", "instance-type-unreadable", "the count twice"),
    ("rtx4090", "instance-type-unreadable", "no known GPU family"),
    ("cpu", "instance-type-unreadable", "machines without GPU take no startup script"),
    ("32xcpu", "instance-type-unreadable", "machines without GPU take no startup script"),
    ("cpu.large", "instance-type-unreadable", "machines without GPU take no startup script"),
    ("gpu:24gb", "instance-type-unreadable", "only how much memory"),
    ("24gb", "instance-type-unreadable", "only how much memory"),
    ("auto", "instance-type-unreadable", "leave the name out"),
    ("cheapest", "instance-type-unreadable", "leave the name out"),
    ("it_0000000000000000", "id-not-in-catalog", "give `--region`"),
    ("a40.8x.PCIe.ICI", "instance-type-not-sold", "what is sold has A100"),
    ("a5000.1x.PCIe.ICI", "instance-type-not-sold", "what is sold has A100"),
]


@pytest.mark.parametrize(("text", "machine", "said"), MACHINES)
def test_spelling_of_a_machine(text: str, machine: str, said: list[str]) -> None:
    done, found = run(unit(alternatives=(text,)))
    assert [each.code.name for each in found] == said
    assert done.plan is not None
    assert done.plan.instance_type == machine


@pytest.mark.parametrize(("text", "code", "words"), ERRORS)
def test_spelling_that_is_refused(text: str, code: str, words: str) -> None:
    found = error(alternatives=(text,))
    assert found.code.name == code
    assert words in found.message or words in (found.help or "")


@pytest.mark.parametrize("text", [text for text, _, _ in MACHINES if text.startswith("it_")])
def test_id_goes_on_as_it_stands(text: str) -> None:
    plan = run(unit(alternatives=(text,)))[0].plan
    assert plan is not None
    assert plan.fid == text


def test_list_of_spellings_is_in_order_of_preference() -> None:
    done, (note,) = run(unit(alternatives=("4xh100", "8xh200", "a100")))
    assert done.plan is not None
    assert done.plan.instance_type == "ccs-h200.sxm.8x"
    assert (
        note.message
        == "1 of 3 choices passed over: no machine `4xh100` is sold: H100 is sold with 1 or 8 GPUs of 80 GB"
    )


# Families that documents, price tables and node labels of other clusters speak of.
KNOWN = ("a100", "h100", "h200", "b200", "gb200", "b300", "gb300", "gh200", "a40", "a10", "a10g", "l40s", "l4", "t4")
KNOWN_BESIDES = ("v100", "rtx-a6000", "rtx-6000-ada", "a5000")
UNPRICED = {"b300", "gb300", "gh200", "a5000"}


def test_families_of_all_documents_are_known_and_priced() -> None:
    assert {*KNOWN, *KNOWN_BESIDES} == set(FAMILIES)
    assert {*FAMILIES, "default"} - UNPRICED == set(USD_PER_GPU_HOUR)
    assert set(catalog.bundled().families) <= set(USD_PER_GPU_HOUR)
    for word in ("p100", "p4", "tesla-k80", "l40", "a30"):
        assert read_gpu_word(word) is not None


def test_makers_speak_of_models_that_words_lead_to() -> None:
    models = {family for families in WORDS.values() for family in families}
    words = {"amd", "instinct", "radeon", "intel"}
    assert {model for row in MAKERS.values() for model in row} <= models | words


def test_a_model_is_shown_as_it_was_written() -> None:
    text = b"resources:\n  accelerators: NVIDIA-H10:8\nrun: python a\n"
    (found,) = flowc.check(text, path="sky.yaml").diagnostics
    assert found.message == "unknown GPU model `NVIDIA-H10`"
