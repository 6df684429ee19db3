"""What real scripts and launchers met in the small Slurm, by kind, and the tests that hold each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# Bodies of this folder (THEME/NAME) and of releases/ (releases/NAME), jobs of tests/frameworks (frameworks/NAME), and
# functions of test files (FILE::NAME).
MET = {
    # Steps beside each other.
    "a GPU for each of four exact steps": "accounts/exact-gres accounts/exact-gpus",
    "two of four GPUs for each of two": "accounts/exact-gpus",
    "a node with all its GPUs for each of two": "accounts/exact-nodes",
    "more steps than CPUs": "accounts/exclusive-steps",
    "more steps than GPUs": "accounts/exact-gpu-queue",
    "steps without --exact one after another": "accounts/whole steps/srun-background-serial",
    "GNU parallel on two nodes": "frameworks/parallel steps/srun-gnu-parallel",
    "a job's GPUs for each node are a step's": "accounts/exact-inherits-per-node accounts/exact-inherits-gres",
    "--overlap sees all GPUs": "accounts/overlap-gpus",
    "given back when a step is killed": "accounts/term-gives-back accounts/other-node-killed",
    "ended by number on another machine": "accounts/other-node-scancel",
    # MPI.
    "mpirun of Open MPI 4": "frameworks/open-mpi-4 frameworks/open-mpi-4-srun",
    "mpiexec of Open MPI 5": "frameworks/open-mpi-5 frameworks/open-mpi-5-srun frameworks/mpi4py",
    "mpiexec of MPICH": "frameworks/mpich-4 frameworks/mpich-5",
    "Intel MPI": "frameworks/intel-mpi",
    "srun --mpi=pmi2": "mpi/pmi1 mpi/pmi2 mpi/kinds",
    "srun --mpi=pmix": "slurm_tools/test_pmix.py::test_*",
    "what the launchers call": "mpi/launchers",
    # Frameworks.
    "DeepSpeed": "frameworks/deepspeed",
    "Lightning": "frameworks/lightning",
    "submitit": "frameworks/submitit frameworks/submitit-run",
    "MMEngine": "frameworks/mmengine",
    "fairseq": "body/test_frameworks.py::test_*",
    "Parsl and executorlib": "frameworks/parsl frameworks/executorlib",
    "Snakemake": "frameworks/snakemake",
    "torchrun, accelerate and jax": "frameworks/torchrun frameworks/accelerate frameworks/jax",
    "Ray": "frameworks/ray",
    "Ray's symmetric-run": "frameworks/ray-symmetric",
    "TensorFlow": "frameworks/tensorflow",
    "dask": "frameworks/dask frameworks/dask-slurm-runner",
    "ClusterShell and python-hostlist": "frameworks/node-sets",
    "commands that are not brought": "scripts/test_stand_ins.py::test_*",
    # Words.
    "--wait=0": "words/wait-zero",
    "steps without GPUs": "accounts/gres-none",
    "a file of hosts": "words/hostfile words/hostfile-wrong words/arbitrary-names",
    "more tasks than the job has": "step-layout/srun-nodes-of-tasks-whole step-layout/srun-two-of-tasks-whole",
    "files of several programs": "words/multi-prog-lines words/multi-prog-missing",
    "A : B": "words/het-step words/het-step-widths words/het-step-status",
    "--het-group over the components of a job": "het/het-programs het/het-groups het/het-three het/het-command-line",
    "variables of components": "het/het-env het/het-gpus",
    "het groups that are wrong": "het/het-wrong het/het-status",
    "the queries in a het job": "het/het-squeue het/het-scontrol",
    "het steps at once": "het/het-steps",
    "--signal of a step": "words/signal-values",
    "variables taken away": "words/env-without",
    "numbers of steps from other nodes": "accounts/other-node-ids",
    "an inherited distribution": "steps/srun-nested-distribution",
    "--export beside what is exported": "words/export-kept",
    "--version and --help": "words/versions",
    "a script's own place": "words/own-place words/own-place-sh words/command-name",
    "set -v and set -x": "words/set-v words/set-x-descriptor",
    "bash in a script of sh": "rules/test_plain_sh.py::test_*",
    "files that nodes do not share": "rules/test_shared_files.py::test_*",
    "every word is decided": "rules/test_slurm_words.py::test_*",
    # Processes of tasks.
    "standard output that is a terminal": "strangers/unbuffered-terminal",
    "signals that a script ignores": "strangers/ignored-signals strangers/background-signals strangers/perl-launcher",
    "descriptors of the script": "strangers/descriptors-kept",
    "options of variables that are not set": "strangers/empty-counts strangers/empty-nodes",
    "steps that have ended": "strangers/scancel-ended-step",
    "scancel of all that runs": "strangers/scancel-full-self",
    "Ctrl-C, HUP and QUIT": "strangers/interrupt-once strangers/hangup-and-quit",
    # Releases.
    "which variable of CPUs a step reads": "releases/step-cpus releases/job-cpus releases/two-widths",
    "steps at once": "releases/steps-at-once releases/steps-without-width",
    "tasks that are too wide": "releases/step-tasks releases/tasks-of-width",
    "variables of GPUs and widths": "releases/env-gpus-per-task releases/env-gpu-bind releases/env-width",
    "--gpu-bind=none": "releases/gpu-bind-none releases/gpu-bind-none-step",
    "GPUs of a step beside the job's": "releases/step-gpus releases/step-gres releases/step-more-gpus",
    "--cpus-per-gpu of a step": "releases/cpus-per-gpu",
    "the most tasks of a node": "releases/most-per-node releases/most-per-node-uneven",
    "fewer nodes than the job has": "releases/step-nodes",
    "--mail-type twice": "frontends/slurm/lowering/test_requests.py::test_mail_types_of_several_lines",
    "the last digit of an index": "releases/index-digit releases/no-index-digit",
    "words that are no longer taken": "releases/words",
    "names of nodes more than once": "releases/node-names",
    "--external-launcher": "releases/external-launcher",
    "--tres-per-task": "slurm_tools/test_releases.py::test_*",
    "het groups that are other jobs'": "words/het-step-widths",
}
# Why others have none.
WITHOUT: dict[str, str] = {}


def exists(name: str) -> bool:
    path, colons, function = name.partition("::")
    if colons:
        file = TESTS / path
        return file.exists() and bool(re.search(rf"(?m)^def {function.replace('*', '')}", file.read_text()))
    theme, _, body = name.partition("/")
    if theme == "frameworks":
        return bool([*(TESTS / "frameworks/jobs").glob(f"**/{body}.sbatch")])
    folder = TESTS / "same_as_slurm"
    place = f"releases/bodies/{body}" if theme == "releases" else f"bodies/{name}"
    return (folder / f"{place}.sbatch").exists()


@pytest.mark.parametrize("kind", MET)
def test_what_was_met_has_a_test(kind: str) -> None:
    assert [name for name in MET[kind].split() if not exists(name)] == []
    assert bool(MET[kind]) != (kind in WITHOUT)
