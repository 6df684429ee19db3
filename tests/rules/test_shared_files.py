"""Programs on several machines that meet in a file, without a folder that these share, are told of."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

TWO = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10\n"


def told(body: str, head: str = TWO, **flags: tuple[str, ...]) -> list[str]:
    found = flowc.check(Source("job.sbatch", head + body), Inputs(flags=Flags(budget="99", **flags))).diagnostics
    return [each.span.text for each in found if each.code.name == "file-not-shared" and each.span is not None]


MEET = {
    "srun dask scheduler --scheduler-file meet.json\n": "meet.json",
    "srun bash -c 'while [ ! -f ready ]; do sleep 1; done; ./a'\n": "ready",
    'until [[ -e "$SHARED/go" ]]; do sleep 1; done\nsrun a\n': '"$SHARED/go"',
    "srun python a.py --dist-url file://$PWD/meet\n": "file://$PWD/meet",
    "srun python - <<E\ninit_process_group('nccl', init_method='file:///data/meet')\nE\n": "file:///data/meet",
}
APART = [
    "srun python a.py > out.txt\nmkdir -p logs\n",
    "while [ $n -lt 3 ]; do n=$((n+1)); done\nsrun a\n",
    "while [ ! -e /dev/nvidia0 ]; do sleep 1; done\nsrun a\n",
    "# while [ ! -f ready ]\nsrun a\n",
    "curl file:///etc/hosts\nsrun a\n",
    "if [ ! -f data.tar ]; then ./get; fi\nsrun a\n",
    "export MASTER_ADDR=$(scontrol show hostnames | head -n 1)\nsrun a\n",
]


@pytest.mark.parametrize("body", MEET)
def test_told(body: str) -> None:
    assert told(body) == [MEET[body]]
    assert told(body, TWO.replace("nodes=2", "nodes=1")) == []


def test_a_folder_that_is_shared_is_enough() -> None:
    body = next(iter(MEET))
    assert told(body, mounts=("/data=s3://bucket/a",)) == []


@pytest.mark.parametrize("body", APART)
def test_silent(body: str) -> None:
    assert told(body) == []
