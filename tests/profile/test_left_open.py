"""What `flowc profile init` leaves open though it knows something, and which files it looks at."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowc._compiled.profile_lines import MODULES
from flowc.cli import main

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def init(capsysbinary: pytest.CaptureFixture[bytes], *args: str) -> str:
    assert main(["profile", "init", *args]) == 0
    captured = capsysbinary.readouterr()
    return (captured.out + captured.err).decode()


def profile() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(".flowc/profile.yaml").read_text())
    return found


COMPILERS = "intel-oneapi-compiler-fortran-2023.2.4"


@pytest.mark.parametrize(
    ("module", "text", "brought"),
    [
        ("intel/2022", "srun ./a.out", "mkl=="),
        ("intel/2022", "srun python make.py", "mkl=="),
        ("intel/2022", "make -j 4 && ./a.out", COMPILERS),
        ("toolchain/intel/2019b", "time mpiifort a.f90", COMPILERS),
        ("comp-intel", "cd x; FC=ifort ./configure", COMPILERS),
        ("impi/2021.2", "mpicc a.c && make && mpirun ./a.out", "impi-devel"),
        ("intelmpi/2019", "mpiicc a.c", COMPILERS),
        ("intel/2022", "icc a.c -L$MKL_LIB", None),
        ("intel/2022", "MKL_LIB=/opt/x\nicc a.c -L$MKL_LIB", COMPILERS),
        ("intel/2022", "./a.out $MKL_LIB", "mkl=="),
        ("r-env/440", "srun apptainer_wrapper exec Rscript a.R", "r-base"),
    ],
)
def test_line_that_does_not_serve_what_a_file_calls_is_another_one_or_open(
    module: str, text: str, brought: str | None, tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / "one").mkdir()
    (tree / "one" / "a.sh").write_text(f"{HEAD}module load {module}\n{text}\n")
    init(capsysbinary, "one")
    if brought is None:
        assert profile()["modules"] is None
        assert "`MKL_LIB` read there: " in Path(".flowc/profile.yaml").read_text()
    else:
        assert brought in json.dumps(profile()["modules"])


def test_variable_that_the_module_set_gets_a_line(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "a.sbatch").write_text(f"{HEAD}module load intel\nicc a.c -L$MKLROOT/lib/intel64\n")
    (tree / "b.sbatch").write_text(f"{HEAD}module load intel\nmake\n")
    init(capsysbinary, ".")
    assert profile()["variables"] == {"MKLROOT": "/opt/intel/oneapi/mkl/latest"}
    assert "1 file uses it; frees 0; what the module intel set" in Path(".flowc/profile.yaml").read_text()
    main(["check", "--summary", "--format=json", "."])
    assert json.loads(capsysbinary.readouterr().out)["free"] == 2


def test_intels_compilers_are_called_as_its_setvars_has_it(tmp_path: Path) -> None:
    """With what stands in the place of its repository, of apt and of the folders that belong to root."""
    row = next(row for row in MODULES if "intel" in row["parts"])
    text = row["instead"]["brings"]["shell"]
    for folder in ("bin", "opt/intel/oneapi", "usr/share/keyrings", "etc/apt/sources.list.d", "etc/ld.so.conf.d"):
        (tmp_path / folder).mkdir(parents=True)
    for place, here in (
        ("/opt/intel", "opt/intel"),
        ("/usr/local/bin", "bin"),
        ("/usr/share", "usr/share"),
        ("/etc/", "etc/"),
    ):
        text = text.replace(place, f"{tmp_path}/{here}")
    at = tmp_path / "opt/intel/oneapi"
    (tmp_path / "install").write_text(f"""#!/bin/bash
case $* in *install*) ;; *) exit ;; esac
mkdir -p {at}/compiler/bin {at}/compiler/lib {at}/mkl/lib {at}/tbb
touch {at}/compiler/lib/libsvml.so {at}/mkl/lib/libmkl_rt.so.2
echo '[ $# = 0 ] || echo given "$@"' >{at}/setvars.sh
echo 'export SETVARS_COMPLETED=1 MKLROOT={at}/mkl PATH={at}/compiler/bin:$PATH' >>{at}/setvars.sh
for each in icc make; do
    printf '#!/bin/bash\\necho %s $MKLROOT "$@"; [ $1 != nested ] || icc b.c\\n' $each >{at}/compiler/bin/$each
