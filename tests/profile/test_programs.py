"""Programs that a line of the profile brings to the jobs that call them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from flowc import driver
from tests.profile.jobs import JOB, ids, job_of

PROGRAMS = "programs: {samtools: {apt: samtools}, Rscript: {apt: r-base}, tool: {shell: make-tool}, mpirun: nothing}\n"


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("samtools sort x.bam\n", ["samtools"]),
        ("srun -n 4 samtools sort x.bam\n", ["samtools"]),
        ("time tool x | xargs -n1 Rscript\n", ["Rscript", "tool"]),
        ("bash -c 'cd x && tool'\n", ["tool"]),
        ("mpirun -n 8 tool\n", ["mpirun", "tool"]),
        ("module load gcc\nRscript a.R\n", ["Rscript"]),
        ("# samtools\necho samtools tool >tool.txt\n./tool\npython tool\n", []),
        ("cat <<E\nsamtools\nE\n", []),
    ],
)
def test_program_is_brought_where_a_text_calls_it(
    told: Callable[..., driver.Result], body: str, taken: list[str]
) -> None:
    found = job_of(told(PROGRAMS, JOB + body))
    assert sorted(found["programs"]) == sorted(taken)
    for name in ("samtools", "r-base"):
        assert (f"install -y {name}" in (found["setup"] or "")) is (name.replace("r-base", "Rscript") in taken)


MPI = """\
modules: {mpich: {apt: mpich}, impi: {pip: impi-devel==2021.18.1}, hdf5: {apt: [libhdf5-openmpi-dev]}, gcc: {apt: g++}}
programs: {mpirun: {apt: [openmpi-bin]}, mpicc: {apt: [libopenmpi-dev]}, mpirun.openmpi: {apt: [openmpi-bin]}}
"""


@pytest.mark.parametrize(
    ("modules", "taken"),
    [
        ("gcc/12", ["mpicc", "mpirun", "mpirun.openmpi"]),
        ("mpich/3.4", ["mpirun.openmpi"]),
        ("gcc impi/2019", ["mpirun.openmpi"]),
        ("hdf5", ["mpirun.openmpi"]),
    ],
)
def test_an_mpi_that_comes_with_a_module_is_the_only_one(
    told: Callable[..., driver.Result], modules: str, taken: list[str]
) -> None:
    """With Open MPI's `mpirun` beside it each rank of a program of MPICH took itself for the only one."""
    body = f"module load {modules}\nmpicc a.c\nmpirun ./a.out\nmpirun.openmpi ./b\n"
    assert sorted(job_of(told(MPI, JOB + body))["programs"]) == taken


@pytest.mark.parametrize(("line", "times"), [("{conda: gatk4}", 1), ("{conda: gatk4=4.1}", 2), ("{apt: gatk}", 2)])
def test_what_a_module_brings_is_not_brought_for_a_program_too(
    told: Callable[..., driver.Result], line: str, times: int
) -> None:
    lines = f"modules: {{bio/gatk: {{conda: gatk4}}}}\nprograms: {{gatk: {line}}}\n"
    result = told(lines, JOB + "module load bio/gatk\ngatk --version\n")
    found = job_of(result)
    assert (found["modules"], found["programs"]) == (["bio/gatk"], ["gatk"])
    assert found["setup"].count("conda-forge gatk4") + found["setup"].count("install -y gatk") == times
    assert "FC804" not in ids(result)


@pytest.mark.parametrize(
    ("line", "body", "said"),
    [
        ("samtools: {apt: samtools}", "samtools x\n", []),
        ("samtools: {apt: samtools}", "samtools x\nmpirun ./x\n", ["mpirun"]),
        ("mpirun: {apt: openmpi-bin}", "mpirun ./x\nmpicc x.c\n", ["mpicc"]),
        ("conda: {shell: make-conda}", "conda list\nmamba list\n", ["mamba"]),
        ("conda: {shell: make-conda}", "source activate base\n", []),
        ("samtools: nothing", "bash -c 'samtools x; Rscript y'\n", ["Rscript"]),
        ("other: nothing", "samtools x\n", ["samtools"]),
    ],
)
def test_only_the_program_that_a_line_brings_is_no_longer_missing(
    told: Callable[..., driver.Result], line: str, body: str, said: list[str]
) -> None:
    result = told(f"programs: {{{line}}}\n", JOB + body, emit="mithril")
    assert [name for each in result.diagnostics if each.code.id == "FC804" for _, name in each.lacks] == said


