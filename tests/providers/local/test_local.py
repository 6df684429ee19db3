"""Jobs on the local provider: an ordinary user's, without docker, with the startup scripts of real bids."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.machines.ordinary import until
from tests.providers.local.conftest import Here, requests


def script(body: str, *options: str) -> str:
    lines = [f"#SBATCH {option}" for option in ("--gpus-per-node=h100:8", "--output=/workspace/out", *options)]
    return "\n".join(["#!/bin/bash", *lines, body, ""])


def test_a_job_runs_to_its_end(here: Here) -> None:
    task = here.submit(script("echo hello; hostname; id -u"))
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "hello\njob\n0\n"
    assert here.call("get", task)["exit_status"] == 0
    assert [each["identity"] for each in here.call("list_tasks", limit=9)] == [task]
    here.is_gone()


def test_its_exit_status_is_the_jobs(here: Here) -> None:
    task = here.submit(script("exit 7"))
    ended = here.end(task)
    assert (ended["state"], ended["reason"]) == ("failed", "exit status 7")
    assert ended["exit_status"] == 7
    assert here.call("get", task) == ended


def test_steps_run_on_two_nodes(here: Here) -> None:
    task = here.submit(script("srun --mpi none hostname; scontrol show hostnames", "--nodes=2"))
    assert here.end(task)["state"] == "completed"
    first, *rest = sorted(here.output(task).split())
    assert [first, *rest] == ["job-0", "job-0", "job-1", "job-1"]
    here.is_gone()


def test_nodes_of_a_format_without_a_head_run_each(here: Here) -> None:
    text = "name: j\ncommand: echo rank $FLOW_NODE_RANK on $(hostname)\ninstance_type: 8xh100\nnum_instances: 2\n"
    task = here.submit(text, path="task.yaml")
    assert here.end(task)["state"] == "completed"
    assert [here.output(task, node=node).split()[-1] for node in (0, 1)] == ["job-0", "job-1"]


def test_a_preempted_job_starts_again_from_its_disk(here: Here) -> None:
    body = (
        "[ ! -e mark ] || again=1; touch mark; echo start $SLURM_RESTART_COUNT; [ $again ] || sleep infinity; echo end"
    )
    task = here.submit(script(body, "--requeue"))
    here.until_it_says(task, "start\n")
    here.call("preempt", task, notice_s=0)
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nstart 1\nend\n"
    here.is_gone()


def test_a_job_that_must_not_start_twice_fails_when_preempted(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity", "--no-requeue"))
    here.until_it_says(task, "start")
    here.call("preempt", task, notice_s=0)
    ended = here.end(task)
    assert (ended["state"], "must not be started twice" in ended["reason"]) == ("failed", True)


def test_the_notice_of_a_preemption_is_the_jobs_signal(here: Here) -> None:
    body = "trap 'echo noticed; exit 0' USR1; echo start; while :; do sleep .1; done"
    task = here.submit(script(body, "--signal=B:USR1@60", "--time=60"))
    here.until_it_says(task, "start")
    here.call("preempt", task, notice_s=3600)
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nnoticed\n"


def test_a_job_requeues_itself(here: Here) -> None:
    body = (
        'echo start $SLURM_RESTART_COUNT; [ "$SLURM_RESTART_COUNT" ] || { scontrol requeue $SLURM_JOB_ID; sleep 99; }'
    )
    task = here.submit(script(body, "--requeue"))
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nstart 1\n"


def test_a_time_limit_ends_the_job(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity"), time="3s")
    ended = here.end(task)
    assert (ended["state"], ended["reason"]) == ("failed", "its time limit was up")
    here.is_gone()


def test_a_cancelled_job_leaves_nothing(here: Here) -> None:
    body = "setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo start; wait"
    task = here.submit(script(body, "--nodes=2"))
    here.until_it_says(task, "start")
    assert here.left()
    here.call("end", "bid", task)
    assert here.left() == []
    assert here.call("get", task)["state"] == "cancelled"
    here.call("end", "bid", task)
    assert here.call("get", task)["state"] == "cancelled"


def test_a_secret_reaches_the_job_alone(here: Here) -> None:
    here.secrets = {"TOKEN": "it's-a-secret-$x"}
    task = here.submit(
        script('echo ${#TOKEN}; [ "$TOKEN" = "it\'s-a-secret-\\$x" ] && echo same; sleep infinity'), secrets=("TOKEN",)
    )
    here.until_it_says(task, "same")
    lists = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [each for each in lists if b"a-secret-$x" in each]
    assert not [path for path in Path(here.folder).rglob("*") if path.is_file() and b"a-secret-$x" in path.read_bytes()]


def test_a_job_cannot_read_the_environment_of_whoever_submitted_it(here: Here) -> None:
    here.secrets = {"OTHER": "not for the job"}
    task = here.submit(script("cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c 'not for' || env | grep -c OTHER"))
    here.end(task)
    assert here.output(task).split()[-1] == "0"


def test_volumes_outlive_tasks(here: Here) -> None:
    for text in ("one", "two"):
        task = here.submit(script(f"echo {text} >>/data/log; cat /data/log"), mounts=("/data=volume://shared",))
        assert here.end(task)["state"] == "completed"
    assert here.output(task) == "one\ntwo\n"


def test_a_block_volume_is_a_disk_to_the_script(here: Here) -> None:
    text = (
        "name: j\ncommand: echo $1 >>/data/log && cat /data/log\ninstance_type: 8xh100\n"
        "volumes:\n- name: data\n  size_gb: 10\n  mount_path: /data\n  interface: block\n"
    )
    for word in ("one", "two"):
        task = here.submit(text.replace("$1", word), path="task.yaml")
        ended = here.end(task)
        assert ended["state"] == "completed", (ended, here.output(task))
    assert here.output(task) == "one\ntwo\n"


def test_several_block_volumes_are_told_apart(here: Here) -> None:
    """Two whose names begin with the same 20 characters, in either order."""
    """Two whose names begin with the same 20 characters, in either order."""
    names = ("checkpoints-of-the-long-run-a", "checkpoints-of-the-long-run-b")

    def text(order: tuple[str, ...], command: str) -> str:
        volumes = "".join(
            f"- name: {name}\n  size_gb: 10\n  mount_path: /{name[-1]}\n  interface: block\n" for name in order
        )
        return f"name: j\ncommand: {command}\ninstance_type: 8xh100\nvolumes:\n{volumes}"

    for order in (names, names[::-1]):
        task = here.submit(
            text(order, "for x in a b; do echo of $x >>/$x/word; done; cat /a/word /b/word"), path="t.yaml"
        )
        ended = here.end(task)
        assert ended["state"] == "completed", (ended, here.output(task))
    assert here.output(task) == "of a\nof a\nof b\nof b\n"


def test_gpus_are_shown(here: Here) -> None:
    body = (
        "nvidia-smi -L | wc -l; nvidia-smi --query-gpu=index,name,memory.total --format=csv | tail -n1;"
        "nvidia-smi --query-gpu=memory.total --format=csv,noheader,nounits -i 0; nvidia-smi | grep -c H100;"
        "nvidia-smi --query-gpu=nothing --format=csv; echo $? $CUDA_VISIBLE_DEVICES"
    )
    task = here.submit(script(body))
    here.end(task)
    assert here.output(task).splitlines() == [
        "8",
        "7, NVIDIA H100 80GB HBM3, 81559 MiB",
        "81559",
        "8",
        'Field "nothing" is not a valid field to query.',
        "2 0,1,2,3,4,5,6,7",
    ]


def test_what_a_job_writes_stays_in_its_machine(here: Here) -> None:
    paths = ("/etc/flowc-was-here", "/usr/local/bin/flowc-was-here", "/var/flowc-was-here", "/flowc-was-here")
    body = f"touch {' '.join(paths)} ~/flowc-was-here /tmp/flowc-was-here && echo $HOME"
    task = here.submit(script(body))
    here.end(task)
    assert here.output(task) == "/root\n"
    for path in (*paths, "/tmp/flowc-was-here", "/root/flowc-was-here"):
        assert not os.path.exists(path)
        assert os.path.exists(here.call("path", task, path))


def test_output_is_seen_while_the_job_runs(here: Here) -> None:
    body = "echo first; until [ -e /data/go ]; do sleep .05; done; echo second"
    task = here.submit(script(body), mounts=("/data=volume://shared",))
    following = here.process("logs", task, follow=True)
    assert following.stdout is not None
    assert following.stdout.readline() == "first\n"
    Path(here.folder, "volumes", "shared", "data", "go").touch()
    assert following.communicate(timeout=600)[0] == "second\n"


def test_one_key_is_one_task(here: Here) -> None:
    tasks = [here.submit(script("echo $RANDOM >>/data/log"), key="k", mounts=("/data=volume://v",)) for _ in range(3)]
    assert len(set(tasks)) == 1
    here.end(tasks[0])
    assert len(Path(here.folder, "volumes", "v", "data", "log").read_text().split()) == 1


def test_a_submission_goes_through_the_journal(here: Here) -> None:
    text = (
        "name: j\ncommand: echo $FLOW_TASK_ID >>/data/log; wc -l </data/log\ninstance_type: 8xh100\n"
        "volumes:\n- name: shared\n  size_gb: 10\n  mount_path: /data\n  interface: file\n"
    )
    document = requests(text, path="task.yaml")
    assert [request["path"] for request in document["requests"]] == ["/v2/volumes", "/v2/spot/bids"]
    (task,) = here.call("carry_out", document, "a1234567")
    here.made.append(task)
    assert here.end(task)["name"] == "j-a1234567"
    assert here.output(task) == "1\n"
    assert here.call("carry_out", document, "a1234567") == [task]


def test_a_task_is_found_by_its_name_also_when_it_has_ended(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity"), name="mine")
    assert [each["identity"] for each in here.call("find", "bid", "mine", {})] == [task]
    assert here.call("find", "bid", "other", {}) == []
    here.call("end", "bid", task)
    assert [each["identity"] for each in here.call("find", "bid", "mine", {})] == [task]


def test_the_death_of_the_supervisor_ends_the_machines(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity", "--nodes=2"))
    here.until_it_says(task, "start")
    os.kill(int(Path(here.folder, "tasks", task, "lock").read_text()), signal.SIGKILL)
    here.is_gone()
    ended = here.call("get", task)
    assert (ended["state"], "supervisor" in ended["reason"]) == ("failed", True)


def test_the_supervisor_ends_its_task_when_it_is_told_to_end(here: Here) -> None:
    task = here.submit(script("echo start; sleep infinity"))
    here.until_it_says(task, "start")
    os.kill(int(Path(here.folder, "tasks", task, "lock").read_text()), signal.SIGTERM)
    assert here.end(task)["state"] == "cancelled"
    here.is_gone()


@pytest.mark.slow
def test_a_task_is_cancelled_while_it_is_being_preempted(here: Here) -> None:
    task = here.submit(script("trap '' TERM; echo start; while :; do sleep .1; done"))
    here.until_it_says(task, "start")
    here.call("preempt", task, notice_s=0)
    here.call("end", "bid", task)
    assert here.call("get", task)["state"] == "cancelled"
    assert here.left() == []


def test_a_script_that_cannot_be_installed_fails_the_task(here: Here) -> None:
    body = {"name": "job", "launch_specification": {"startup_script": "#!/bin/sh\necho no room >&2\nexit 3\n"}}
    task = here.call("create", "bid", body, key="k")["identity"]
    ended = here.end(task)
    assert (ended["state"], ended["reason"]) == ("failed", "the startup script failed with status 3: no room")
    here.is_gone()


@pytest.mark.slow  # docker is looked for five times, ten seconds apart
def test_a_job_in_a_container_is_told_that_there_is_no_docker(here: Here) -> None:
    task = here.submit("name: j\ncommand: echo hi\nimage: ubuntu:22.04\ninstance_type: 8xh100\n", path="task.yaml")
    ended = here.end(task)
    assert (ended["state"], "docker" in ended["reason"]) == ("failed", True)


def test_files_of_a_machine_can_be_read_after_its_end(here: Here) -> None:
    task = here.submit(script("echo hello >/workspace/result"))
    here.end(task)
    assert here.call("read_text", task, "/workspace/result", 0) == "hello\n"
    assert here.call("read_text", task, "/workspace/result", 4) == "o\n"
    assert here.call("read_text", task, "/workspace/none", 0) is None


def test_jobs_run_where_there_can_be_no_overlays(here: Here) -> None:
    here.environment = {"NO_OVERLAYS": "1"}
    body = (
        "srun hostname | sort; touch /etc/flowc-was-here ~/x /workspace/x && echo x >/data/x; touch /usr/x || echo no"
    )
    task = here.submit(script(body, "--nodes=2"), mounts=("/data=volume://shared",))
    assert here.end(task)["state"] == "completed"
    said = here.output(task).splitlines()
    assert (said[:2], said[-1]) == (["job-0", "job-1"], "no")
    assert not os.path.exists("/etc/flowc-was-here")
    assert any("/usr is this computer's own" in each for each in here.call("get", task)["shared"])


def test_what_is_shared_is_said(here: Here) -> None:
    task = here.submit(script("true"))
    here.end(task)
    assert any("network" in each for each in here.call("get", task)["shared"])


@pytest.mark.parametrize(("method", "args"), [("get", ()), ("end", ("bid",)), ("preempt", ())])
def test_a_task_that_is_none_is_not_found(here: Here, method: str, args: tuple[str, ...]) -> None:
    assert here.call(method, *args, "task-none")["error"] == "NotFoundError"


def test_only_what_runs_can_be_preempted(here: Here) -> None:
    task = here.submit(script("true"))
    here.end(task)
    assert here.call("preempt", task)["error"] == "ConflictError"


def test_an_ended_task_can_be_removed(here: Here) -> None:
    task = here.submit(script("mkdir -m 0 /closed; mkdir /tmp/x"))
    here.end(task)
    here.is_gone()
    until(lambda: here.text("remove", task) == "null", "the end of the supervisor")
    assert not os.path.exists(f"{here.folder}/tasks/{task}")
    here.made.clear()