done
chmod 755 {at}/compiler/bin/*
""")
    (tmp_path / "mpi").write_text("#!/bin/bash\nPREFIX=I_MPI_SUBSTITUTE_INSTALLDIR\n")
    (tmp_path / "nothing").write_text("#!/bin/bash\n")
    programs = {"apt-get": "install", "curl": "nothing", "ldconfig": "nothing"}
    programs |= dict.fromkeys(("mpiicc", "mpirun", "mpicc", "mpicxx", "mpif77", "mpif90"), "mpi")
    for name, what in programs.items():
        (tmp_path / what).chmod(0o755)
        (tmp_path / "bin" / name).write_bytes((tmp_path / what).read_bytes())
        (tmp_path / "bin" / name).chmod(0o755)
    environ = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-ec", text], capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "etc/ld.so.conf.d/intel.conf").read_text() == f"{at}/compiler/lib\n{at}/mkl/lib\n"
    assert "I_MPI" not in (tmp_path / "bin/mpiicc").read_text()
    for line in ("icc a.c", "make nested", "bash -c 'exec icc a.c'"):
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=environ)
        more = f"icc {at}/mkl b.c\n" if "nested" in line else ""
        first = "make" if "make" in line else "icc"
        assert (done.stdout, done.stderr) == (f"{first} {at}/mkl {'nested' if more else 'a.c'}\n{more}", "")


def test_file_that_is_given_no_bid_without_move_is_looked_at_all_the_same(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / "one").mkdir()
    (tree / "one" / "a.sh").write_text("#!/bin/bash\n#SBATCH --gres=gpu:v100:1\nmodule load gcc\ncp /gpfs/in/x .\n")
    assert "of which 1 give no bid" in init(capsysbinary, "one")
    assert profile()["modules"] == {"gcc": {"apt": ["build-essential", "gfortran"]}}
    assert "  # /gpfs: volume://NAME\n" in Path(".flowc/profile.yaml").read_text()


def test_script_without_room_gives_no_bid_as_check_says(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    data = "".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(400))
    (tree / "large.sbatch").write_text(f"{HEAD}module load gcc\ncat > x <<E\n{data}\nE\n")
    (tree / "small.sbatch").write_text(f"{HEAD}module load gcc\n")
    told = init(capsysbinary, ".")
    assert "2 job files, of which 1 give no bid; of 1, 0 lack nothing, 1 with what is filled in\n" in told
    main(["check", "--summary", "--format=json", "."])
    found = json.loads(capsysbinary.readouterr().out)
    assert (found["failed"], found["free"]) == (1, 1)


def test_module_loaded_by_the_path_of_its_file_has_a_line(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / "a.sbatch").write_text(f"{HEAD}module load /apps/files/plumed\n")
    init(capsysbinary, ".")
    path = Path(".flowc/profile.yaml")
    path.write_text(path.read_text().replace("# /apps/files/plumed: {apt: PACKAGE}", "/apps/files/plumed: nothing"))
    main(["check", "--summary", "--format=json", "."])
    assert json.loads(capsysbinary.readouterr().out)["free"] == 1


def test_line_for_one_file_asks_for_a_file(tree: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "a.sbatch").write_text(f"{HEAD}. $HOME/env.sh\ncp ~/data/x .\n")
    init(capsysbinary, ".")
    text = Path(".flowc/profile.yaml").read_text()
    assert "# 1 file reads it; 2. frees 1 more, with those before it\n  # ~/env.sh: ./env.sh\n" in text
    assert "  # ~/data: volume://NAME\n" in text
    (tree / "env.sh").write_text("")
    Path(".flowc/profile.yaml").write_text("paths: {~/env.sh: ./env.sh, ~/data: volume://data}\n")
    main(["check", "--summary", "--format=json", "."])
    assert json.loads(capsysbinary.readouterr().out)["free"] == 1


def test_a_program_that_comes_with_a_module_is_no_need_of_its_own(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    body = "module load singularity/3.8\nsingularity --version\n"
    (tree / "a.sbatch").write_text(HEAD + body)
    (tree / "b.sbatch").write_text(HEAD + body + "cat /house/data/x\n")
    told = init(capsysbinary, ".")
    assert "2 job files; of 2, 0 lack nothing, 1 with what is filled in\n" in told
    assert "fill in this line, and 2 of 2 lack nothing:\n  1. paths./house " in told
    assert [*profile()["modules"]] == ["singularity"]
    assert "programs" not in profile()


@pytest.mark.parametrize(
    ("module", "lacks", "brought"),
    [
        ("python/2.7.14", True, "apt: python2"),
        ("apps/Python/2.7.18-GCCcore-9.3.0", True, "apt: python2"),
        ("python2", True, "apt: python2"),
        ("python/2", True, "apt: python2"),
        ("anaconda2/5.1", True, "# anaconda2:"),
        ("miniconda2", True, "# miniconda2:"),
        ("anaconda/2020.11", True, "Miniforge"),
        ("python/3.9.6", False, ""),
        ("python/2020.11", False, ""),
    ],
)
def test_python_2_is_another_thing_than_the_image_has(
    module: str, lacks: bool, brought: str, tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Scripts of it ended with their first `print`, or divided otherwise, and nothing was said."""
    (tree / "a.sh").write_text(f"{HEAD}module load {module}\npython a.py\n")
    told = init(capsysbinary, ".")
    text = Path(".flowc/profile.yaml").read_text() if lacks else ""
    assert ("1 lacks nothing" in told or "no profile" in told) is not lacks, told
    assert brought in text


def test_variable_of_the_submitters_environment_is_asked_for(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    Path("a.sbatch").write_text(f"{HEAD}nvidia-smi -i $LAB_GPU\n")
    Path("b.sbatch").write_text(f"{HEAD}nvidia-smi\n")
    told = init(capsysbinary, ".")
    assert "2 job files; of 2, 1 lack nothing\nfill in this line, and 2 of 2 lack nothing:" in told
    path = Path(".flowc/profile.yaml")
    text = path.read_text()
    assert "  # 1 file uses it; 1. frees 1 more, with those before it\n  # LAB_GPU: VALUE\n" in text
    path.write_text(text.replace("# LAB_GPU: VALUE", "LAB_GPU: '0'"))
    assert main(["check", "--summary", "--format=json", "."]) == 0
    assert json.loads(capsysbinary.readouterr().out)["free"] == 2


def test_gpus_that_are_not_sold_are_told_with_their_section(
    tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name, gpus in (("a", "v100:1"), ("b", "tesla_v100:1"), ("c", "h100:8")):
        Path(f"{name}.sbatch").write_text(f"#!/bin/bash\n#SBATCH --gres=gpu:{gpus} --time=10\nmodule load gcc\n")
    told = init(capsysbinary, ".")
    assert "3 job files, of which 2 give no bid; of 1, 0 lack nothing" in told
    assert "2 ask for GPUs that are not sold: a line of `gpus` names others (`flowc explain FC605`)\n" in told
    with open(".flowc/profile.yaml", "a") as file:
        file.write("gpus:\n  v100: any\n")
    assert "not sold" not in init(capsysbinary, ".")
