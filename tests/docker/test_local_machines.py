"""Jobs on the local provider where a docker engine answers: their machines are containers of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.machines.ordinary import until
from tests.providers.local.test_local import script

from .local import DEBIAN, RESTART, USER, Inside, provider
from .machine import SOURCE, Machine

pytestmark = pytest.mark.docker
STARTS_TWICE = "[ ! -e mark ] || again=1; touch mark; echo start; [ $again ] || sleep infinity; echo end"


def test_a_job_runs_to_its_end_and_leaves_nothing(here: Inside) -> None:
    body = (
        "echo hello; hostname; id -u; touch /usr/flowc-was-here ~/here /workspace/here; nvidia-smi -L | wc -l; exit 3"
    )
    task = here.submit(script(body))
    ended = here.end(task)
    assert here.left() == []
    assert (ended["state"], ended["exit_status"]) == ("failed", 3)
    assert here.output(task) == "hello\njob\n0\n8\n"
    assert here.state(task)["kind"] == "docker"
    assert any("docker engine" in each for each in here.call("get", task)["shared"])
    assert here.call("read_text", task, "/workspace/here", 0) == ""
    assert here.sh(f"ls /usr/flowc-was-here 2>&1 || true; find {here.folder} ! -user {USER}").split("\n")[1:] == [""]
    until(lambda: here.text("remove", task) == "null", "the end of the supervisor")
    assert here.sh(f"ls {here.folder}/tasks") == ""
    here.made.clear()


def test_a_job_of_root_too(as_root: Inside) -> None:
    task = as_root.submit(script("echo hello"))
    assert as_root.end(task)["state"] == "completed"
    assert (as_root.output(task), as_root.state(task)["kind"]) == ("hello\n", "docker")


def test_steps_run_on_two_nodes(here: Inside) -> None:
    task = here.submit(script("srun --mpi none hostname; getent hosts job-1 | cut -c -3", "--nodes=2"))
    assert here.end(task)["state"] == "completed"
    *steps, address = here.output(task).split()
    assert (sorted(steps), address != "127") == (["job-0", "job-1"], True)


def test_a_preempted_job_starts_again_from_its_disk(here: Inside) -> None:
    body = f"cd /usr/local; srun --ntasks 2 hostname; {STARTS_TWICE}"
    task = here.submit(script(body, "--requeue", "--nodes=2"))
    here.until_it_says(task, "start\n")
    here.call("preempt", task, notice_s=0)
    assert here.end(task)["state"] == "completed"
    assert here.output(task).count("job-1\n") == 2
    assert [each for each in here.output(task).split() if "job" not in each] == ["start", "start", "end"]


def test_the_notice_of_a_preemption_is_the_jobs_signal(here: Inside) -> None:
    body = "trap 'echo noticed; exit 0' USR1; echo start; while :; do sleep .1; done"
    task = here.submit(script(body, "--signal=B:USR1@60", "--time=60"))
    here.until_it_says(task, "start")
    here.call("preempt", task, notice_s=3600)
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nnoticed\n"


def test_a_time_limit_ends_the_job(here: Inside) -> None:
    task = here.submit(script("echo start; sleep infinity"), time="3s")
    ended = here.end(task)
    assert (ended["state"], ended["reason"]) == ("failed", "its time limit was up")


def test_a_cancelled_job_leaves_nothing(here: Inside) -> None:
    body = "setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo start; wait"
    task = here.submit(script(body, "--nodes=2"))
    here.until_it_says(task, "start")
    assert len(here.left()) == 3  # and a network
    here.call("end", "bid", task)
    assert here.left() == []
    assert here.call("get", task)["state"] == "cancelled"


def test_output_is_seen_while_the_job_runs(here: Inside) -> None:
    body = "echo first; until [ -e /data/go ]; do sleep .05; done; echo second"
    task = here.submit(script(body), mounts=("/data=volume://shared",))
    following = here.process("logs", task, follow=True)
    assert following.stdout is not None
    assert following.stdout.readline() == "first\n"
    here.sh(f"touch {here.folder}/volumes/shared/data/go")
    assert following.communicate(timeout=120)[0] == "second\n"


def test_a_secret_is_in_memory_alone(here: Inside) -> None:
    here.secrets = {"TOKEN": "it's-a-secret-$x"}
    body = '[ "$TOKEN" = "it\'s-a-secret-\\$x" ] && echo same; sleep infinity'
    task = here.submit(script(body), secrets=("TOKEN",))
    here.until_it_says(task, "same")
    look = f"grep -rlF 'a-secret-$x' /var/lib/docker /var/lib/containerd {here.folder} || true; docker ps -q"
    (container,) = here.sh(look).split()
    assert "a-secret" not in here.sh(f"docker inspect {container}; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_volumes_outlive_tasks(here: Inside) -> None:
    text = (
        "name: j\ncommand: echo $1 >>/data/log && cat /data/log\ninstance_type: 8xh100\n"
        "volumes:\n- name: data\n  size_gb: 10\n  mount_path: /data\n  interface: block\n"
    )
    for word in ("one", "two"):
        task = here.submit(text.replace("$1", word), path="task.yaml")
        ended = here.end(task)
        assert ended["state"] == "completed", (ended, here.output(task))
    assert here.output(task) == "one\ntwo\n"
    for word in ("one", "two"):
        body = f"mountpoint -q /mnt/shared && echo {word} >>/data/log; cat /data/log"
        task = here.submit(script(body), mounts=("/data=volume://shared",))
        assert here.end(task)["state"] == "completed"
    assert here.output(task) == "one\ntwo\n"


def test_a_port_leads_to_another_one_inside(here: Inside) -> None:
    body = (
        "import socket\ns = socket.create_server(('127.0.0.1', 80))\nprint('up', flush=True)\n"
        "c, _ = s.accept()\nc.sendall(c.recv(9).upper())\nc.close()\n"
    )
    task = here.submit(script(f"python3 -c {json.dumps(body)}".replace("\\n", "\n")), ports=("8099:80",))
    here.until_it_says(task, "up")
    asks = "exec 3<>/dev/tcp/127.0.0.1/8099 && printf one >&3 && timeout 5 head -c 3 <&3"
    until(lambda: here.machine.run(asks).stdout == "ONE", "an answer through the port")
    assert here.end(task)["state"] == "completed"


def test_a_port_that_is_taken_here_fails_the_task(here: Inside) -> None:
    tasks = [here.submit(script("echo up; sleep infinity"), ports=("8098",)) for _ in range(2)]
    ended = here.end(tasks[1])
    assert (ended["state"], "8098" in ended["reason"]) == ("failed", True), ended


@pytest.mark.long
def test_a_restart_of_the_engine_interrupts_the_job(here: Inside) -> None:
    task = here.submit(script(f"cd /usr/local; srun hostname; {STARTS_TWICE}", "--requeue", "--nodes=2"))
    here.until_it_says(task, "start\n")
    here.sh(RESTART)
    ended = here.end(task)
    assert (ended["state"], here.state(task)["starts"]) == ("completed", 2), (ended, here.output(task))
    assert here.output(task).count("job-1\n") == 2


@pytest.mark.long
def test_a_restart_of_an_engine_that_lets_containers_live_does_too(here: Inside) -> None:
    """Nobody talks to the machine any more: it is ended before it is started again."""
    here.sh(f"mkdir -p /etc/docker; echo '{{\"live-restore\": true}}' >/etc/docker/daemon.json; {RESTART}")
    try:
        task = here.submit(script(f"cd /usr/local; {STARTS_TWICE}", "--requeue"))
        here.until_it_says(task, "start\n")
        here.sh(RESTART)
        ended = here.end(task)
        assert (ended["state"], here.output(task)) == ("completed", "start\nstart\nend\n"), ended
    finally:
        here.sh(f"rm /etc/docker/daemon.json; {RESTART}")


def test_a_container_that_is_killed_is_a_power_cut(here: Inside) -> None:
    task = here.submit(script(f"cd /usr/local; {STARTS_TWICE}", "--requeue"))
    here.until_it_says(task, "start\n")
    here.sh("docker kill $(docker ps -q)")
    assert here.end(task)["state"] == "completed"
    assert here.output(task) == "start\nstart\nend\n"


def test_the_death_of_the_supervisor_ends_the_machines(here: Inside) -> None:
    task = here.submit(script("echo start; sleep infinity", "--nodes=2"))
    here.until_it_says(task, "start")
    here.sh(f"kill -KILL {here.supervisor(task)}")
    until(lambda: here.sh("docker ps -q") == "", "the end of the containers")
    ended = here.call("get", task)
    assert (ended["state"], ended["reason"]) == ("failed", "its supervisor was killed")
    assert here.left() == []


def test_a_task_goes_on_after_a_start_of_this_computer(here: Inside) -> None:
    """Everything of it is killed at once, relays too."""
    task = here.submit(script(f"cd /usr/local; srun hostname; {STARTS_TWICE}", "--requeue", "--nodes=2"))
    here.until_it_says(task, "start\n")
    pid = here.supervisor(task)
    here.sh(f"kill -KILL {pid} $(cat /proc/{pid}/task/{pid}/children); docker kill $(docker ps -q) || true")
    state = here.state(task)
    here.machine.run(
        f"cat >{here.folder}/tasks/{task}/state.json", input=json.dumps({**state, "boot": "the one before"})
    )
    assert here.call("get", task)["state"] in ("pending", "provisioning")
    ended = here.end(task)
    assert (ended["state"], here.state(task)["kind"]) == ("completed", "docker"), (ended, here.output(task))
    assert here.output(task).count("job-1\n") == 2


NONE_TO_BE_HAD = "docker rmi -f $(docker images -q debian; docker images -q flowc-machine) >/dev/null"


@pytest.fixture
def without_debian(debian: Machine) -> Iterator[Inside]:
    """The provider of a user whose engine has no image that machines could be made of, and no network."""
    assert debian.run(NONE_TO_BE_HAD).returncode == 0
    yield from provider(debian, USER)
    assert debian.run(DEBIAN).returncode == 0


def test_without_an_image_and_a_network_machines_are_namespaces(without_debian: Inside) -> None:
    here = without_debian
    task = here.submit(script("echo hello; sleep infinity"))
    here.until_it_says(task, "hello")
    now = here.call("get", task)
    assert now["reason"].startswith(
        "docker is here, and is not used: the engine has no ubuntu:24.04 and cannot pull it"
    )
    assert now["reason"] in now["shared"]
    assert here.state(task)["kind"] == "namespaces"
    assert here.left() == []
    kind, why = here.call("kind")
    assert (kind.split()[0], "cannot pull it" in kind, why) == ("namespaces", True, "")
    here.environment = {"LOCAL_MACHINE": "docker"}
    other = here.submit(script("echo hello"))
    ended = here.end(other)
    assert (ended["state"], "docker is wanted, and cannot be used" in ended["reason"]) == ("failed", True)


def test_an_image_that_lacks_something_gets_it_once(here: Inside) -> None:
    """What stands for Debian's archive is an `apt-get` that has Python with it."""
    here.sh(
        "rm -rf /opt/bare && mkdir -p /opt/bare && cd /opt/bare"
        " && docker export $(docker create debian:12 true) | tar x"
        " && docker rm $(docker ps -aqf status=created) >/dev/null && mv usr/bin/python3 usr/bin/hidden"
        " && printf '#!/bin/sh\\n[ $2 = update ] || mv /usr/bin/hidden /usr/bin/python3\\n' >usr/bin/apt-get"
        " && chmod +x usr/bin/apt-get && tar c . | docker import - bare:test"
    )
    before = len(here.sh("docker images -q flowc-machine").split())
    here.environment = {"LOCAL_IMAGE": "bare:test"}
    for _ in range(2):
        task = here.submit(script("ls /usr/bin/hidden; type python3"))
        assert here.end(task)["state"] == "completed"
        assert here.output(task).splitlines()[-1] == "python3 is /usr/bin/python3"
    assert len(here.sh("docker images -q flowc-machine").split()) == before + 1
    assert "made of bare:test" in here.call("kind")[0]


