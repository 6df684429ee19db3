"""Generated batch scripts, with arguments and environment, through the whole compiler: no mistake of ours shows."""

from __future__ import annotations

from random import Random

import pytest

import flowc
from flowc.inputs import Inputs
from tests.frontends.slurm import generator


@pytest.mark.parametrize("seed", range(8))
def test_generated_scripts_compile_or_are_refused(seed: int) -> None:
    random = Random(seed)
    compiled = 0
    for _ in range(100):
        case = generator.case(random)
        data = (case["script"] or "").encode("utf-8", "surrogateescape")
        inputs = Inputs(args=tuple(case.get("args") or ()), environ=tuple((case.get("env") or {}).items()))
        result = flowc.compile(data, inputs, frontend="slurm")
        compiled += not result.failed
        assert result.failed == any(each.severity == "error" for each in result.diagnostics)
        assert result.failed == (not result.artifacts)
        for each in result.diagnostics:
            if each.span is not None:
                assert 0 <= each.span.start <= each.span.end <= len(each.span.source.text), (each, case)
    assert compiled > 10


def test_settings_without_an_option_are_told() -> None:
    inputs = Inputs(environ=(("SBATCH_WAIT4SWITCH", "10"),), submitted=True)
    result = flowc.compile("#!/bin/sh\n#SBATCH --gpus=h100:8 --time=10\ntrue\n", inputs)
    assert not result.failed
    assert [each.code.name for each in result.diagnostics] == ["cluster-options"]
    assert "`SBATCH_WAIT4SWITCH`" in result.diagnostics[0].message
