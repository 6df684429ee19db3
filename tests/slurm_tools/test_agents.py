"""Nodes that are late, lost or lied to; what is left when srun dies; signals; the commands about the job."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest
from small import EVERYTHING, PATIENCE_S, PORT, Cluster, Start, install, lines, marked, run

from flowc.scripts.slurm.tools import closed

WAITS = "while :; do sleep 0.1; done"
LISTENS = f"trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM; echo up; {WAITS}"


def gone(mark: str) -> bool:
    """Whether no task is left, within a minute: each is a `sleep`, or the shell that runs it."""
    for _ in range(600):
        if not any(b"sleep" in read(entry / "cmdline") for entry in marked(mark)):
            return True
        time.sleep(0.1)
    return False


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_tasks_die_with_srun(batch: dict[str, str], start: Start, mark: str) -> None:
    srun = start("srun", "-n", "8", "sh", "-c", "echo up; sleep 300", env=batch)
    assert lines(srun, 8) == ["up"] * 8
    srun.kill()
    assert gone(mark)


def test_signals_reach_all(batch: dict[str, str], start: Start) -> None:
    srun = start("srun", "sh", "-c", LISTENS, env=batch)
    assert lines(srun, 4) == ["up"] * 4
    srun.send_signal(signal.SIGUSR1)
    assert lines(srun, 4) == ["usr1"] * 4
    srun.send_signal(signal.SIGTERM)
    srun.send_signal(signal.SIGCONT)
    out, err = srun.communicate(timeout=PATIENCE_S)
    assert out == "term\n" * 4, err
    assert srun.returncode == 7


def test_a_task_that_is_told_with_its_agent_is_heard(batch: dict[str, str], start: Start) -> None:
    """Systemd tells all processes of a machine that is shut down to end."""
    srun = start("srun", "-N1", "-n1", "sh", "-c", "trap 'echo saved; exit 3' TERM; echo $$ $PPID; " + WAITS, env=batch)
    for process in reversed(lines(srun, 1)[0].split()):
        os.kill(int(process), signal.SIGTERM)
    assert srun.communicate(timeout=PATIENCE_S)[0] == "saved\n"
    assert srun.returncode == 3


def test_a_task_that_the_machine_has_told_is_not_told_again_by_srun(batch: dict[str, str], start: Start) -> None:
    """Else its second signal would cut short what it does at the first."""
    program = f"trap 'echo told' TERM; trap 'echo end; exit 3' USR1; echo $$ $PPID; {WAITS}"
    srun = start("srun", "-N1", "-n1", "sh", "-c", program, env=batch)
    for process in reversed(lines(srun, 1)[0].split()):
        os.kill(int(process), signal.SIGTERM)
    assert lines(srun, 1) == ["told"]
    srun.terminate()
    time.sleep(0.5)
    srun.send_signal(signal.SIGUSR1)
    assert srun.communicate(timeout=PATIENCE_S)[0] == "end\n"
    assert srun.returncode == 3


@pytest.mark.parametrize("first", ["agent", "srun"])
def test_who_has_something_to_prepare_tells_the_tasks_once(
    batch: dict[str, str], tmp_path: Path, start: Start, first: str
) -> None:
    """There a machine that is shut down tells its agents alone."""
    (tmp_path / "run").write_text("the script\n")
    (tmp_path / "hosts").write_text("127.0.0.8 n1\n")
    where = install(tmp_path / "bin", EVERYTHING | {"prepared"})
    batch |= {"PATH": f"{where}:{os.environ['PATH']}", "SLURM_NNODES": "1"}
    assert start(where / "agent", "1", env=batch, stderr=None).communicate(timeout=PATIENCE_S)[0]
    program = f"trap 'echo told' TERM; trap 'echo end; exit 3' USR1; echo $PPID; {WAITS}"
    srun = start("srun", "-n1", "sh", "-c", program, env=batch)
    agent = int(lines(srun, 1)[0])
    for process in (agent, srun.pid) if first == "agent" else (srun.pid, agent):
        os.kill(process, signal.SIGTERM)
        time.sleep(0.5)
    srun.send_signal(signal.SIGUSR1)
    assert srun.communicate(timeout=PATIENCE_S)[0] == "told\nend\n"


@pytest.mark.parametrize("features", [set(), {"pipes"}], ids=["plain", "pipes"])
def test_no_signal_is_lost_while_tasks_start(tmp_path: Path, start: Start, features: set[str]) -> None:
    env = one_node(tmp_path, closed({"srun", *features})) | {"SLURM_NTASKS": "4", "SLURM_TASKS_PER_NODE": "4"}
    for _ in range(5):
        srun = start("srun", "sh", "-c", "echo up; exec sleep 300", env=env)
        assert lines(srun, 1) == ["up"]
        srun.terminate()
        srun.communicate(timeout=PATIENCE_S)
        assert srun.returncode == 143


def test_a_wrong_secret_is_refused(batch: dict[str, str], tmp_path: Path, start: Start) -> None:
    (tmp_path / "run").write_text("another script\n")
    (tmp_path / "nodes").write_text("n1 127.0.0.2\n")
    batch["PATH"] = f"{install(tmp_path / 'bin', EVERYTHING)}:{os.environ['PATH']}"
    srun = start("srun", "-N1", "-n1", "sleep", "0", env=batch)
    assert srun.stderr
    assert "waiting for the agent of n1" in srun.stderr.readline()


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


def test_a_late_agent(batch: dict[str, str], tmp_path: Path, start: Start) -> None:
    (tmp_path / "run").write_text("late\n")
    (tmp_path / "hosts").write_text("127.0.0.9 n1\n")
    (tmp_path / "nodes").write_text("n1 127.0.0.9\n")
    where = install(tmp_path / "bin", EVERYTHING)
    batch |= {"PATH": f"{where}:{os.environ['PATH']}", "SLURM_NNODES": "1"}
    srun = start("srun", "-l", "echo", "up", env=batch)
    time.sleep(1)
    agent = start(where / "agent", "1", env=batch, stderr=None)
    assert agent.communicate(timeout=PATIENCE_S)[0]
    assert srun.communicate(timeout=PATIENCE_S)[0] == "0: up\n"


def test_the_list_of_nodes(cluster: Cluster) -> None:
    assert cluster.node_list == "n[1-4]\n"
    assert (cluster.folder / "nodes").read_text().startswith("n1 127.0.0.2\nn2 127.0.0.3\n")


def test_a_lost_node_ends_the_step(batch: dict[str, str], start: Start, mark: str) -> None:
    srun = start("srun", "sh", "-c", "echo $PPID; sleep 300", env=batch)
    servers = lines(srun, 4)
    os.kill(int(servers[0]), signal.SIGKILL)
    _, err = srun.communicate(timeout=PATIENCE_S)
    assert srun.returncode == 1
    assert re.search("error: Node failure on n[1-4]", err)
    for entry in marked(mark):
        # The tasks of the server that was killed have nobody left: on a machine systemd ends them.
        if re.search(rb"PPid:\t(1|%s)\n" % servers[0].encode(), read(entry / "status")):
            with contextlib.suppress(OSError):
                os.killpg(os.getpgid(int(entry.name)), signal.SIGKILL)
    assert gone(mark)


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


def test_pipe_closed(batch: dict[str, str], mark: str) -> None:
    assert run(batch, "srun sh -c 'while :; do echo y; done; sleep 1' | head -n 1").stdout == "y\n"
    assert gone(mark)


def test_refusals(batch: dict[str, str]) -> None:
    for line in ("sbatch x.sh", "salloc -N1", "scontrol update x=y", "scancel 1", "scontrol show job 1"):
        result = run(batch, line)
        assert result.returncode == 1, line
        assert "error" in result.stderr, line


ENDS = [("scontrol requeue $SLURM_JOB_ID", "requeue"), ("scancel $SLURM_JOB_ID", "cancel")]


@pytest.mark.parametrize("where", ["", "srun -N1 -n1 -w n3 "], ids=["here", "on-another-node"])
@pytest.mark.parametrize(("line", "word"), ENDS, ids=["requeue", "cancel"])
def test_life(cluster: Cluster, batch: dict[str, str], start: Start, line: str, word: str, where: str) -> None:
    end = cluster.folder / "flowc.end"
    end.unlink(missing_ok=True)
    body = start("bash", "-c", f"export FLOWC_BODY=$$; {where}{line}; sleep 50; echo survived", env=batch)
    assert body.communicate(timeout=PATIENCE_S)[0] == ""
    assert end.read_text() == word


@pytest.mark.parametrize(("line", "word"), ENDS, ids=["requeue", "cancel"])
def test_a_body_is_told_once(cluster: Cluster, batch: dict[str, str], start: Start, line: str, word: str) -> None:
    end = cluster.folder / "flowc.end"
    end.unlink(missing_ok=True)
    text = f"export FLOWC_BODY=$$; trap 'echo told; {line}; exit 7' TERM; {line}; sleep 50 & wait"
    body = start("bash", "-c", text, env=batch)
    assert body.communicate(timeout=PATIENCE_S)[0] == "told\n"
    assert (body.returncode, end.read_text()) == (7, word)


def test_a_body_that_ignores_term_is_killed(tmp_path: Path, start: Start) -> None:
    env = one_node(tmp_path, closed({"scancel"}))
    program = tmp_path / "bin" / "scancel"
    program.write_text(program.read_text().replace("((),30)", "((),1)"))
    body = start("bash", "-c", f"trap '' TERM; FLOWC_BODY=$$ scancel 77 | cat; echo goes on; {WAITS}", env=env)
    assert body.communicate(timeout=PATIENCE_S)[0] == "goes on\n"
    assert body.returncode == -9


def test_no_requeue(tmp_path: Path) -> None:
    env = one_node(tmp_path, closed({"no_requeue", "scontrol_job"})) | {"SLURMD_NODENAME": "me"}
    result = run(env, "scontrol requeue 77")
    assert (result.returncode, result.stderr) == (1, "Requested operation is presently disabled for job 77\n")
    assert " Requeue=0 " in run(env, "scontrol show job -o 77").stdout


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


@pytest.mark.parametrize("caller", ["n1", "n2"])
def test_scancel_of_a_step_that_another_machine_started(batch: dict[str, str], start: Start, caller: str) -> None:
    batch["SLURM_JOB_ID"] += "8" + caller[1:]
    step = start(
        "srun", "-N1", "-n1", "-w", "n1", "sh", "-c", "echo up; exec sleep 100", env=batch | {"SLURMD_NODENAME": "n2"}
    )
    assert lines(step, 1) == ["up"]
    found = run(batch | {"SLURMD_NODENAME": caller}, "scancel $SLURM_JOB_ID.0")
    assert (found.returncode, found.stderr) == (0, "")
    assert step.wait(timeout=PATIENCE_S) == 143
    assert run(batch | {"SLURMD_NODENAME": caller}, "scancel $SLURM_JOB_ID.1").returncode == 225


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


@pytest.mark.parametrize("words", ["-W x", "-i nowhere"])
def test_what_is_wrong_is_said_before_a_task_runs(batch: dict[str, str], tmp_path: Path, words: str) -> None:
    result = run(batch, f"cd {tmp_path}; srun {words} -n2 sh -c ': >ran'; code=$?; sleep 1; exit $code")
    assert (result.returncode, result.stdout) == (1, "")
    assert not (tmp_path / "ran").exists()


def one_node(tmp_path: Path, features: set[str]) -> dict[str, str]:
    return {
        "PATH": f"{install(tmp_path / 'bin', features)}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "77",
        "SLURM_JOB_NODELIST": "me",
        "SLURM_NODELIST": "me",
        "SLURM_JOB_CPUS_PER_NODE": "4",
    }


def test_srun_killed_on_one_node(tmp_path: Path, start: Start, mark: str) -> None:
    env = one_node(tmp_path, closed({"srun"})) | {"SLURM_NTASKS": "2", "SLURM_TASKS_PER_NODE": "2"}
    srun = start("srun", "sh", "-c", "echo up; exec sleep 300", env=env)
    assert lines(srun, 1) == ["up"]
    srun.kill()
    assert gone(mark)


def test_children_of_the_shell_that_became_srun(tmp_path: Path) -> None:
    env = one_node(tmp_path, closed({"srun"})) | {"SLURM_TASKS_PER_NODE": "1"}
    result = run(env, "exit 5 & sleep 0.5 & exec srun sh -c 'sleep 1; exit 3'")
    assert (result.returncode, result.stderr) == (3, "srun: error: me: task 0: Exited with exit code 3\n")


def test_more_files_than_a_program_usually_opens(batch: dict[str, str], tmp_path: Path) -> None:
    result = run(batch, f"cd {tmp_path}; ulimit -Sn 300; srun -O -n 200 -o %t.out -e %t.err echo up")
    assert (result.returncode, result.stderr) == (0, "")
    assert [path.read_text() for path in tmp_path.glob("*.out")] == ["up\n"] * 200


def test_a_variable_without_a_name(batch: dict[str, str]) -> None:
    result = run(batch, "srun -N1 -n1 --export=ALL,=x,A=b sh -c 'echo $A; exit 3'")
    assert (result.returncode, result.stdout) == (3, "b\n")


def test_pipes_on_one_node(tmp_path: Path, start: Start, mark: str) -> None:
    """The pipes of one node: labels, input, input closed, srun killed."""
    env = one_node(tmp_path, EVERYTHING - {"several_nodes", "agent", "rsh", "relay", "prepared"})
    assert sorted(run(env, "echo a | srun -n 3 -l cat").stdout.split("\n")) == ["", "0: a", "1: a", "2: a"]
    assert sorted(run(env, "srun -n2 -l sh -c 'cat; echo b' <&-").stdout.split("\n")) == ["", "0: b", "1: b"]
    srun = start("srun", "-n2", "sh", "-c", "echo up; sleep 300", env=env)
    assert lines(srun, 1) == ["up"]
    srun.kill()
    assert gone(mark)


def test_a_step_that_ignores_term_is_killed_after_scancel(tmp_path: Path, start: Start) -> None:
    env = one_node(tmp_path, closed({"srun", "scancel"})) | {"SLURM_NTASKS": "1", "SLURM_TASKS_PER_NODE": "1"}
    program = tmp_path / "bin" / "srun"
    program.write_text(program.read_text().replace("alarm(30)", "alarm(1)"))
    srun = start("srun", "sh", "-c", f"trap '' TERM; echo up; {WAITS}", env=env)
    assert lines(srun, 1) == ["up"]
    assert run(env, "scancel 77.0").returncode == 0
    srun.communicate(timeout=PATIENCE_S)
    assert srun.returncode == 137