def test_environment_of_a_conda_that_a_line_brings_is_still_missing(told: Callable[..., driver.Result]) -> None:
    result = told("programs: {conda: {shell: make-conda}}\n", JOB + "source activate train\n", emit="mithril")
    assert "FC804" not in ids(result)
    assert [each.lacks for each in result.diagnostics if each.code.id == "FC823"] == [(("environment", "train"),)]


@pytest.mark.parametrize(("first", "said"), [("/usr/bin/env julia", False), ("/usr/bin/julia", True)])
def test_interpreter_that_a_line_brings(told: Callable[..., driver.Result], first: str, said: bool) -> None:
    """One that is named by its path has to stand there."""
    result = told("programs: {julia: {shell: x}}\n", JOB.replace("/bin/bash", first) + "println(1)\n", emit="mithril")
    assert ("FC805" in ids(result)) is said


def test_plan_names_the_finding_that_a_program_is_instead_of(told: Callable[..., driver.Result]) -> None:
    profile = "programs:\n  samtools: nothing\n  gcc: nothing\n  tool: nothing\n"
    result = told(profile, JOB + "samtools x\ngcc x.c\n", emit="plan")
    assert job_of(result)["profile"]["used"] == [
        {"entry": "programs.samtools", "line": 2, "brings": "program samtools", "instead_of": ["FC804"]},
        {"entry": "programs.gcc", "line": 3, "brings": "program gcc", "instead_of": []},
    ]


def test_setup_names_the_program_that_fails_and_does_the_same_once(told: Callable[..., driver.Result]) -> None:
    text = "programs: {conda: {shell: 'echo made; false'}, mamba: {shell: 'echo made; false'}, tool: nothing}\n"
    setup = job_of(told(text, JOB + "conda list\nmamba list\ntool\n"))["setup"]
    done = subprocess.run(["bash", "-c", setup], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "made\n")
    assert done.stderr in ("flowc: cannot bring program conda\n", "flowc: cannot bring program mamba\n")
    assert setup.count("echo made") == 1


@pytest.mark.parametrize(
    ("module", "program"), [("anaconda3/2024", "conda list"), ("singularity/3.8", "singularity exec x y")]
)
def test_program_comes_once_with_its_module(told: Callable[..., driver.Result], module: str, program: str) -> None:
    name = program.split()[0]
    text = f"modules: {{{module.split('/')[0]}: {{shell: by-module}}}}\nprograms: {{{name}: {{shell: by-name}}}}\n"
    found = job_of(told(text, JOB + f"module load {module}\n{program}\n"))
    assert ("by-module" in found["setup"], "by-name" in found["setup"]) == (True, False)
    found = job_of(told(text, JOB + f"{program}\n"))
    assert ("by-module" in found["setup"], "by-name" in found["setup"]) == (False, True)


def test_job_in_an_image_has_its_own_programs(told: Callable[..., driver.Result]) -> None:
    found = job_of(told(PROGRAMS, JOB + "samtools x\n", "--image=ubuntu:24.04"))
    assert (found["setup"], found["programs"]) == (None, [])


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        ("{samtools: {apt: samtools}, ffmpeg: {apt: ffmpeg}, tool: {pip: tool}, other: {apt: other}}", 1),
        ("{samtools: {apt: samtools}, tool: {shell: add-source}, other: {apt: other}}", 2),
    ],
)
def test_apt_looks_for_packages_once(told: Callable[..., driver.Result], lines: str, times: int) -> None:
    body = "samtools x\nffmpeg y\ntool z\nother\n"
    setup = job_of(told(f"programs: {lines}\n", JOB + body))["setup"]
    assert setup.count(" update || ") == times
    assert setup.index(" update || ") < setup.index("install -y samtools")
    done = subprocess.run(["bash", "-n"], input=setup, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("profile", "body", "told_of"),
    [
        ("modules: {picard: {apt: picard-tools}}\n", "module load picard\njava -jar $PICARD x\n", ["$PICARD"]),
        ("modules: {picard: {apt: picard-tools}}\nvariables: {PICARD: /x}\n", "module load picard\nls $PICARD\n", []),
        ("modules: {picard: {apt: a}}\n", "module load picard\nmodule load house\nls $PICARD $HOUSE\n", []),
        ("modules: {picard: {shell: 'echo PICARD=/x >>/etc/environment'}}\n", "module load picard\nls $PICARD\n", []),
    ],
)
def test_line_of_a_module_sets_no_variables(
    told: Callable[..., driver.Result], profile: str, body: str, told_of: list[str]
) -> None:
    found = [each for each in told(profile, JOB + body, emit="mithril").diagnostics if each.code.id == "FC841"]
    assert [each.span.text for each in found if each.span is not None] == told_of