def test_gpus_of_this_computer_are_the_jobs(here: Inside) -> None:
    """As far as this can be seen without one: the engine is asked for them, and gives none here."""
    here.sh("touch /dev/nvidiactl")
    try:
        task = here.submit(script("type nvidia-smi; sleep infinity"))
        here.until_it_says(task, "not found")
        (request,) = json.loads(here.sh("docker inspect -f '{{json .HostConfig.DeviceRequests}}' $(docker ps -q)"))
        assert (request["Count"], request["Capabilities"]) == (-1, [["gpu"]])
        assert any("its GPUs are this computer's own" in each for each in here.call("get", task)["shared"])
    finally:
        here.sh("rm /dev/nvidiactl")


def test_cancelling_does_not_wait_for_an_image(without_debian: Inside) -> None:
    here = without_debian
    here.sh(
        "printf '#!/bin/sh\\nsleep 600\\n' >/tmp/apt-get && chmod +x /tmp/apt-get && cd / &&"
        " c=$(docker create busybox:test true) && docker cp /tmp/apt-get $c:/bin/apt-get && docker commit $c slow:test"
        " && docker rm $c"
    )
    here.environment = {"LOCAL_IMAGE": "slow:test"}
    task = here.submit(script("echo hello"))
    until(lambda: here.left(), "a container that makes an image")
    here.call("end", "bid", task)
    assert here.call("get", task)["state"] == "cancelled"
    assert here.left() == []


