"""What `flowc profile init` leaves open though it knows something, and which files it looks at."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

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


@pytest.mark.parametrize(
    ("module", "text", "is_filled_in"),
    [
        ("intel/2022", "srun ./a.out", True),
        ("intel/2022", "srun python make.py", True),
        ("intel/2022", "make -j 4 && ./a.out", False),
        ("toolchain/intel/2019b", "time mpiifort a.f90", False),
        ("comp-intel", "cd x; FC=ifort ./configure", False),
        ("r-env/440", "srun apptainer_wrapper exec Rscript a.R", True),
        ("impi/2021.2", "mpicc a.c && make && mpirun ./a.out", True),
        ("intelmpi/2019", "mpiicc a.c", False),
    ],
)
def test_line_that_does_not_serve_what_a_file_calls_stays_open(
    module: str, text: str, is_filled_in: bool, tree: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tree / "one").mkdir()
    (tree / "one" / "a.sh").write_text(f"{HEAD}module load {module}\n{text}\n")
    init(capsysbinary, "one")
    assert (profile()["modules"] is not None) is is_filled_in
    assert ("called there" in Path(".flowc/profile.yaml").read_text()) is not is_filled_in


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
