"""PMI-1 and PMI-2 as srun serves them: with one and several tasks, on one and several machines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import Cluster, install, no_pmix

from flowc.scripts.slurm.tools import closed

CLIENT = Path(__file__).with_name("pmi_client.py")


@pytest.fixture
def batch(cluster: Cluster, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{cluster.bin}:{os.environ['PATH']}", "SLURM_JOB_ID": f"7{os.getpid()}",
        "SLURM_JOB_NODELIST": "n[1-4]", "SLURM_NODELIST": "n[1-4]", "SLURM_NNODES": "4",
        "SLURM_JOB_CPUS_PER_NODE": "16(x4)", "SLURM_TASKS_PER_NODE": "1(x4)", "HOME": str(tmp_path),
        "SLURMD_NODENAME": "n1", **no_pmix(tmp_path / "none"),
    }  # fmt: skip


def srun(batch: dict[str, str], options: str, *client: str) -> tuple[list[str], str, int]:
    """Lines in the order of their ranks, what was said beside, the status."""
    done = subprocess.run(
        ["srun", *options.split(), sys.executable, str(CLIENT), *client],
        env=batch, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return sorted(lines, key=lambda line: int(line.split(":")[0])), done.stderr, done.returncode


def job(batch: dict[str, str]) -> str:
    return batch["SLURM_JOB_ID"]


@pytest.mark.parametrize("nodes", ["-N1 -n2", "-N2 -n2", "-N4 -n4"])
def test_pmi1_ranks_find_each_other(batch: dict[str, str], nodes: str) -> None:
    words = ("put,kvsname=x,key=k@,value=v@", "barrier_in", "get,kvsname=x,key=k1", "get,key=k7", "finalize")
    lines, said, status = srun(batch, f"--mpi=pmi2 {nodes}", "1", *words)
    count = int(nodes[-1])
    assert (said, status) == ("", 0)
    assert lines == [
        line
        for rank in range(count)
        for line in (
            f"{rank}: cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=1",
            f"{rank}: cmd=put_result rc=0",
            f"{rank}: cmd=barrier_out rc=0",
            f"{rank}: cmd=get_result rc=0 value=v1",
            f"{rank}: cmd=get_result rc=1",
            f"{rank}: cmd=finalize_ack rc=0",
        )
    ]


def test_pmi1_tells_of_the_step(batch: dict[str, str]) -> None:
    words = ("get_maxes", "get_universe_size", "get_appnum", "get_my_kvsname", "get,key=PMI_process_mapping")
    lines, said, status = srun(batch, "--mpi=pmi2 -N2 -n3", "1", *words)
    assert (said, status) == ("", 0)
    name = lines[4].rpartition(".")[2]
    assert lines[1:6] == [
        "0: cmd=maxes rc=0 kvsname_max=256 keylen_max=64 vallen_max=1024",
        "0: cmd=universe_size rc=0 size=3",
        "0: cmd=appnum rc=0 appnum=-1",
        f"0: cmd=my_kvsname rc=0 kvsname={job(batch)}.{name}",
        "0: cmd=get_result rc=0 value=(vector,(0,1,2),(1,1,1))",
    ]


@pytest.mark.parametrize("nodes", ["-N1 -n2", "-N2 -n2", "-N4 -n8"])
def test_pmi2_ranks_find_each_other(batch: dict[str, str], nodes: str) -> None:
    words = ("fullinit,pmijobid=1,pmirank=@,threaded=FALSE", "kvs-put,key=k@,value=a=@", "kvs-fence", "kvs-get,key=k1",
             "kvs-get,key=no", "finalize")  # fmt: skip
    lines, said, status = srun(batch, f"--mpi=pmi2 {nodes}", "2", *words)
    count = int(nodes[-1])
    assert (said, status) == ("", 0)
    more = f"size={count};appnum=-1;pmi-version=2;pmi-subversion=0;debugged=FALSE;pmiverbose=FALSE;"
    assert lines == [
        line
        for rank in range(count)
        for line in (
            f"{rank}: cmd=response_to_init rc=0 pmi_version=2 pmi_subversion=0",
            f"{rank}: cmd=fullinit-response;rc=0;rank={rank};{more}",
            f"{rank}: cmd=kvs-put-response;rc=0;",
            f"{rank}: cmd=kvs-fence-response;rc=0;",
            f"{rank}: cmd=kvs-get-response;rc=0;found=TRUE;value=a=1;",
            f"{rank}: cmd=kvs-get-response;rc=0;found=FALSE;",
            f"{rank}: cmd=finalize-response;rc=0;",
        )
    ]


def test_pmi2_attributes_of_job_and_node(batch: dict[str, str]) -> None:
    # What one machine's tasks say of it, another's do not see; who waits is answered when it is said.
    words = ("info-getjobattr,key=universeSize", "info-getjobattr,key=PMI_process_mapping", "info-getjobattr,key=none",
             "info-putnodeattr,key=node,value=@", "info-getnodeattr,key=node,wait=TRUE",
             "info-getnodeattr,key=other,wait=FALSE",
             "job-getid")  # fmt: skip
    lines, said, status = srun(batch, "--mpi=pmi2 -N2 -n2", "2", *words)
    assert (said, status) == ("", 0)
    answers = [line.partition(";")[2] for line in lines if line[0] == "1"][1:]
    assert answers[:6] == [
        "rc=0;found=TRUE;value=2;",
        "rc=0;found=TRUE;value=(vector,(0,2,1));",
        "rc=0;found=FALSE;",
        "rc=0;",
        "rc=0;found=TRUE;value=1;",
        "rc=0;found=FALSE;",
    ]
    assert answers[6].startswith(f"rc=0;jobid={job(batch)}.")


def test_who_waits_for_an_attribute_is_answered_when_it_comes(batch: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "each").write_text(
        f"0 {sys.executable} {CLIENT} 2 info-getnodeattr,key=late,wait=TRUE\n"
        f"1 {sys.executable} {CLIENT} 2 info-putnodeattr,key=late,value=here\n"
    )
    done = subprocess.run(
        ["srun", "--mpi=pmi2", "-N1", "-n2", "--multi-prog", str(tmp_path / "each")],
        env=batch, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "0: cmd=info-getnodeattr-response;rc=0;found=TRUE;value=here;\n" in done.stdout
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("options", "mapping"),
    [
        ("-N4 -n4", "(vector,(0,4,1))"),
        ("-N2 -n4 -m cyclic", "(vector,(0,2,1),(0,2,1))"),
        ("-N2 -n6 -m plane=2", "(vector,(0,2,2),(0,1,2))"),
        ("-N3 -n7", "(vector,(0,1,3),(1,2,2))"),
        ("-N1 -n1 -w n3", "(vector,(0,1,1))"),
    ],
)
def test_mapping_of_ranks(batch: dict[str, str], options: str, mapping: str) -> None:
    lines, _, status = srun(batch, f"--mpi=pmi2 {options}", "1", "get,key=PMI_process_mapping")
    assert status == 0
    assert {line.partition("value=")[2] for line in lines[1::2]} == {mapping}


@pytest.mark.parametrize("nodes", ["-N1 -n2", "-N2 -n2"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_abort_ends_the_step(batch: dict[str, str], nodes: str, version: str, tmp_path: Path) -> None:
    python = f"{sys.executable} {CLIENT} {version}"
    abort = "abort" if version == "1" else "abort,isworld=TRUE,msg=x"
    (tmp_path / "each").write_text(f"0 {python} stay\n1 {python} {abort}\n")
    done = subprocess.run(
        ["srun", "--mpi=pmi2", *nodes.split(), "--multi-prog", str(tmp_path / "each")],
        env=batch, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Job step aborted" in done.stderr
    assert done.returncode == 128 + 9


@pytest.mark.parametrize(
    ("version", "word"), [("1", "mcmd=spawn,nprocs=2,endcmd"), ("2", "spawn,ncmds=1"), ("1", "nonsense")]
)
def test_what_is_not_served_is_told(batch: dict[str, str], version: str, word: str) -> None:
    lines, said, _ = srun(batch, "--mpi=pmi2 -n1", version, word)
    kind = "nonsense" if word == "nonsense" else "spawn"
    assert f"slurmstepd-n1: error: mpi/pmi2: {kind} is not served here\n" in said
    answer = f"{kind}-response;rc=1;errmsg=not_served;" if version == "2" else f"{kind}_result rc=1 errmsg=not_served"
    assert lines[1:] == [f"0: cmd={answer}"]


def test_ports_are_found_by_their_names(batch: dict[str, str]) -> None:
    # A name is one for all machines of the step.
    words = ("publish_name,service=a@,port=tag#@$x", "barrier_in", "lookup_name,service=a1", "lookup_name,service=no",
             "barrier_in", "unpublish_name,service=a@", "unpublish_name,service=a@")  # fmt: skip
    lines, said, status = srun(batch, "--mpi=pmi2 -N2 -n2", "1", *words)
    assert (said, status) == ("", 0)
    assert [line.removeprefix("0: cmd=") for line in lines if line[0] == "0"][1:] == [
        "publish_result info=ok",
        "barrier_out rc=0",
        "lookup_result info=ok port=tag#1$x",
        "lookup_result info=fail",
        "barrier_out rc=0",
        "unpublish_result info=ok",
        "unpublish_result info=fail",
    ]
    lines, _, status = srun(batch, "--mpi=pmi2 -N1 -n1", "2", "name-publish,name=b,port=p", "name-lookup,name=b")
    assert status == 0
    assert lines[-1] == "0: cmd=name-lookup-response;rc=0;value=p;"


def test_large_values_in_a_fence(batch: dict[str, str]) -> None:
    words = [f"put,key=k@x{number},value={'v' * 900}" for number in range(60)]
    lines, said, status = srun(batch, "--mpi=pmi2 -N4 -n16", "1", *words, "barrier_in", "get,key=k15x59")
    assert (said, status) == ("", 0)
    assert {line.partition(": ")[2] for line in lines if "get_result" in line} == {
        f"cmd=get_result rc=0 value={'v' * 900}"
    }


def test_types_of_mpi(batch: dict[str, str]) -> None:
    def ask(*words: str, **more: str) -> tuple[str, str, int]:
        done = subprocess.run(
            ["srun", *words], env={**batch, **more}, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout, done.stderr, done.returncode

    assert ask("--mpi=list") == ("MPI plugin types are...\n\tnone\n\tpmi2\n", "", 0)
    for kind in ("pmix_v1", "pmixx", "foo"):
        assert ask(f"--mpi={kind}", "-n1", "true") == (
            "",
            f"srun: error: Invalid MPI type '{kind}', --mpi=list for acceptable types\n",
            1,
        )
        assert ask("-N1", "true", SLURM_MPI_TYPE=kind)[2] == 1
    for kind in ("none", "openmpi"):
        assert ask(f"--mpi={kind}", "-N1", "sh", "-c", "env | grep MPI || :") == ("", "", 0)
    shown = ask("-n1", "sh", "-c", "echo $PMI_RANK $PMI_SIZE $PMI_JOBID $SLURM_MPI_TYPE", SLURM_MPI_TYPE="pmi2")[0]
    assert shown.startswith(f"0 1 {job(batch)}.")
    assert shown.endswith(" pmi2\n")


def test_without_the_server_its_type_is_refused(batch: dict[str, str], tmp_path: Path) -> None:
    where = install(tmp_path / "bin", closed({"srun", "mpi"}))
    env = {**batch, "PATH": f"{where}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "n1"}
    done = subprocess.run(["srun", "--mpi=pmi2", "true"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SLURM_MPI_TYPE=pmi2" in done.stderr
    assert subprocess.run(["srun", "--mpi=none", "true"], env=env, check=False).returncode == 0
