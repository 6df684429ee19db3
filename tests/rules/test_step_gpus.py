"""Steps that ask for more GPUs than the job are told once."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source


def told(options: str, body: str) -> list[tuple[str, str | None]]:
    source = Source("job.sbatch", f"#!/bin/bash\n#SBATCH --time=10 {options}\n{body}\n")
    result = flowc.check(source, Inputs(flags=Flags(budget="999")))
    found = [each for each in result.diagnostics if each.code.name == "gpus-not-asked"]
    return [(each.span.text, each.help) for each in found if each.span is not None]


@pytest.mark.parametrize(
    ("options", "body", "marked", "most"),
    [
        ("-N2", "srun -N2 -n16 --gpus-per-node=8 ./a", "--gpus-per-node=8", 8),
        ("-N1", "srun --gpus-per-task 1 ./a", "--gpus-per-task 1", 1),
        ("-N1", "srun --gres=gpu:1 ./a\nsrun --gres=gpu:v100:4 ./a", "--gres=gpu:v100:4", 4),
        ("-N2", "srun -G 16 ./a", "-G 16", 8),
        ("--gres=gpu:2", "srun --gpus=4 ./a", "--gpus=4", 4),
    ],
)
def test_told(options: str, body: str, marked: str, most: int) -> None:
    ((word, help),) = told(options, body)
    assert word == marked
    assert f"--gpus-per-node={most}`" in (help or "")


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ("--gres=gpu:4", "srun --gres=gpu:4 ./a; srun --gpus=$N ./a; srun --gpus-per-task=1 ./a"),
        ("-N2 --gpus-per-node=4", "srun --gpus=8 ./a"),
        (
            "-N1",
            "srun --gres=none ./a; srun --gpus=0 ./a; srun --gres=nvme:3 ./a; srun ./a --gpus=8; python a --gpus 8",
        ),
        ("-N1 --exclusive", "echo"),
    ],
)
def test_not_told(options: str, body: str) -> None:
    assert told(options, body) == []
