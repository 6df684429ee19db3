"""Folders in which a job's text looks for conda, and for nothing else."""

from __future__ import annotations

import pytest

from flowc.body.conda import conda_folders
from flowc.body.modules import environments
from flowc.ir.job import Job, Run, SourceInfo


def job_of(text: str) -> Job:
    source = SourceInfo(frontend="slurm", path="x", sha256="")
    return Job(name="x", source=source, run=Run(kind="script", interpreter="/bin/bash", text=text))


@pytest.mark.parametrize(
    ("text", "folders", "names"),
    [
        ("source ~/miniconda3/etc/profile.d/conda.sh\nconda activate a\n", ["~/miniconda3"], ["a"]),
        (". $HOME/conda/etc/profile.d/conda.sh\n. ${HOME}/mf/etc/profile.d/mamba.sh\n", ["~/conda", "~/mf"], []),
        ("source /proj/me/miniconda3/bin/activate tf2\n", ["/proj/me/miniconda3"], ["tf2"]),
        ('. "/proj/x/bin/activate" a\n', ["/proj/x"], ["a"]),
        ("eval \"$('/proj/conda/bin/conda' 'shell.bash' 'hook')\"\n", ["/proj/conda"], []),
        ("export PATH=~/miniconda3/bin:$PATH\n~/miniconda3/condabin/conda run -n a x\n", ["~/miniconda3"], ["a"]),
        ("/proj/me/miniforge3/envs/a/bin/python x.py\n", ["/proj/me/miniforge3"], ["a"]),
        ("srun '/proj/me/conda/envs/a/bin/python' x.py\n", ["/proj/me/conda"], ["a"]),
        ("P=~/anaconda3/envs/a/bin/python\nsource ~/anaconda3/bin/activate b\n", ["~/anaconda3"], ["b"]),
        ("source ~/anaconda3/bin/activate ~/anaconda3/envs/a\n", ["~/anaconda3"], ["a"]),
        ("source /proj/mc/bin/activate $ENV\n", ["/proj/mc"], []),
        # More is asked for than conda.
        ("source ~/miniconda3/etc/profile.d/conda.sh\ncp ~/miniconda3/data .\n", [], []),
        ("source ~/miniconda3/bin/activate\n", [], []),
        ("source ~/miniconda3/bin/activate base\n", [], []),
        ("~/miniconda3/bin/python x.py\n~/miniconda3/bin/conda info\n", [], []),
        ("source ~/miniconda3/etc/profile.d/conda.sh\nls ~/miniconda3/envs/a/lib\n", [], []),
        # One that is none of conda's, or not missing.
        ("source ~/envs/a/bin/activate\n~/envs/a/bin/python x.py\n", [], []),
        ("source /opt/conda/bin/activate a\nsource activate b\n", [], ["a", "b"]),
        ("bash Miniconda3.sh -b -p ~/miniconda3\nsource ~/miniconda3/bin/activate a\n", [], ["a"]),
        ("# source ~/miniconda3/etc/profile.d/conda.sh\nconda activate a\n", [], ["a"]),
        ("source $ROOT/miniconda3/etc/profile.d/conda.sh\n", [], []),
    ],
)
def test_folders_that_a_text_looks_for_conda_in(text: str, folders: list[str], names: list[str]) -> None:
    job = job_of(text)
    assert conda_folders(job) == folders
    found = environments(job)
    assert [*found] == names
    assert all(text[start:].startswith(name) for name, start in found.items())
