"""The Python API: what a text is read as, and names that there are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import flowc

SLURM = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=5\nhostname\n"
TASK = "instance_type: 8xh100\ncommand: hostname\nmax_run_time_hours: 1\n"
SKYPILOT = "resources: {accelerators: H100:8}\nrun: hostname\n"
KUBERNETES = """\
apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "img:1"}]}}}
"""


@pytest.mark.parametrize("text", [SLURM, TASK, SKYPILOT, KUBERNETES])
def test_a_text_is_read_as_what_it_is(text: str) -> None:
    for source in (text, text.encode()):
        assert [each.message for each in flowc.check(source).diagnostics if each.severity == "error"] == []
        assert not flowc.compile(source).failed


def test_a_batch_script_without_interpreter_is_told_so() -> None:
    (found,) = flowc.check(SLURM.partition("\n")[2]).diagnostics
    assert found.message == "the script does not begin with `#!`"


@pytest.mark.parametrize("call", [flowc.check, flowc.compile])
def test_a_frontend_that_there_is_not_is_named(call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="unknown frontend 'foo'; there are slurm, k8s"):
        call(TASK, frontend="foo")
    with pytest.raises(ValueError, match="unknown target 'foo'"):
        flowc.compile(TASK, emit="foo")
