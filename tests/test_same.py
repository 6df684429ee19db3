"""One job, written in several formats, is one job: the same IR and the same plan.

Each folder of corpus/same holds a job in the formats that can say it: `input.sbatch`, `input.task.yaml`,
`input.k8s.yaml`, `input.sky.yaml`, `input.foundry.yaml`, and `args` for the command line. What formats say differently
by their nature is taken out by NATURE, each with its reason; what is left must be equal.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flowc import catalog, pipeline
from flowc.detect import detect
from flowc.diag.sink import Sink
from flowc.inputs import Inputs
from flowc.ir.encode import job_document, plan_document
from flowc.ir.unit import Unit
from flowc.override import run as override
from flowc.passes.base import Context
from flowc.source import Source
from tests.corpus import ROOT, told

FORMATS = {
    "input.sbatch": "slurm",
    "input.task.yaml": "task-yaml",
    "input.k8s.yaml": "k8s",
    "input.sky.yaml": "skypilot",
    "input.foundry.yaml": "foundry-yaml",
    "args": "command-line",
}
JOBS = sorted(path for path in (ROOT / "corpus" / "same").iterdir() if path.is_dir())

# What differs by the nature of a format: a path in the document of a job, and why.
NATURE = {
    "conventions": "what each format promises to a running job",
    "source": "where the job was written",
    "outcome": "tells of the words of the format",
    "run.kind": "a batch script is a script, a line of YAML a text for the shell or a list of words",
    "run.interpreter": "only a script names one",
    "run.text": "compared without the lines of a script that are no commands",
    "run.argv": "compared with the text",
    "run.workdir": "SkyPilot runs all tasks in one folder of its own",
    "isolation.user": "a task of SkyPilot has the home of root, where its paths begin",
    "isolation.cap_add": "SkyPilot gives containers rights, and shared memory, which `document` takes out",
    "isolation.apparmor": "see cap_add",
    "env_policy": "only sbatch knows an environment that could be handed on",
    "placement.clouds": "SkyPilot names them; other formats have no word for it",
    "placement.node_labels": "only Kubernetes has labels; what one says of the GPU is in the plan",
    "resources.gpus_per_node": "one format names a machine, another asks for GPUs; the plan must be the same",
    "resources.gpu_model": "see gpus_per_node",
    "resources.alternatives": "see gpus_per_node",
}


def lowered(path: Path) -> Unit:
    """The planned unit of one format, without mistakes."""
    inputs = told(tuple(path.read_text().splitlines())) if path.name == "args" else Inputs()
    source = Source.from_bytes(path.name, path.read_bytes())
    if inputs.command is not None:
        source = inputs.command.source
    sink = Sink()
    entry = detect(source, inputs, FORMATS[path.name], sink)
    assert entry is not None
    front = entry.load()
    units = front.lower(front.read(source, inputs, sink), inputs, sink)
    table = catalog.load(None, sink)
    assert table is not None
    units = pipeline.run(override(units, inputs, sink), Context(catalog=table), sink)
    assert not sink.broken, [each.message for each in sink.diagnostics]
    (unit,) = units
    return unit


def commands(unit: Unit) -> str:
    """What is run, as text for a shell: without blank lines and comments, among which directives are."""
    run = unit.job.run
    lines = (run.text if run.text is not None else " ".join(run.argv)).splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith("#"))


def document(unit: Unit) -> dict[str, Any]:
    """The job, each value by its path, without what NATURE takes out."""
    found: dict[str, Any] = {"commands": commands(unit)}
    for name, value in job_document(unit.job).items():
        inner = {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
        found |= inner
    found["mounts"] = [each for each in found["mounts"] if each["target"] != "/dev/shm"]
    return {path: value for path, value in found.items() if not any(re.match(rf"{name}\b", path) for name in NATURE)}


def plan(unit: Unit) -> dict[str, Any]:
    """The plan without why other machines were not taken, which speaks of the words of the format."""
    (found,) = plan_document([unit])["jobs"]
    return {name: value for name, value in found.items() if name != "candidates"}


def files(job: Path) -> list[Path]:
    return [job / name for name in FORMATS if (job / name).exists()]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_the_same_job(job: Path) -> None:
    assert {each.name for each in job.iterdir()} <= set(FORMATS)
    units = {path.name: lowered(path) for path in files(job)}
    assert len(units) > 1
    for (first, one), (second, other) in pairwise(units.items()):
        assert document(one) == document(other), f"{first} and {second}"
        assert plan(one) == plan(other), f"{first} and {second}"


@pytest.mark.parametrize("path", NATURE)
def test_nature_speaks_of_what_is_there_and_needed(path: str) -> None:
    """An exception that no job needs any more is taken out of the list."""
    values = []
    for job in JOBS:
        for each in files(job):
            value: Any = job_document(lowered(each).job)
            for part in path.split("."):
                value = value.get(part)
            values.append((job.name, str(value)))
    assert len(set(values)) > len({name for name, _ in values})
