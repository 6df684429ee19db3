"""Intel's modules: programs of its MPI leave the place to another MPI that is loaded beside its compilers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flowc._compiled.profile_lines import MODULES

PROGRAMS = ("mpirun", "mpiexec", "mpicc", "mpicxx", "mpif77", "mpif90")
ROW: dict[str, Any] = next(row for row in MODULES if "intel" in row["parts"])
LINES = {"libraries": ROW["brings"]["shell"], "compilers": ROW["instead"]["brings"]["shell"]}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    ("loaded", "by"),
    [
        (None, "intel"),
        ("intel/2019", "intel"),
        ("intel/2019:openmpi/4.0.1", "other"),
        ("iimpi/2020b:OpenMPI/4.1.1-GCC-11", "other"),
        ("compilers/mvapich2:intel", "other"),
        ("comp-intel/2020:mpi-hpe/mpt", "other"),
        ("mpt/2.25:comp-intel", "other"),
    ],
)
def test_which_mpi_answers(line: str, loaded: str | None, by: str, tmp_path: Path) -> None:
    """The text of the line, run over stand-ins for both MPIs. Before it, Intel's answered whatever was loaded."""
    own, other = tmp_path / "local", tmp_path / "usr"
    for folder, says in ((own, "intel"), (other, "other")):
        folder.mkdir()
        for name in PROGRAMS:
            (folder / name).write_text(f'#!/bin/sh\n# I_MPI_SUBSTITUTE_INSTALLDIR\necho {says} {name} "$@"\n')
            (folder / name).chmod(0o755)
    text = str(LINES[line]).split("export DEBIAN_FRONTEND")[0].split("ldconfig")[0]
    text = text.replace("/usr/local/bin", str(own)).replace("/usr/bin", str(other))
    subprocess.run(["bash", "-ec", text], check=True)
    environment = {**os.environ, "LOADEDMODULES": loaded} if loaded is not None else dict(os.environ)
    for name in PROGRAMS if line == "compilers" else PROGRAMS[:2]:
        done = subprocess.run([own / name, "-n", "2 x"], env=environment, capture_output=True, check=True, text=True)
        shown = "mpirun" if (name, by) == ("mpiexec", "intel") else name
        assert done.stdout == f"{by} {shown} -n 2 x\n"
