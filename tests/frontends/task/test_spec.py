"""The examples of the architecture document compile: its YAML, its batch script, its command line."""

from __future__ import annotations

import pytest

from flowc import driver
from flowc.inputs import Inputs
from flowc.source import Source
from tests.corpus import told

YAML = """\
name: training
instance_type: a100
command: python train.py
volumes:
  - name: data
    size_gb: 100
data:
  /datasets: s3://my-bucket/data
"""
SBATCH = """\
#!/bin/bash
#SBATCH --gres=gpu:8
#SBATCH --mem=32G
#SBATCH --time=24:00:00

python train.py
"""
# The fields of `TaskConfig` in the document, with the values that its text and snippets show.
FIELDS = [
    'name: train\ninstance_type: 8xh100\ncommand: ["python", "train.py"]\n',
    "name: train\nmin_gpu_memory_gb: 80\nshell: python train.py\n",
    "name: train\ninstance_type: a100\nscript: |\n  #!/bin/bash\n  python train.py\n",
    """\
name: train
instance_type: a100-80gb.sxm.4x
command: ["python", "-m", "torch.distributed.launch", "train.py"]
volumes: [{name: models, size_gb: 500}]
env: {WANDB_MODE: offline}
data: {/data: "s3://bucket/path"}
max_price_per_hour: 15.0
max_run_time_hours: 24
""",
]


def errors(source: Source, inputs: Inputs, frontend: str | None = None) -> list[str]:
    result = driver.compile(source, inputs, frontend=frontend)
    assert result.failed != bool(result.artifacts)
    return [each.message for each in result.diagnostics if each.severity == "error"]


def test_the_yaml_example() -> None:
    assert errors(Source("training.yaml", YAML), Inputs()) == []


def test_the_batch_script() -> None:
    assert errors(Source("job.sbatch", SBATCH), Inputs()) == []


def test_the_command_line() -> None:
    inputs = told(("--command", "python train.py", "--instance-type", "a100"))
    assert inputs.command is not None
    assert errors(inputs.command.source, inputs) == []


@pytest.mark.parametrize("text", FIELDS)
def test_its_fields(text: str) -> None:
    assert errors(Source("job.yaml", text), Inputs()) == []


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("a100", "a100-80gb.sxm.1x"), ("4xa100", "a100-80gb.sxm.4x"), ("8xh100", "h100-80gb.sxm.8x")],
)
def test_its_instance_types(written: str, canonical: str) -> None:
    text = f"instance_type: {written}\ncommand: python train.py\n"
    (artifact,) = driver.compile(Source("job.yaml", text), Inputs(), emit="plan").artifacts
    assert f'"instance_type": "{canonical}"' in artifact.text


def test_its_mistaken_instance_type() -> None:
    text = "instance_type: a100x8\ncommand: python train.py\n"
    result = driver.compile(Source("job.yaml", text), Inputs())
    (found,) = [each for each in result.diagnostics if each.severity == "error"]
    assert "a100x8" in found.message
    assert found.help is not None
    assert "8xa100" in found.help
    assert found.span is not None
    assert found.span.text == "a100x8"
