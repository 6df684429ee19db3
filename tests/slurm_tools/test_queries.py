"""squeue, sacct, sinfo and scancel on one node: which options pick out the own job, and which are refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from small import install

from flowc.scripts.slurm.tools import closed

Run = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each program with no more than it needs, in a folder of its own."""
    top = tmp_path_factory.mktemp("queries")
    for name in ("squeue", "sacct", "sinfo", "scancel"):
        install(top / name / "bin", closed({name, "picks"}))
    return top


def run(folder: Path, line: str, **more: str) -> Run:
    name = line.split()[0]
    env = {
        "PATH": f"{folder / name / 'bin'}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "77",
        "SLURM_JOB_NAME": "train",
        "SLURM_JOB_USER": "root",
        "SLURM_JOB_NODELIST": "n1",
        "SLURMD_NODENAME": "n1",
    }
    return subprocess.run(["bash", "-c", line], env=env | more, capture_output=True, text=True, timeout=60)


PICKS = {
    "": True,
    "-s R": True,
    "-s r,CD": True,
    "--state=PENDING": False,
    "-u root": True,
    "--user other": False,
    "--uid=0": True,
    "--name=train": True,
    "--name other": False,
    "-j 77": True,
    "-j 77.batch": True,
    "-j 1,2": False,
    "-A nobody": False,
    "-r nosuch": False,
    "-N n1": True,
    "-X --allusers -S now-1days --duplicates": True,
}


@pytest.mark.parametrize("options", PICKS)
def test_sacct_picks(folder: Path, options: str) -> None:
    result = run(folder, f"sacct -nP -o jobname {options}")
    assert (result.stdout, result.returncode) == ("train\n" * PICKS[options], 0), result.stderr


def test_sacct_forms(folder: Path) -> None:
    assert run(folder, "sacct -P --delimiter=, -o JobID,State").stdout == "JobID,State\n77,RUNNING\n"
    assert run(folder, "sacct -np -o JobID,State").stdout == "77|RUNNING|\n"
    assert run(folder, "sacct --brief").stdout.split()[:3] == ["JobID", "State", "ExitCode"]
    assert run(folder, "sacct -n --format=jobname%6,jobid%-5,maxvmsize%3").stdout == " train 77        \n"
    assert run(folder, "sacct", SACCT_FORMAT="State").stdout.split() == ["State", "----------", "RUNNING"]
    assert (
        run(folder, "sacct -nXP -o jobid,jobidraw", SLURM_ARRAY_JOB_ID="70", SLURM_ARRAY_TASK_ID="3").stdout
        == "70_3|77\n"
    )
    assert (
        run(folder, "sacct -P -o ConsumedEnergy,elap,time,JobID").stdout.split("\n")[0]
        == "ConsumedEnergy|Elapsed|Timelimit|JobID"
    )
    for width in ("²", "x", "--5", "-"):
        assert "Invalid field" in run(folder, f"sacct -o jobid%{width}").stderr


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("squeue --bogus", 1, "squeue: unrecognized option '--bogus'\n"),
        ("squeue -hZ", 1, "squeue: invalid option -- 'Z'\n"),
        ("squeue -t", 1, "squeue: option '-t' is ambiguous, or its argument is wrong\n"),
        ("squeue --j=1 --me=2", 1, "squeue: option '--me=2' is ambiguous, or its argument is wrong\n"),
        ("squeue --n", 1, "squeue: option '--n' is ambiguous, or its argument is wrong\n"),
        ("squeue 77", 1, "squeue: error: Unrecognized option: 77\n"),
        ("squeue -O nothing", 1, "squeue: error: Invalid job format specification: nothing\n"),
        ("squeue -w n9", 1, "squeue: error: Invalid node name n9\n"),
        ("sacct --bogus", 1, "sacct: unrecognized option '--bogus'\n"),
        ("sinfo -Q", 1, "sinfo: invalid option -- 'Q'\n"),
        ("scancel -u me", 1, "scancel: invalid option -- 'u'\n"),
        ("scancel -s ² 77", 1, "Unknown job signal: ²\n"),
        ("scancel -s 99 77", 1, "Unknown job signal: 99\n"),
        ("scancel -s '' 77", 1, "Unknown job signal: \n"),
        ("scancel 77 -s NOPE", 1, "Unknown job signal: NOPE\n"),
        ("scancel -f", 1, "scancel: error: No job identification provided\n"),
        ("scancel -Qv", 1, "scancel: error: No job identification provided\n"),
        ("scancel 77.²", 1, "scancel: error: Invalid job id 77.²\n"),
    ],
)
def test_refused(folder: Path, line: str, status: int, said: str) -> None:
    result = run(folder, line)
    assert (result.returncode, result.stdout, result.stderr) == (status, "", said)


@pytest.mark.parametrize(
    ("options", "reached"),
    [("--full", "child\nshell\n"), ("-f", "child\nshell\n"), ("-b", "shell\n"), ("--batch", "shell\n")],
)
def test_scancel_reaches_the_shell_or_all(folder: Path, tmp_path: Path, options: str, reached: str) -> None:
    log = tmp_path / "log"
    body = f"""
export FLOWC_BODY=$$
bash -c 'trap "echo child >> {log}; exit" USR1; echo > {log}.ready; for i in $(seq 80); do sleep 0.1; done' &
trap 'echo shell >> {log}' USR1
until [ -e {log}.ready ]; do sleep 0.1; done
setsid scancel {options} --signal USR1 77
{"wait; wait" if "f" in options else "sleep 1; kill %1"}
"""
    env = os.environ | {
        "PATH": f"{folder / 'scancel' / 'bin'}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "77",
    }
    subprocess.run(["bash", "-c", body], env=env, timeout=60, start_new_session=True, capture_output=True)
    assert "".join(sorted(log.read_text().splitlines(keepends=True))) == reached


# Every column of squeue and sacct, and all that scontrol says of the job.
TELLS = {
    "squeue": "squeue -ho %i,%A,%F,%K,%j,%T,%t,%l,%e,%S,%D,%N,%R,%u,%U,%P,%a,%C,%B,%Z,%q,%o,%V",
    "sacct": "sacct -nP -o JobID,JobIDRaw,JobName,User,UID,GID,Group,Account,QOS,Partition,Cluster,State,ExitCode,"
    "DerivedExitCode,Timelimit,TimelimitRaw,Submit,Start,End,NodeList,NNodes,AllocNodes,NCPUS,AllocCPUS,NTasks,WorkDir,"
    "MaxRSS,ReqMem",
    "scontrol": "scontrol show job 77 | grep -v RunTime",
}


@pytest.mark.parametrize("name", TELLS)
def test_each_alone_tells_what_it_tells_beside_the_others(tmp_path: Path, name: str) -> None:
    told = []
    for features in ({*TELLS}, {name}):
        place = tmp_path / str(len(told))
        install(place / name / "bin", closed({*features, "picks", "scontrol_job"} if name == "scontrol" else features))
        more = {"SLURM_JOB_START_TIME": "1800000000", "SLURM_JOB_END_TIME": "1800003600", "FLOWC_COMMAND": "/a/b"}
        told.append(run(place, TELLS[name], **more))
    assert told[0].stdout == told[1].stdout
    assert not told[0].stderr
    assert not told[1].stderr
    assert "1800003600" not in told[0].stdout
    assert "2027" in told[0].stdout


def test_what_a_user_has_for_python_is_nothing_to_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "re.py").write_text("raise SystemExit('taken')")
    result = run(folder, "squeue -ho %j", PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere")
    assert (result.stdout, result.stderr) == ("train\n", "")
