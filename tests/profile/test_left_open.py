"""What `flowc profile init` leaves open though it knows something, and which files it looks at."""

from __future__ import annotations

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
