"""Nodes that are late, lost or lied to; what is left when srun dies; signals; the commands about the job."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from small import EVERYTHING, PORT, Cluster, install

from flowc.startup.slurm_tools import closed

# Some of these wait for ever at times, which the ordinary suite must not.
pytestmark = pytest.mark.agents


@pytest.fixture
def batch(cluster: Cluster, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{cluster.bin}:{os.environ['PATH']}", "SLURM_JOB_ID": f"9{os.getpid()}",
        "SLURM_JOB_NODELIST": "n[1-4]", "SLURM_NODELIST": "n[1-4]", "SLURM_NNODES": "4",
        "SLURM_JOB_CPUS_PER_NODE": "16(x4)", "SLURM_TASKS_PER_NODE": "1(x4)", "HOME": str(tmp_path),
    }  # fmt: skip


LISTENS = "trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM; echo up; while :; do sleep 0.1; done"


def run(batch: dict[str, str], text: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", text], env=batch, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **more
    )


def end(srun: subprocess.Popen[bytes]) -> None:
    srun.kill()
    srun.communicate()


def alive(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and mark.encode() in (entry / "environ").read_bytes()
                and b"sleep" in (entry / "cmdline").read_bytes()
            ):
                found.append(entry.name)
        except OSError:
            pass
    return found


def gone(mark: str) -> bool:
    for _ in range(50):
        if not alive(mark):
            return True
        time.sleep(0.1)
    return False


def test_tasks_die_with_srun(batch: dict[str, str]) -> None:
    batch["MARK"] = f"mark-one-{os.getpid()}"
    srun = subprocess.Popen(
        ["srun", "-n", "8", "sh", "-c", "echo up; sleep 300"],
        env=batch,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    for _ in range(8):
        assert srun.stdout.readline() == b"up\n"
    end(srun)
    assert gone(f"MARK=mark-one-{os.getpid()}")


def test_signals_reach_all(batch: dict[str, str]) -> None:
    srun = subprocess.Popen(
        ["srun", "sh", "-c", LISTENS],
        env=batch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(4):
        assert srun.stdout.readline() == b"up\n"
    srun.send_signal(signal.SIGUSR1)
    for _ in range(4):
        assert srun.stdout.readline() == b"usr1\n"
    srun.send_signal(signal.SIGTERM)
    srun.send_signal(signal.SIGCONT)
    out, err = srun.communicate(timeout=20)
    assert out == b"term\n" * 4, err
    assert srun.returncode == 7


def test_a_wrong_secret_is_refused(batch: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "run").write_text("another script\n")
    (tmp_path / "nodes").write_text("n1 127.0.0.2\n")
    batch["PATH"] = f"{install(tmp_path / 'bin', EVERYTHING)}:{os.environ['PATH']}"
    srun = subprocess.Popen(["srun", "-N1", "-n1", "sleep", "0"], env=batch, stderr=subprocess.PIPE, text=True)
    assert srun.stderr
    line = srun.stderr.readline()
    end(srun)
    assert "waiting for the agent of n1" in line


def test_nothing_happens_without_the_secret(cluster: Cluster) -> None:
    with socket.create_connection(("127.0.0.2", PORT)) as peer:
        peer.sendall(b"\x00\x00\x00\x04junk" * 3)
        peer.settimeout(20)
        data = b""
        try:
            while chunk := peer.recv(9999):
                data += chunk
        except ConnectionResetError:
            pass
    # A question of 32 bytes and an answer of 32, framed, and the end.
    assert len(data) <= 72


def test_a_late_agent(batch: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "run").write_text("late\n")
    (tmp_path / "hosts").write_text("127.0.0.9 n1\n")
    (tmp_path / "nodes").write_text("n1 127.0.0.9\n")
    where = install(tmp_path / "bin", EVERYTHING)
    batch |= {"PATH": f"{where}:{os.environ['PATH']}", "SLURM_NNODES": "1"}
    srun = subprocess.Popen(["srun", "-l", "echo", "up"], env=batch, stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    agent = subprocess.Popen([where / "agent", "1"], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert agent.communicate()[0]
        assert srun.communicate(timeout=30)[0] == "0: up\n"
    finally:
        os.killpg(agent.pid, signal.SIGKILL)


def test_the_list_of_nodes(cluster: Cluster) -> None:
    assert cluster.node_list == "n[1-4]\n"
    assert (cluster.folder / "nodes").read_text().startswith("n1 127.0.0.2\nn2 127.0.0.3\n")


def test_a_lost_node_ends_the_step(batch: dict[str, str]) -> None:
    batch["MARK"] = f"mark-two-{os.getpid()}"
    srun = subprocess.Popen(
        ["srun", "sh", "-c", "echo $PPID; sleep 300"],
        env=batch,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    servers = [int(srun.stdout.readline()) for _ in range(4)]
    os.kill(servers[0], signal.SIGKILL)
    _, err = srun.communicate(timeout=20)
    assert srun.returncode == 1
    assert re.search("error: Node failure on n[1-4]", err)
    for entry in alive(f"MARK=mark-two-{os.getpid()}"):
        # The tasks of the server that was killed have nobody left: on a machine systemd ends them.
        try:
            if any(f"PPid:\t{parent}\n" in Path(f"/proc/{entry}/status").read_text() for parent in (servers[0], 1)):
                os.killpg(os.getpgid(int(entry)), signal.SIGKILL)
        except OSError:
            continue
    assert gone(f"MARK=mark-two-{os.getpid()}")


def test_no_zombies_and_many_tasks(batch: dict[str, str]) -> None:
    result = run(batch, "srun -O -n 400 sh -c 'echo $SLURM_PROCID'")
    assert sorted(map(int, result.stdout.split())) == list(range(400)), result.stderr


def test_order_within_a_task(batch: dict[str, str]) -> None:
    result = run(batch, "srun -n 4 -l seq 5000")
    for rank in range(4):
        assert [line[3:] for line in result.stdout.splitlines() if line[0] == str(rank)] == [
            str(i) for i in range(1, 5001)
        ]


def test_agent_rsh(batch: dict[str, str]) -> None:
    assert run(batch, "agent_rsh n3 'echo $SLURMD_NODENAME; exit 4'").stdout == "n3\n"
    assert run(batch, "agent_rsh 127.0.0.4 echo '$SLURMD_NODENAME'").stdout == "n3\n"


def test_pipe_closed(batch: dict[str, str]) -> None:
    batch["MARK"] = f"mark-three-{os.getpid()}"
    assert run(batch, "srun sh -c 'while :; do echo y; done; sleep 1' | head -n 1").stdout == "y\n"
    assert gone(f"MARK=mark-three-{os.getpid()}")


def test_refusals(batch: dict[str, str]) -> None:
    for line in ("sbatch x.sh", "salloc -N1", "scontrol update x=y", "scancel 1", "scontrol show job 1"):
        result = run(batch, line)
        assert result.returncode == 1, line
        assert "error" in result.stderr, line


def test_life(batch: dict[str, str], tmp_path: Path) -> None:
    end = Path("/run/flowc.end")
    for line, word in (("scontrol requeue $SLURM_JOB_ID", "requeue"), ("scancel $SLURM_JOB_ID", "cancel")):
        end.unlink(missing_ok=True)
        body = subprocess.Popen(
            ["bash", "-c", f"FLOWC_BODY=$$ {line}; sleep 20; echo survived"],
            env=batch,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert body.communicate(timeout=15)[0] == b""
        assert end.read_text() == word
    end.unlink()


def test_scancel_of_a_step(batch: dict[str, str]) -> None:
    batch["SLURM_JOB_ID"] += "7"
    result = run(batch, "srun sleep 100 & sleep 1; scancel $SLURM_JOB_ID.0; wait $!; echo $?")
    assert result.stdout == "143\n", result.stderr
    result = run(
        batch,
        "srun -n1 sh -c 'trap \"exit 5\" USR1; while :; do sleep 0.1; done' & "
        "sleep 1; scancel -s USR1 $SLURM_JOB_ID; wait $!; echo $?",
    )
    assert result.stdout == "5\n", result.stderr


def test_sacct_squeue_sinfo(batch: dict[str, str]) -> None:
    batch |= {
        "SLURM_JOB_START_TIME": str(int(time.time()) - 3700),
        "SLURM_JOB_END_TIME": str(int(time.time()) + 3500),
        "SLURM_JOB_NAME": "job",
    }
    job = batch["SLURM_JOB_ID"]
    assert (
        run(batch, "sacct -n -X -P -o JobID,State,ExitCode,JobName%30 -j $SLURM_JOB_ID").stdout
        == f"{job}|RUNNING|0:0|job\n"
    )
    assert run(batch, "sacct --format=jobid,elapsed").stdout.splitlines()[0].split() == ["JobID", "Elapsed"]
    assert run(batch, "squeue -h -j $SLURM_JOB_ID -o %l").stdout == "2:00:00\n"
    assert run(batch, "squeue --me").stdout.split()[:2] == ["JOBID", "PARTITION"]
    assert run(batch, "sinfo -N -h -o %N").stdout == "n1\nn2\nn3\nn4\n"
    assert run(batch, "sinfo -h -o '%D %T'").stdout == "4 allocated\n"
    assert "TimeLimit=02:00:00" in run(batch, "scontrol show job").stdout
    assert run(batch, "scontrol show node n2").stdout.startswith("NodeName=n2 ")


def test_time_limit_and_wait(batch: dict[str, str]) -> None:
    assert run(batch, "srun -t 0:01 -n1 sleep 30").returncode == 143
    assert run(batch, "srun -W 1 -n3 sh -c '[ $SLURM_PROCID = 1 ] && exit 5; exec sleep 30'").returncode == 137


def test_srun_killed_on_one_node(tmp_path: Path) -> None:
    bin_dir = install(tmp_path / "bin", closed({"srun"}))
    env = {
        "PATH": f"{bin_dir}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "78",
        "SLURM_JOB_NODELIST": "me",
        "SLURM_NTASKS": "2",
        "SLURM_TASKS_PER_NODE": "2",
        "MARK": f"mark-five-{os.getpid()}",
    }
    srun = subprocess.Popen(["srun", "sh", "-c", "echo up; exec sleep 300"], env=env, stdout=subprocess.PIPE)
    assert srun.stdout.readline() == b"up\n"
    end(srun)
    assert gone(f"MARK=mark-five-{os.getpid()}")


def test_pipes_on_one_node(tmp_path: Path) -> None:
    """The pipes of one node: srun killed, labels, input."""
    bin_dir = install(tmp_path / "bin", EVERYTHING - {"several_nodes", "agent", "rsh"})
    env = {
        "PATH": f"{bin_dir}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "77",
        "SLURM_JOB_NODELIST": "me",
        "SLURM_NODELIST": "me",
        "SLURM_JOB_CPUS_PER_NODE": "4",
        "MARK": f"mark-four-{os.getpid()}",
    }
    assert sorted(run(env, "echo a | srun -n 3 -l cat").stdout.split("\n")) == ["", "0: a", "1: a", "2: a"]
    srun = subprocess.Popen(["srun", "-n2", "sh", "-c", "echo up; sleep 300"], env=env, stdout=subprocess.PIPE)
    assert srun.stdout.readline() == b"up\n"
    end(srun)
    assert gone(f"MARK=mark-four-{os.getpid()}")
