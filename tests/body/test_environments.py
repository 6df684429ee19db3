"""Environments of conda in a job's text: which are entered, and which it makes itself."""

from __future__ import annotations

import pytest

from flowc.body.modules import brings_conda, environments
from flowc.ir.job import Job, Run, SourceInfo


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("conda activate train\n", ["train"]),
        ("mamba activate 'train'\n", ["train"]),
        ("micromamba run -n train python x.py\n", ["train"]),
        ("conda run --name=train python x.py\n", ["train"]),
        ("source activate train\n", ["train"]),
        (". /opt/conda/bin/activate train\n", ["train"]),
        ("source venv/bin/activate\n", []),
        ("conda activate\nconda activate base\n", []),
        ("conda activate $ENV\nconda activate ./env\nconda activate /x/env\n", []),
        ("conda create -y -n train python\nconda activate train\n", []),
        ("conda env create -n train -f e.yml\nconda activate train\n", []),
        ("conda activate train\nconda create -y -n train python\n", ["train"]),
        ("# conda activate train\necho conda activate train\n", []),
        ("conda activate a\nconda activate b\nconda activate a\n", ["a", "b"]),
    ],
)
def test_environments_that_a_text_enters(text: str, names: list[str]) -> None:
    source = SourceInfo(frontend="slurm", path="x", sha256="")
    job = Job(name="x", source=source, run=Run(kind="script", interpreter="/bin/bash", text=text))
    found = environments(job)
    assert [*found] == names
    assert all(text[start:].startswith(name) for name, start in found.items())


@pytest.mark.parametrize(
    ("name", "brings"), [("anaconda3/2024", True), ("python/miniforge", True), ("python/3.12", False)]
)
def test_modules_with_conda(name: str, brings: bool) -> None:
    assert brings_conda(name) is brings
