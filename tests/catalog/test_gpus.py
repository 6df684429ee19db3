"""Words by which sites name GPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc._compiled.gpu_models import FAMILIES, WORDS
from flowc.catalog.gpus import GpuWord, read_gpu_word

# Word, families, memory, whether it is a slice; as they occur in public scripts.
SEEN = (
    ("a100", ("a100",), None, False),
    ("A100", ("a100",), None, False),
    ("nvidia_a100-sxm4-80gb", ("a100",), 80, False),
    ("nvidia_a100_80gb_pcie", ("a100",), 80, False),
    ("a100-40", ("a100",), 40, False),
    ("a100_3g.20gb", ("a100",), 20, True),
    ("1g.5gb", (), 5, True),
    ("h100_80gb_hbm3", ("h100",), 80, False),
    ("nvidia_h100_80gb_hbm3_3g.40gb", ("h100",), 40, True),
    ("H100_NVL", ("h100",), None, False),
    ("tesla_v100", ("v100",), None, False),
    ("v100-32g", ("v100",), 32, False),
    ("v100l", ("v100",), None, False),
    ("rtx3090", ("rtx-3090",), None, False),
    ("nvidia_geforce_rtx_2080_ti", ("rtx-2080-ti",), None, False),
    ("nvidia_rtx_6000_ada_generation", ("rtx-6000-ada",), None, False),
    ("rtx_a6000", ("rtx-a6000",), None, False),
    ("quadro_rtx_6000", ("rtx-6000",), None, False),
    ("a30.24", ("a30",), 24, False),
    ("k80", ("k80",), None, False),
    ("mi250x", ("mi250",), None, False),
    ("volta", ("v100",), None, False),
    ("volta32gb", ("v100",), 32, False),
    ("a100_80gb", ("a100",), 80, False),
    ("nvidiav10032gb", ("v100",), 32, False),
    ("tesla", (), None, False),
    ("TeslaV100", ("v100",), None, False),
    ("teslak80", ("k80",), None, False),
    ("NVIDIAA100-PCIE-40GB", ("a100",), 40, False),
    ("h100sxm", ("h100",), None, False),
    ("NVIDIAA10080GBPCIe", ("a100",), 80, False),
    ("rtx", ("rtx-2080-ti", "rtx-3090", "rtx-4090"), None, False),
    ("geforce_gtx", ("gtx-1080", "gtx-1080-ti"), None, False),
    ("rtx30", ("rtx-3090",), None, False),
    ("tesla-smx2", ("p100", "v100"), None, False),
    ("ampere_a100", ("a100",), None, False),
    ("A100m40", ("a100",), None, False),
    ("volta16", ("v100",), None, False),
    ("GTX2080TI", ("rtx-2080-ti",), None, False),
    ("K20Xm", ("k20",), None, False),
    ("gtx745", ("gtx-745",), None, False),
    ("6000", ("rtx-6000", "rtx-a6000"), None, False),
    ("gpu", (), None, False),
)


@pytest.mark.parametrize(("word", "families", "memory", "slice"), SEEN)
def test_word_seen_in_scripts(word: str, families: tuple[str, ...], memory: int | None, slice: bool) -> None:
    assert read_gpu_word(word) == GpuWord(families=families, memory_gb=memory, slice=slice)


@pytest.mark.parametrize("word", ["h1000", "fast", "a", "gpu_big", "rtx_9999", "rtx_pro", "a10080gbfast", "x" * 500])
def test_unknown_word(word: str) -> None:
    assert read_gpu_word(word) is None


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_names_itself(family: str) -> None:
    for spelling in (family, family.upper(), f"nvidia_{family.replace('-', '_')}"):
        word = read_gpu_word(spelling)
        assert word is not None
        assert word.families == (family,)


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_of_the_table_is_found(word: str) -> None:
    found = read_gpu_word(word)
    assert found is not None
    assert found.families == tuple(WORDS[word])


@given(st.text(max_size=200))
def test_any_word_gives_a_result(word: str) -> None:
    assert read_gpu_word(word) is read_gpu_word(word)
