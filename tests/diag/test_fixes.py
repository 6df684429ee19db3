"""Fixes keep the job: whatever `--fix` applies leaves what is compiled of a legal source as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowc import driver
from flowc.cli.arguments import parse
from flowc.cli.checking.fix import apply_fixes
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.diag.codes.table import all_codes
from flowc.diag.sink import Diagnostic
from flowc.inputs import Inputs
from flowc.source import Source
from tests.corpus import CASES, load

EXAMPLES = [(code, number) for code in all_codes() for number in (0, 1)]
KUBERNETES = """\
apiVersion: batch/v1
kind: Job
metadata: {name: t, labels: {a: VALUE}, annotations: {b: VALUE}}
spec:
  activeDeadlineSeconds: 600
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
      containers:
      - name: main
        image: python:3.12
        command: [python, VALUE]
        env: [{name: A, value: VALUE}]
        resources: {limits: {nvidia.com/gpu: 8}}
"""
FORMATS = {
    "skypilot": "name: t\nresources: {accelerators: 'H100:8'}\nenvs: {A: VALUE}\nrun: python train.py\n",
    "skypilot-name": "name: VALUE\nresources: {accelerators: 'H100:8'}\nrun: python train.py\n",
    "task": "name: t\ninstance_type: 8xh100\nmax_run_time_hours: 1\nenv: {A: VALUE}\ncommand: python train.py\n",
    "task-name": "name: VALUE\ninstance_type: 8xh100\nmax_run_time_hours: 1\ncommand: python train.py\n",
    "k8s": KUBERNETES,
}
# What the readers of YAML see something else in.
SCALARS = (
    *("True", "yes", "010", "0o10", "12:30:00", "1e3", "2.50e-5", "0x1F", "1_000", ".5", "5.", "+5", "-0", "0b11"),
    *("null", "~", "2024-01-01", "1.0", ".inf", "NaN", "1e10", "off", "n", "'7'", '"yes"', "3", "a b", "=", "<<"),
)


def jobs(source: Source, inputs: Inputs, frontend: str | None = None) -> list[dict[str, Any]] | None:
    """What is compiled, without positions, digests and the text of directives; None where it is refused."""
    artifacts = driver.compile(source, inputs, emit="ir", frontend=frontend).artifacts
    if not artifacts:
        return None
    found: list[dict[str, Any]] = json.loads(artifacts[0].text)["jobs"]
    for job in found:
        del job["source"], job["outcome"]
        lines = (job["run"].get("text") or "").split("\n")
        job["run"]["text"] = [line for line in lines if not line.startswith("#")]
    return found


def check(source: Source, inputs: Inputs, frontend: str | None = None) -> int:
    """How many certain fixes there are; each alone, and all of them together, leave a job that was read as it was."""
    before = jobs(source, inputs, frontend)
    found = driver.check(source, inputs, frontend=frontend).diagnostics
    certain = [each for each in found if each.fix is not None and each.fix.certain]
    if before is None:  # refused: there is no job yet that could change
        return 0
    for chosen in (*((each,) for each in certain), tuple(certain)):
        mended, number = apply_fixes(source, chosen)
        if number:
            assert jobs(mended, inputs, frontend) == before, [_named(each) for each in chosen]
    return len(certain)


def _named(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.code.id}: {diagnostic.fix and diagnostic.fix.title}"


@pytest.mark.parametrize(
    ("code", "number"),
    # A hundred thousand values are for the slow suite.
    [pytest.param(*each, marks=[pytest.mark.slow] if each[0].id == "FC025" else []) for each in EXAMPLES],
    ids=lambda each: getattr(each, "id", str(each)),
)
def test_fixes_of_examples_keep_the_job(code: Any, number: int) -> None:
    text, words = code.examples[number]
    argv = ["compile", code.path, *words]
    parsed = parse(COMPILE, argv[1:])
    check(Source(code.path, text), gather(parsed, argv, {}), parsed.text("from"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_fixes_of_the_corpus_keep_the_job(case: Path) -> None:
    source, inputs = load(case)
    check(source, inputs)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("scalar", SCALARS)
def test_fixes_of_values_keep_the_job(name: str, scalar: str) -> None:
    check(Source("job.yaml", FORMATS[name].replace("VALUE", scalar)), Inputs())


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(FORMATS)), scalar=st.text("0123456789.eExobnyYTrufals:+-_~", min_size=1, max_size=8))
def test_fixes_of_any_value_keep_the_job(name: str, scalar: str) -> None:
    check(Source("job.yaml", FORMATS[name].replace("VALUE", scalar)), Inputs())


OPTIONS = ("-J=train", "-o=x.log", "-output=x.log", "-nodes=2", "--output=a\u00a0", "--nodes =2", "-N=2", "—nodes=2")


@pytest.mark.parametrize("option", OPTIONS)
def test_fixes_of_directives_keep_the_job(option: str) -> None:
    check(Source("a.sbatch", f"#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n#SBATCH {option}\nhostname\n"), Inputs())


def test_there_are_fixes_that_keep_the_job() -> None:
    """The test above would pass if no fix were certain."""
    texts = ("name: 2024-01-01\n", "env: {A: 2024-01-01}\nname: t\n")
    rest = "instance_type: 8xh100\nmax_run_time_hours: 1\ncommand: echo\n"
    assert sum(check(Source("job.yaml", text + rest), Inputs()) for text in texts) > 0


@pytest.mark.parametrize("scalar", ["true", "010", "12:30:00"])
def test_what_would_change_the_job_is_only_shown(scalar: str) -> None:
    source = Source("job.yaml", FORMATS["skypilot"].replace("VALUE", scalar))
    (found,) = [each for each in driver.check(source, Inputs()).diagnostics if each.code.id == "FC039"]
    assert found.fix is not None
    assert not found.fix.certain
    assert apply_fixes(source, (found,))[1] == 0


def test_no_fix_takes_the_place_of_a_flag() -> None:
    source = Source("job.yaml", KUBERNETES.replace("VALUE", "b"))
    argv = ["compile", "job.yaml", "--set", "metadata.labels.app=y"]
    found = driver.check(source, gather(parse(COMPILE, argv[1:]), argv, {})).diagnostics
    errors = [each for each in found if each.severity == "error"]
    assert errors
    assert [each.fix for each in errors] == [None]
