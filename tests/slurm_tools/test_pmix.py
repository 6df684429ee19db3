"""PMIx as srun serves it, by a library that stands for the true one (tests/frameworks has that): what it is given, and
what srun hands on between nodes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from small import Cluster, install, no_pmix

from flowc.scripts.slurm.tools import closed

HERE = Path(__file__).parent
CLIENT = HERE / "pmix_client.py"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str, str], str]) -> Path:
    """The folder of a program that has a library of PMIx beside it."""
    top = tmp_path_factory.mktemp("pmix")
    (top / "lib").mkdir()
    (top / "bin").mkdir()
    (top / "bin" / "mpirun").write_text("#!/bin/sh\n")
    (top / "bin" / "mpirun").chmod(0o755)
    words = [
        "-shared",
        "-fPIC",
        "-O1",
        "-pthread",
        "-o",
        str(top / "lib" / "libpmix.so.2"),
        str(HERE / "pmix_library.c"),
    ]
    subprocess.run([program("gcc", "gcc"), *words], check=True)
    return top


@pytest.fixture
def batch(cluster: Cluster, library: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{cluster.bin}:{library / 'bin'}:/usr/bin:/bin", "SLURM_JOB_ID": f"7{os.getpid()}",
        "SLURM_JOB_NODELIST": "n[1-4]", "SLURM_NODELIST": "n[1-4]", "SLURM_NNODES": "4",
        "SLURM_JOB_CPUS_PER_NODE": "16(x4)", "SLURM_TASKS_PER_NODE": "1(x4)", "HOME": str(tmp_path),
        "SLURMD_NODENAME": "n1",
    }  # fmt: skip


def srun(batch: dict[str, str], options: str, *client: str) -> tuple[list[str], str, int]:
    """Lines in the order of their ranks, what was said beside, the status."""
    done = subprocess.run(
        ["srun", *options.split(), sys.executable, str(CLIENT), *client],
        env=batch, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return sorted(lines, key=lambda line: line.partition(":")[0]), done.stderr, done.returncode


def run(batch: dict[str, str], *words: str) -> str:
    """What it prints."""
    return subprocess.run(["srun", *words], env=batch, capture_output=True, text=True, timeout=120, check=False).stdout


@pytest.mark.parametrize("nodes", ["-N1 -n2", "-N2 -n3", "-N4 -n4"])
@pytest.mark.parametrize("kind", ["pmix", "pmix_v4"])
def test_ranks_find_each_other(batch: dict[str, str], nodes: str, kind: str) -> None:
    lines, said, status = srun(batch, f"--mpi={kind} {nodes}", "fence:*:<a@>", "fence:*:<b@>", "bye")
    count = int(nodes[-1])
    assert (said, status) == ("", 0)
    assert [line.partition(":")[0] for line in lines] == [str(rank) for rank in range(count) for _ in range(4)]
    for rank in range(count):
        first, one, two, bye = (line.partition(": ")[2] for line in lines[4 * rank : 4 * rank + 4])
        assert (first, bye) == ("-157", "0")
        # What each has put, in whatever order the nodes came.
        assert sorted(re.findall(r"<a\d>", one)) == [f"<a{other}>" for other in range(count)]
        assert sorted(re.findall(r"<b\d>", two)) == [f"<b{other}>" for other in range(count)]


def test_fence_of_some_ranks_waits_for_no_other(batch: dict[str, str], tmp_path: Path) -> None:
    task = f"{sys.executable} {CLIENT}"
    (tmp_path / "each").write_text(f"0,2 {task} fence:0,2:<@> bye\n1,3 {task} bye\n")
    done = subprocess.run(
        ["srun", "--mpi=pmix", "-N4", "-n4", "--multi-prog", str(tmp_path / "each")],
        env=batch, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    found = [line for line in done.stdout.splitlines() if "<" in line]
    assert sorted(line[0] for line in found) == ["0", "2"]
    assert all(sorted(re.findall(r"<\d>", line)) == ["<0>", "<2>"] for line in found)


def test_what_the_library_is_told(batch: dict[str, str]) -> None:
    lines, said, status = srun(batch, "--mpi=pmix -N2 -n4 -m cyclic", "facts", "bye")
    assert (said, status) == ("", 0)
    facts = {
        rank: next(line.partition(": ")[2].split("|") for line in lines if line.startswith(f"{rank}: pmix"))
        for rank in (0, 1)
    }
    assert facts[0][1] == "pmix.hname/3=n1"
    assert facts[1][1] == "pmix.hname/3=n2"
    name = next(each for each in facts[0] if each.startswith("pmix.jobid"))
    assert name.startswith(f"pmix.jobid/3={batch['SLURM_JOB_ID']}.")
    for rank, peers in (0, "0,2"), (1, "1,3"):
        assert {f"pmix.lpeers/3={peers}", f"pmix.lldr/14={rank}", "pmix.nmap/49=nodes(n1,n2)"} <= {*facts[rank]}
        assert "pmix.pmap/49=ranks(0,2;1,3)" in facts[rank]
        for key, size in {"univ": 4, "job": 4, "max": 4, "app": 4, "local": 2, "node": 2}.items():
            assert f"pmix.{key}.size/14={size}" in facts[rank]
        of_ranks = [each.removeprefix("rank:pmix.") for each in facts[rank] if each.startswith("rank:")]
        # Node by node.
        assert of_ranks[16:24] == [
            *("rank/40=1", "grank/14=1", "apprank/14=1", "appnum/6=0"),
            *("lrank/13=0", "nrank/13=0", "hname/3=n2", "nodeid/14=1"),
        ]


def test_data_of_a_rank_on_another_node(batch: dict[str, str]) -> None:
    lines, said, status = srun(batch, "--mpi=pmix -N2 -n2", "want:1", "want:0", "fence:*:x", "bye")
    assert (said, status) == ("", 0)
    assert lines[1:3] == ["0: 0 of 1 on its node", "0: 0 of 0 on its node"]


@pytest.mark.parametrize("nodes", ["-N1 -n2", "-N2 -n2"])
def test_abort_ends_the_step_with_its_status(batch: dict[str, str], nodes: str, tmp_path: Path) -> None:
    task = f"{sys.executable} {CLIENT}"
    (tmp_path / "each").write_text(f"0 {task} stay\n1 {task} abort:7 stay\n")
    done = subprocess.run(
        ["srun", "--mpi=pmix", *nodes.split(), "--multi-prog", str(tmp_path / "each")],
        env=batch, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "DUE TO TASK FAILURE ***" in done.stderr
    assert done.returncode == 7


@pytest.mark.parametrize("nodes", ["-N1 -n2", "-N2 -n2"])
@pytest.mark.parametrize("how", ["", "late "])
def test_rank_that_is_lost_ends_the_others(batch: dict[str, str], nodes: str, how: str, tmp_path: Path) -> None:
    # Also where it was the last on its node, and the library says nothing before that node has done its part.
    task = f"{sys.executable} {CLIENT}"
    (tmp_path / "each").write_text(f"0 {task} stay\n1 {task} {how}exit\n")
    done = subprocess.run(
        ["srun", "--mpi=pmix", *nodes.split(), "--multi-prog", str(tmp_path / "each")],
        env=batch, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert len(re.findall(r"status = -61, source = \[slurm\.pmix\.\d+\.\d+:1\]", done.stderr)) == 1, done.stderr
    assert "task 1: Exited with exit code 3" in done.stderr
    assert "task 0: Terminated" in done.stderr
    assert done.returncode == 128 + 15


def test_library_is_looked_for(batch: dict[str, str], library: Path) -> None:
    bare = {**batch, "PATH": batch["PATH"].replace(str(library / "bin"), "/nowhere")}
    for env in batch, {**bare, "LD_LIBRARY_PATH": f":{library / 'lib'}"}:
        assert srun(env, "--mpi=pmix -N1 -n1", "bye")[0] == ["0: -157", "0: 0"]
        assert run(env, "--mpi=list") == "MPI plugin types are...\n\tnone\n\tpmi2\n\tpmix\n"
    # A program that is called by its place has it beside.
    program = library / "bin" / "solve"
    program.write_text("#!/bin/sh\necho rank $PMIX_RANK $SLURM_MPI_TYPE\n")
    program.chmod(0o755)
    assert run(bare, "--mpi=pmix_v5", "-n1", "-N1", str(program)) == "rank 0 pmix_v5\n"


def test_without_the_library_nothing_runs(batch: dict[str, str], library: Path, tmp_path: Path) -> None:
    bare = {**batch, "PATH": batch["PATH"].replace(str(library / "bin"), "/nowhere"), **no_pmix(tmp_path / "none")}
    missing = "error: mpi/pmix: there is no libpmix.so.2 on this machine: `apt-get install libpmix2` on each brings it"
    assert srun(bare, "--mpi=pmix -N2 -n2", "bye") == ([], f"srun: {missing}\n", 1)


def test_library_that_cannot_start(batch: dict[str, str], tmp_path: Path) -> None:
    where = install(tmp_path / "bin", closed({"srun", "pmix", "opt:ntasks"}))
    env = {**batch, "PATH": f"{where}:{batch['PATH']}", "SLURM_JOB_NODELIST": "n1", "PMIX_FAKE_FAILS": "1"}
    lines, said, status = srun(env, "--mpi=pmix -n2", "bye")
    assert (lines, status) == ([], 1)
    assert said.count("slurmstepd-n1: error: mpi/pmix: PMIx_server_init: -1\n") == 2
    del env["PMIX_FAKE_FAILS"]
    assert srun(env, "--mpi=pmix -n2", "bye") == (["0: -157", "0: 0", "1: -157", "1: 0"], "", 0)


def test_both_ways_for_a_program_that_may_be_of_open_mpi(batch: dict[str, str]) -> None:
    shown = ["sh", "-c", "echo $PMI_RANK $PMIX_RANK"]
    assert sorted(run(batch, "--mpi=pmi2", "-N2", "-n2", *shown).splitlines()) == ["0 0", "1 1"]
    assert run(batch, "--mpi=none", "-N2", "-n2", *shown) == "\n\n"


SHOW = ("sh", "-c", "echo ${PMI_FD:-none} ${PMIX_RANK:-none}")


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("-n2", ["99999 0", "99999 1"]),
        # Alone it is right to take itself for the only one, and so it is where the step says what it wants.
        ("-n1", ["none 0"]),
        ("-n2 --mpi=pmix", ["none 0", "none 1"]),
        ("-n2 --mpi=none", ["none none", "none none"]),
    ],
)
def test_what_would_find_its_ranks_by_pmi_ends_where_it_begins(
    batch: dict[str, str], tmp_path: Path, options: str, lines: list[str]
) -> None:
    where = install(tmp_path / "bin", closed({"srun", "pmix_always", "no_pmi", "opt:ntasks"}))
    batch["PATH"] = f"{where}:{batch['PATH']}"
    assert sorted(run(batch, *options.split(), *SHOW).splitlines()) == lines


def test_so_it_does_without_a_library(batch: dict[str, str], tmp_path: Path) -> None:
    where = install(tmp_path / "bin", closed({"srun", "pmix_always", "no_pmi", "opt:ntasks"}))
    batch = {**batch, "PATH": f"{where}:/usr/bin:/bin", **no_pmix(tmp_path / "none")}
    assert run(batch, "-n2", *SHOW).splitlines() == ["99999 none"] * 2


@pytest.mark.parametrize(("options", "guard"), [("-n2", 99999), ("-n2 --mpi=pmi2", 99999), ("-n2 --mpi=pmix", "none")])
def test_who_asks_for_pmi_where_there_was_no_room_for_it_gets_pmix(
    batch: dict[str, str], tmp_path: Path, options: str, guard: object
) -> None:
    where = install(tmp_path / "bin", closed({"srun", "pmix_always", "pmi_by_pmix", "opt:ntasks"}))
    batch["PATH"] = f"{where}:{batch['PATH']}"
    assert sorted(run(batch, *options.split(), *SHOW).splitlines()) == [f"{guard} 0", f"{guard} 1"]
