"""Which commands of a cluster a script would miss."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowc._compiled.slurm_commands import MISSING, MODULES, PROVIDED
from flowc.body.commands import (
    _may_stand,
    _standing,
    called,
    missing_commands,
    provided,
    reaches_other_nodes,
    refused_commands,
)
from flowc.body.interpreter import interpreter_package, missing_interpreter, names_python
from flowc.ir.job import Job, Mount
from tests.scripts.jobs import unit


def bash(body: str, interpreter: str = "/bin/bash", **fields: object) -> Job:
    job = unit(f"#!{interpreter}\n{body}", **fields).job  # type: ignore[arg-type]
    return job.replace(run=job.run.replace(interpreter=interpreter))


def found(body: str) -> list[str]:
    job = bash(body)
    return sorted(name for name in (*MISSING, *MODULES, *PROVIDED) if called(job, name))


CALLS = {
    "srun ./a\n": ["srun"],
    "module load gcc\nX=1 srun a | tee b\n": ["module", "srun"],
    "for i in 1 2; do srun a; done\n": ["srun"],
    "x=$(squeue -u me)\n": ["squeue"],
    "if ! srun a; then exit 1; fi\n": ["srun"],
    "echo $((1<<N))\nsrun a\n": ["srun"],
    "command -v srun\nsrun a\n": ["srun"],
    "if command -v srun; then\n  srun a\nfi\nsrun b\n": ["srun"],
    "alias s=srun\nsrun a\n": ["srun"],
    "type module && module load x\nsrun a\n": ["srun"],
    "cat >hosts <<EOF\n$(squeue -h)\nEOF\n": ["squeue"],
    "X='a b' \\\n  srun a\n": ["srun"],
    "case $1 in\na) srun a ;;\nesac\n": ["srun"],
    "# function srun is gone, srun() too\nsrun a\n": ["srun"],
    "cat > env.sh <<'END'\nsrun() { :; }\nEND\nsrun a\n": ["srun"],
    "echo 'no srun() here'\nsrun a\n": ["srun"],
    "srun a # which srun\n": ["srun"],
    "echo 'if type srun'; srun a\n": ["srun"],
    "if command -v srun; then srun a; fi\n  if x; then\n  srun a\nfi\n": ["srun"],
    "if ! command -v srun; then echo no; fi; if true; then\nsrun b\nfi\n": ["srun"],
    'echo "it\'s" | srun a\n': ["srun"],
    "# srun() is none of ours: alias srun=x\nsrun a\n": ["srun"],
    "cat >lib.sh <<'EOF'\nsrun() { :; }\nEOF\nsrun a\n": ["srun"],
    "srun a  # command -v srun\n": ["srun"],
    "echo 'which srun' && srun a\n": ["srun"],
}
NO_CALLS = [
    "# srun ./a\n",
    "echo done # then srun\n",
    "cat > child.sh <<EOF\n#!/bin/bash\nsrun ./a\nEOF\nbash child.sh\n",
    "cat <<'END'\nsrun ./a\nEND\n",
    "bash -c 'cd x; srun ./a'\n",
    'srun() {\n  mpirun "$@"\n}\nsrun ./a\n',
    "function module { :; }\nmodule load gcc\n",
    "alias srun=mpirun\nsrun ./a\n",
    "command -v module >/dev/null && module load gcc\n",
    "type module &>/dev/null && { module purge; module load gcc; }\n",
    "which srun && srun ./a\n",
    "if hash srun 2>/dev/null; then\n  srun ./a\nelse\n  ./a\nfi\n",
    'if [ -n "$(command -v srun)" ]; then\n  srun ./a\nfi\n',
    "./srun.sh\nmy-srun x\nsrun_x=1\n",
    "awk '\nsrun {print}\n' x\n",
    'echo "first; srun a"\n',
    "NAMES=(\nsrun\nmodule\n)\n",
    "[[ $x =~ ^(a|srun b)$ ]]\n",
    "if true &&\n   command -v srun; then\n  srun a\nfi\n",
    "if command -v srun; then\n    if x; then\n        y\nfi\n    srun a\nfi\n",
    "command -v srun >/dev/null && {\n  echo there\n  srun a\n}\n",
]


@pytest.mark.parametrize("body", CALLS)
def test_call(body: str) -> None:
    assert found(body) == CALLS[body]


@pytest.mark.parametrize("body", NO_CALLS)
def test_no_call(body: str) -> None:
    assert found(body) == []


def test_what_nobody_brings_is_missing() -> None:
    body = "srun a\nmodule load x\nsbatch next\nsreport y\n"
    assert missing_commands(bash(body)) == {"sreport": body.index("sreport") + len("#!/bin/bash\n")}
    assert list(refused_commands(bash(body))) == ["sbatch"]
    for elsewhere in (bash(body, frontend="task-yaml"), bash(body, image="ubuntu")):
        assert [*missing_commands(elsewhere)] == ["srun", "sbatch", "sreport"]
        assert refused_commands(elsewhere) == {}
    assert [*missing_commands(bash(body, "/bin/dash", image="alpine"))] == ["srun", "module", "sbatch", "sreport"]


NOT_BROUGHT = {
    "conda activate nlp\npython a.py\n": ["conda"],
    "source ~/.bashrc\nconda activate nlp\n": ["conda"],
    'eval "$(conda shell.bash hook)"\n': ["conda"],
    "module load gcc\nconda activate nlp\n": ["conda"],
    'source "$CONDA_PREFIX/etc/profile.d/conda.sh"\nconda activate nlp\n': ["conda"],
    ". ${CONDA_PREFIX}/etc/profile.d/conda.sh && conda activate nlp\n": ["conda"],
    "source activate nlp\n": ["activate"],
    "mpicc -o a a.c\nmpirun -np 4 ./a\n": ["mpicc", "mpirun"],
    "mpirun ./a\nmodule load openmpi\n": ["mpirun"],
    "srun apptainer exec a.sif ./a\n": ["apptainer"],
    "srun -N 1 -n 1 --mpi=pmix singularity exec a.sif ./a\n": ["singularity"],
    "A=1 timeout 60 podman run x\n": ["podman"],
    "Rscript a.R\n": ["Rscript"],
    "# module load julia\njulia a.jl\n": ["julia"],
    "spack load miniconda3\nconda activate nlp\n": ["spack"],
    'eval "$(spack load --sh gcc)"\n': ["spack"],
    "micromamba activate nlp\n": ["micromamba"],
    "uv run a.py\naws s3 cp a s3://b/a\n": ["aws", "uv"],
    "snakemake -j 4\nsrun nextflow run x\n": ["nextflow", "snakemake"],
    "uv run a.py || exit 1\npip install uv\n": ["uv"],
    "#source env.sh\nX=1 # export PATH=/opt/x:$PATH\nmpirun ./a\n": ["mpirun"],
}
BROUGHT = [
    "source ~/miniconda3/etc/profile.d/conda.sh\nconda activate nlp\n",
    "module load anaconda3/2023\nconda activate nlp\n",
    "ml conda\nconda activate nlp\n",
    "CONDA_PREFIX=/opt/miniconda3\nsource $CONDA_PREFIX/etc/profile.d/conda.sh\nconda activate nlp\n",
    "source venv/bin/activate\n. ./activate\npython a.py activate\n",
    "module load anaconda3\nsource activate nlp\n",
    "# module load julia\nmodule load julia\njulia a.jl\n",
    "wget https://host/Miniforge3-Linux-x86_64.sh\nsh Mini*\nconda init\n",
    "module load openmpi\nmpirun ./a\n",
    ". ./env.sh\nmpirun ./a\n",
    "apt-get install -y openmpi-bin\nmpirun ./a\n",
    "export PATH=/opt/mpi/bin:$PATH\nmpiexec ./a\n",
    "if command -v conda; then\n  conda activate a\nfi\n",
    "echo conda\n# mpirun ./a\nsrun --conda ./a\npython -m julia\n",
    ". spack/share/spack/setup-env.sh\nspack load gcc\n",
    "pip install uv snakemake\nuv run a.py\nsnakemake -j 4\n",
    "curl -LsSf https://astral.sh/uv/install.sh | sh\nuv run a.py\n",
    "module load nextflow\nnextflow run x\n",
    "uv venv --python 3.11 || pip install uv\nuv run a.py\n",
]


@pytest.mark.parametrize("body", NOT_BROUGHT)
def test_what_a_text_does_not_bring_is_missing(body: str) -> None:
    assert sorted(missing_commands(bash(body))) == NOT_BROUGHT[body]
    image = bash(body, image="ubuntu")
    assert not {*missing_commands(image)} - {"apptainer", "singularity", "srun"}


@pytest.mark.parametrize("body", BROUGHT)
def test_what_a_text_may_bring_is_not_missing(body: str) -> None:
    assert missing_commands(bash(body)) == {}


PROVIDED_BY = {
    "srun a\n": {"srun"},
    'LAUNCH="srun -n 4"\n$LAUNCH ./a\n': {"srun"},
    "cat >x.sh <<E\nsrun ./a\nE\nbash x.sh\n": {"srun"},
    "timeout 60 srun ./a\nbash -c 'squeue -j 1'\n": {"srun", "squeue"},
    "HOSTS=$(scontrol show hostnames)\nmpirun ./a\n": {"scontrol", "mpirun"},
    "if command -v srun; then srun a; fi\n": {"srun"},
    "/usr/bin/srun a\n": {"srun"},
    "${SRUN:-srun} a\n": {"srun"},
    "python train.py --launcher slurm\n": {"scontrol"},
    "type module && module purge\nmodule -q load x\n": {"module"},
    "ml x\necho html\n": {"ml"},
    "sbatch next\necho sbatch\n": {"sbatch"},
    "echo 'sbatch x'\n# srun a\n./srun.sh\necho my-srun $srun tools/srun  # then srun\nimport module\n": set(),
    "module() { :; }\nmodule load x\n": set(),
}


@pytest.mark.parametrize("body", PROVIDED_BY)
def test_what_a_script_may_call_is_provided(body: str) -> None:
    assert provided(bash(body)) == PROVIDED_BY[body]


def test_other_languages_call_programs_too() -> None:
    body = 'import subprocess\nsubprocess.run(["srun", "a"])\nos.system("module load x")\n'
    assert provided(bash(body, "/usr/bin/python3")) == {"srun", "module"}
    assert provided(bash(body, "/usr/bin/python3", frontend="k8s")) == {"module"}


def test_what_is_asked_for_is_provided() -> None:
    job = bash("./all.sh\n")
    assert provided(job.replace(run=job.run.replace(commands=("srun", "module")))) == {"srun", "module"}


def test_who_reaches_other_nodes() -> None:
    assert reaches_other_nodes(bash("mpirun ./a\n"))
    assert not reaches_other_nodes(bash("scontrol show job\npython train.py\n"))


INTERPRETERS = {
    "/bin/tcsh -ef": ("tcsh", "tcsh"),
    "/usr/bin/env -S Rscript --vanilla": ("Rscript", "r-base-core"),
    "/usr/bin/env python": ("python", "python-is-python3"),
    "/bin/bash -l": None,
}


@pytest.mark.parametrize("line", INTERPRETERS)
def test_interpreters_with_a_package_are_installed(line: str) -> None:
    assert interpreter_package(bash("x\n", line)) == INTERPRETERS[line]
    assert missing_interpreter(bash("x\n", line)) is None


@pytest.mark.parametrize("line", ["/usr/bin/julia", "/opt/zsh", "/usr/bin/env -S", "tcsh"])
def test_other_interpreters_are_missing(line: str) -> None:
    assert interpreter_package(bash("x\n", line)) is None
    assert missing_interpreter(bash("x\n", line)) is not None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("python train.py\n", True),
        ("srun python -m torch\n", True),
        ("module load python/3.11\n", True),
        ("A='timeout 5 python'\n", True),
        ("python3 train.py\n/usr/bin/python x\npython3.11 y\nipython z\nx.python --python=3\n", False),
    ],
)
def test_what_names_python_finds_it(text: str, named: bool) -> None:
    assert names_python(bash(text)) == named


def test_what_copies_a_bucket_is_there_for_the_job_too() -> None:
    job = bash("rclone lsf :s3:bucket\n")
    assert "rclone" in missing_commands(job)
    copied = Mount(kind="bucket", source="s3://bucket", target="/data", copy=True)
    assert "rclone" not in missing_commands(job.replace(mounts=(copied,)))
    assert "rclone" in missing_commands(job.replace(mounts=(copied.replace(copy=False),)))


NAMES = ("srun", "g++", "a.b", "a-b", "x=y", "a b", "$1", "größe")


@given(st.text(alphabet="sruna.bxy=-+ /$\"'@g_1\n;ßé→"))
@example("g++ a.b;a-b|x=y")
@example("größe → srun→")
def test_names_are_looked_up_where_they_stand(text: str) -> None:
    assert sorted(_standing(text, _may_stand(text, NAMES))) == sorted(_standing(text, NAMES))
