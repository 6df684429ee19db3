"""flowc reads scripts as the real sbatch does. The long run is `python -m tests.differential`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.differential import agree, ask_flowc, ask_sbatch, describe, explanation
from tests.frontends.slurm import generator
from tests.frontends.slurm.cases import CASES, case

pytestmark = pytest.mark.skipif(shutil.which("sbatch") is None, reason="needs sbatch (Debian: slurm-client)")

HERE = Path(__file__).parent


def unexplained(cases: list[dict[str, Any]]) -> Iterator[str]:
    """What flowc reads differently, in words."""
    for each, real in zip(cases, ask_sbatch(cases), strict=True):
        own = ask_flowc(each)
        if not agree(real, own) and explanation(each, real, own) is None:
            yield describe(each, real, own)


def test_each_directive() -> None:
    lines = (HERE / "directives.txt").read_text().splitlines()[1:]
    assert not list(unexplained([case(f"#!/bin/bash\n#SBATCH {line}\nhostname\n") for line in lines]))


def test_files_lines_components_and_surroundings() -> None:
    assert not list(unexplained(CASES))


def test_scripts_as_found_in_the_wild() -> None:
    scripts = (HERE / "wild.txt").read_bytes().decode().split("=====\n")
    assert len(scripts) > 400
    assert not list(unexplained([case(script) for script in scripts]))


def test_generated_scripts() -> None:
    random = Random(20220508)
    assert not list(unexplained([generator.case(random) for _ in range(400)]))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
@pytest.mark.slow
def test_drawn_scripts(random: Random) -> None:
    assert not list(unexplained([generator.case(random) for _ in range(8)]))


def test_the_generator_makes_scripts_of_both_kinds() -> None:
    random = Random(1)
    accepted = sum(ask_flowc(generator.case(random))["ok"] for _ in range(400))
    assert 120 < accepted < 280
