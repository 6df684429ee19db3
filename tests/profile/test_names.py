"""Names of modules that no row of the table is for: which package brings each, and where the line stays open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowc._compiled import tool_names
from flowc._compiled.profile_lines import MODULES, OPEN
from flowc.cli import main
from flowc.diag.sink import Sink
from flowc.profile.names import package_of
from flowc.profile.needs import lines
from flowc.profile.read import read
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
BIOCONDA = ("conda-forge", "bioconda")


def shell_of(name: str) -> str:
    found: str = next(row["brings"]["shell"] for row in MODULES if name in row["parts"])
    return found


def brought(module: str) -> dict[str, Any] | str | None:
    brings = lines([[("module", module)]])[0].brings
    return (
        brings
        if brings is None or isinstance(brings, str)
        else {name: found for name, found in brings.items() if found}
    )


@pytest.mark.parametrize(
    ("module", "brings"),
    [
        ("picard/2.25.1-Java-11", {"conda": ("picard",), "channels": BIOCONDA}),
        ("RepeatMasker/4.1.5-foss-2022a", {"conda": ("repeatmasker",), "channels": BIOCONDA}),
        ("kallisto/0.46.1", {"apt": ["kallisto"]}),
        ("Trimmomatic/0.39-Java-11", {"conda": ("trimmomatic",), "channels": BIOCONDA}),  # Ubuntu's is TrimmomaticPE
        ("Exonerate/2.4.0-GCC-12.2.0", {"apt": ["exonerate"]}),
        ("Voro++/0.4.6", {"apt": ["voro++", "voro++-dev"]}),
        ("deal.II/9.3", {"apt": ["libdeal.ii-dev"]}),
        ("fastx_toolkit", {"conda": ("fastx_toolkit",), "channels": BIOCONDA}),
        ("libspatialindex/1.9", {"apt": ["libspatialindex-dev"]}),
        ("tqdm/4.64.0-GCCcore-11.3.0", {"pip": ("tqdm",)}),
        ("py-netcdf4/1.5.3", {"pip": ("netcdf4",)}),
        ("python-mako", {"pip": ("mako",)}),
        # a version that is part of the name
        ("bowtie-1.2.3", {"apt": ["bowtie"]}),
        ("jags_4.3.0-gcc-9.3.0-bzuuksv", {"apt": ["jags"]}),
        ("hdf5-1.8.11_gcc-4.4.7", {"apt": ("hdf5-tools", "libhdf5-dev", "libhdf5-openmpi-dev")}),
        # what packages of Python have in rows of the table
        ("py-tensorflow/2.1.0_py36", {"pip": ("tensorflow[and-cuda]",)}),
        ("python-pandas", {"pip": ("pandas",)}),
        ("nlpl-wandb/0.12.6-foss-2019b", {"pip": ("wandb",)}),
        ("ObsPy/0.10.3rc1-intel-2015a-Python-2.7.9", {"pip": ("obspy",)}),
        ("datasets/2.10.1-foss-2020b-Python-3.8.6", {"pip": ("datasets",)}),
        ("datasets/2024", None),
        ("py-mpi4py", {"apt": ("openmpi-bin", "libopenmpi-dev", "python3-mpi4py")}),
        # folders of sites in front, and names that only open others
        ("UHTS/Analysis/picard-tools/2.18.11", {"conda": ("picard",), "channels": BIOCONDA}),
        ("plgrid/libs/fftw/3.3.9", {"apt": ("libfftw3-dev", "libfftw3-mpi-dev")}),
        ("harvard/centos6/hdf5-1.8.11_gcc-4.4.7", {"apt": ("hdf5-tools", "libhdf5-dev", "libhdf5-openmpi-dev")}),
        (
            "openmind/singularity",
            {"shell": shell_of("*singularity*")},
        ),
        ("modenv/hiera", "nothing"),
        ("calcua/2020a", "nothing"),
        ("cpuarch/amd", "nothing"),
        ("lang", "nothing"),
        ("lang/JuliaHPC/1.9", {"shell": shell_of("juliahpc")}),
        ("container_env", None),
        ("default-wilkes", None),
        # names of several things, and of none
        ("flash/4.6", None),
        ("ray/1.1.0", None),
        ("house/1.0", None),
        ("house-1.0", None),
        ("py-house", None),
        ("matlab-2020", None),
    ],
)
def test_what_brings_it(module: str, brings: dict[str, Any] | None) -> None:
    assert brought(module) == brings


def test_every_name_brings_what_a_profile_takes() -> None:
    table = tool_names
    words = " ".join((table.PROGRAMS, table.LIBRARIES, table.BIOCONDA, table.PIP)).split()
    words += [f"py-{word}" for word in table.PYTHON.split()]
    brings = {}
    for name in {word.partition("=")[0] for word in words}:
        found = package_of(name)
        assert found is not None, name
        brings[name] = {key: [*value] for key, value in found[0].items() if value}
    sink = Sink()
    profile = read(Source("p.yaml", yaml.safe_dump({"modules": brings})), sink)
    assert [each.message for each in sink.diagnostics] == []
    assert profile is not None
    assert len(profile.modules.keys) == len(brings) > 3000


@pytest.mark.parametrize(
    ("module", "text", "open_for"),
    [
        ("picard", "picard MarkDuplicates", ""),
        ("picard", 'java -jar "$EBROOTPICARD/picard.jar"', "EBROOTPICARD"),
        ("picard", "java -jar ${PICARD_JAR} x", "PICARD_JAR"),
        ("gatk/4.2", "gatk HaplotypeCaller", ""),
        ("picard", "java -jar $PICARD", "PICARD"),
        ("picard", "PICARD=picard\n$PICARD x", ""),
        ("picard", "echo $PICARDS_ALL", ""),
        ("deal.II", "cmake -D $DEALII_DIR", "DEALII_DIR"),
        ("jags", "echo $TACC_JAGS_LIB", "TACC_JAGS_LIB"),
    ],
)
def test_line_stays_open_where_a_file_reads_what_the_module_set(
    module: str, text: str, open_for: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("jobs").mkdir()
    Path("jobs/a.sbatch").write_text(f"{HEAD}module load {module}\n{text}\n")
    assert main(["profile", "init", "jobs"]) == 0
    written = Path(".flowc/profile.yaml").read_text()
    assert (f"`{open_for}` read there" in written) is bool(open_for)
    assert (yaml.safe_load(written)["modules"] is None) is bool(open_for)


def test_program_of_java_that_is_called_by_its_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("jobs").mkdir()
    Path("jobs/a.sbatch").write_text(f"{HEAD}module load gatk\njava -jar /x/GenomeAnalysisTK.jar\n")
    assert main(["profile", "init", "jobs"]) == 0
    assert "`java` called there: GATK 4" in Path(".flowc/profile.yaml").read_text()


def test_names_are_looked_up_by_profile_init_alone() -> None:
    code = (
        "import sys; from flowc.cli import main; main(sys.argv[1:]);"
        " sys.exit(any('tool_names' in name or name == 'flowc.profile.names' for name in sys.modules))"
    )
    for words in (["check", "-c", "module load picard"], ["compile", "--help"]):
        assert subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False).returncode == 0


def test_licensed_programs_are_in_no_list() -> None:
    for row in (*OPEN, *MODULES):
        if "brings" not in row:
            for name in row["parts"]:
                assert "*" in name or brought(name) is None, name


@pytest.mark.parametrize(
    ("texts", "is_filled_in"),
    [
        (["conda activate snakemake\nsnakemake --cores 8"], True),
        (["source activate snakemake; srun snakemake -j 8", "conda activate snakemake\ntime snakemake -n"], True),
        (["conda activate snakemake\nsnakemake -n", "conda activate snakemake\npython x.py"], False),
        (["conda activate snakemake\npython snakemake.py"], False),
        (["conda activate py39\npy39"], False),
        (["conda activate house\nhouse x"], False),
    ],
)
def test_environment_that_is_named_after_the_tool_that_is_called(
    texts: list[str], is_filled_in: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("jobs").mkdir()
    for number, text in enumerate(texts):
        Path(f"jobs/{number}.sbatch").write_text(f"{HEAD}{text}\n")
    assert main(["profile", "init", "jobs"]) == 0
    found = yaml.safe_load(Path(".flowc/profile.yaml").read_text())["conda"]
    package = {"packages": "snakemake", "channels": ["conda-forge", "bioconda"]}
    assert found == ({"snakemake": package} if is_filled_in else None)