def flowc(here: Inside, words: str) -> str:
    """What a command says; its folder is the user's home, its state is that of these tests."""
    environment = f"PATH=$PATH HOME=/home/{USER} XDG_STATE_HOME={here.folder}/state PYTHONPATH={SOURCE}"
    return here.sh(f"cd /home/{USER} && runuser -u {USER} -- env -i {environment} python3 -B -m flowc {words}")


def test_commands_say_and_choose_what_a_machine_is(here: Inside) -> None:
    run = 'run "echo hello; ls /.dockerenv" --provider local'
    assert flowc(here, f"{run} 2>/dev/null") == "hello\n/.dockerenv\n"
    (task,) = flowc(here, "list --provider local --all").splitlines()[1:]
    account = flowc(here, f"status {task.split()[0]}")
    assert "not kept apart: its machines are containers of this computer's docker engine" in account
    checks = json.loads(flowc(here, "doctor --provider local --format json"))["checks"]
    (local,) = [each for each in checks if each["what"] == "local"]
    assert local["text"] == "machines are containers of the docker engine /var/run/docker.sock, made of debian:12"
    apart = 'run "test -e /.dockerenv || echo apart" --provider local --local-machine namespaces 2>/dev/null'
    assert flowc(here, apart) == "apart\n"
    assert here.left() == []
