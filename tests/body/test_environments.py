"""Environments of conda in a job's text: which are entered, and which it makes itself."""

from __future__ import annotations

import pytest

from flowc.body.modules import brings_conda, environments, program_of
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
        ("conda activate $ENV\nconda activate ./env\n", []),
        # By its path.
        ("conda activate /x/env\nsource activate ~/y/env/\n", ["/x/env", "~/y/env"]),
        ("mamba run -p /x/env python x.py\nconda run --prefix=~/z x\n", ["/x/env", "~/z"]),
        ("source ~/mc/bin/activate /x/env\nconda activate /usr/env\n", ["/x/env"]),
        ("conda create -yp /x/env python\nconda activate /x/env\n", []),
        ("tar xf env.tgz -C /x/env\nsource activate /x/env\n", []),
        ("conda activate ~/miniconda3/envs/a\nconda activate /path/to/env\n", ["a"]),
        ("conda create -y -n train python\nconda activate train\n", []),
        ("conda env create -n train -f e.yml\nconda activate train\n", []),
        ("conda activate train\nconda create -y -n train python\n", ["train"]),
        ("conda activate train\nif [ $? -ne 0 ]; then\n  conda create -yn x\n  conda create -y -n train\nfi\n", []),
        ("conda activate train || conda create --name=train\n", []),
        ("conda activate train || exit\nconda create -y -n other\n", ["train"]),
        ("conda env create -f e.yml\nconda activate train\n", []),
        ("conda env update --file e.yml\nconda activate train\n", []),
        ("conda create -yp ./env -p ./env\nconda activate train\n", ["train"]),
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
    ("setup", "names"),
    [("conda create -yn a\n", ["train"]), ("conda create -y -n train\n", []), ("conda env create -f e.yml\n", [])],
)
def test_what_the_setup_makes_is_there(setup: str, names: list[str]) -> None:
    source = SourceInfo(frontend="skypilot", path="x", sha256="")
    run = Run(kind="shell", interpreter="/bin/bash", text="conda activate train\n")
    assert [*environments(Job(name="x", source=source, run=run, setup=setup))] == names


@pytest.mark.parametrize(
    ("name", "brings"),
    [
        ("anaconda3/2024", True),
        ("python/miniforge", True),
        ("python/3.12", False),
        ("python/3.6-conda5.2", True),
        ("conda/2023-10-04", True),
        ("conda3", True),
        ("devel/Conda", True),
        ("bioconda", True),
        ("python3/3.9-anaconda-2021.11", True),
        ("python3/3.8.3_anaconda2020.07_mamba", True),
        ("python3.9-anaconda", True),
        ("python-anaconda3", True),
        ("python_anaconda", True),
        ("tensorflow/1.10.0-anaconda3-cuda9.2", False),
        ("pytorch/1.5.0-conda3.7-GPU", False),
        ("arm/forge", False),
    ],
)
def test_modules_with_conda(name: str, brings: bool) -> None:
    assert brings_conda(name) is brings


@pytest.mark.parametrize(
    ("name", "program", "package"),
    [
        ("python/3.12", "python3", None),
        ("lang/python/3.9", "python3", None),
        ("compilers/gcc9/9.3", None, "build-essential"),
        ("libs/cuda-10.0/1", "nvcc", None),
        ("gcc11/openmpi/4.1.4", None, "openmpi-bin libopenmpi-dev"),
        ("gcc/11.2.0/openmpi", None, "build-essential"),
        ("openmpi/gcc/3.1.4/64", None, "openmpi-bin libopenmpi-dev"),
        ("2022/gcc/9", None, "build-essential"),
        ("site/python", "python3", None),
        ("ccs/python/3.9", "python3", None),
        ("python/3.9-anaconda-2021.11", None, None),
        ("python3/3.9-anaconda-2021.11", None, None),
        ("python-anaconda3", None, None),
        ("python3.9-anaconda", None, None),
        ("lang/python/anaconda/3.9.7-tensorflow.2.7.0", None, None),
        ("ipython/3.9-conda", None, None),
        # What the module was built with is not the module.
        ("gromacs/2024.4/gcc-13.2.0_cuda-12.6.2", None, None),
        ("gromacs/openmpi/intel/2020.4", None, None),
        ("tensorflow/python3.6/1.5.0", None, None),
        ("cudnn/cuda-10.0/7.6.3", None, None),
        ("vasp/6.3/cuda", None, None),
    ],
)
def test_program_of_a_module(name: str, program: str | None, package: str | None) -> None:
    assert program_of(name) == (program, package)
