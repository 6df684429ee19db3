"""Jobs that have containers of their own, on the local provider where a docker engine answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.machines.ordinary import until
from tests.providers.local.test_local import script

from .jobs import END, IMAGE, job, sh
from .local import RESTART, Inside
from .test_pulls import OPEN, START

pytestmark = pytest.mark.docker
DEBIAN = "debian:12"


def test_it_runs_on_the_engine_and_leaves_nothing(here: Inside) -> None:
    here.secrets = {"TOKEN": "it's"}
    command = sh("echo in $(hostname) $TOKEN; nvidia-smi -L | wc -l; cat /etc/hosts | grep -c job; exit 3")
    reference = {"secretKeyRef": {"name": "s", "key": "TOKEN"}}
    task = here.submit(
        job(image=DEBIAN, command=command, env=[{"name": "TOKEN", "valueFrom": reference}]), path="j.yaml"
    )
    ended = here.end(task)
    assert here.left() == []
    assert (ended["state"], ended["exit_status"]) == ("failed", 3), (ended, here.output(task))
    assert here.output(task).splitlines()[-3:] == ["in job it's", "8", "1"]
    assert any("rights of root" in each for each in ended["shared"])


def test_containers_share_folders_and_files_of_the_machine(here: Inside) -> None:
    """Secrets too, which are in memory."""
    shared = {"name": "shared", "mountPath": "/shared"}
    first = {"name": "first", "image": IMAGE, "command": sh("echo shared >/shared/word"), "volumeMounts": [shared]}
    volumes: list[dict[str, Any]] = [
        {"name": "shared", "emptyDir": {}},
        {"name": "config", "configMap": {"name": "c"}},
        {"name": "secret", "secret": {"secretName": "s"}},
    ]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "not here"}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"word": "configured"}}
    text = job(
        objects=[config, secret],
        pod={"initContainers": [first], "volumes": volumes},
        command=sh("cat /shared/word /config/word; echo; wc -c </secret/key"),
        volumeMounts=[shared, {"name": "config", "mountPath": "/config"}, {"name": "secret", "mountPath": "/secret"}],
    )
    here.secrets = {"S_KEY": "hidden"}
    task = here.submit(text, path="j.yaml")
    ended = here.end(task)
    assert ended["state"] == "completed", (ended, here.output(task))
    assert here.output(task) == "shared\nconfigured\n6\n"


def test_it_starts_again_after_a_preemption_and_ends_when_it_is_cancelled(here: Inside) -> None:
    task = here.submit(job(command=sh(f"{END} echo start; sleep 600 & wait")), path="j.yaml")
    here.until_it_says(task, "start\n")
    here.call("preempt", task, notice_s=0)
    until(lambda: here.output(task).count("start\n") == 2, "the second start")
    here.call("end", "bid", task)
    assert here.call("get", task)["state"] == "cancelled"
    assert here.left() == []


def test_what_a_setup_leaves_is_gone_with_the_task(here: Inside) -> None:
    text = (
        f'resources: {{accelerators: H100:8, image_id: "docker:{DEBIAN}"}}\n'
        "setup: touch /kept; echo setup\nrun: ls /kept; exit 4\n"
    )
    task = here.submit(text.replace("docker:debian:12", "docker:setup:test"), path="sky.yaml")
    here.sh(f"docker tag {DEBIAN} setup:test")
    ended = here.end(task)
    assert (ended["exit_status"], here.output(task)) == (4, "setup\n/kept\n"), (ended, here.output(task))
    assert here.left() == []
    assert "flowc-task" not in here.sh("docker images --format '{{.Repository}}'; docker volume ls -q")


def test_a_script_has_docker_for_what_is_the_machines(here: Inside) -> None:
    here.sh("echo of-this-computer >/etc/flowc-here; docker run -d --name other busybox:test sleep 600")
    body = f"""\
cd /workspace && echo word >file && mkdir -p /srv/x && ln -sfn /srv/x link && echo linked >link/file
echo of-the-machine >/etc/flowc-machine
docker run --rm -v $PWD:/w -v $PWD/link:/l {IMAGE} cat /w/file /l/file
docker run --rm -v /etc:/e {IMAGE} sh -c 'cat /e/flowc-machine; ls /e/flowc-here 2>&1 | grep -c No'
ln -s / /usr/all && docker run --rm -v /usr/all:/a {IMAGE} ls /a 2>&1 | grep -o 'cannot have / '
ln -s /workspace /usr/mine && docker run --rm -v /usr/mine:/w {IMAGE} cat /w/file
docker run -d --name one -v vol:/v --network host {IMAGE} sh -c 'echo kept >/v/x; sleep 600' >/dev/null
docker ps --format '{{{{.Names}}}}'; docker inspect -f '{{{{.Name}}}}' one; docker volume ls -q
docker exec one hostname; docker rm -f one >/dev/null; docker run --rm -v vol:/v {IMAGE} cat /v/x
docker run --rm -v /var/run/docker.sock:/var/run/docker.sock {DEBIAN} test -S /var/run/docker.sock && echo socket
echo through stdin | docker run -i --rm {IMAGE} cat
docker run --rm --privileged {IMAGE} true 2>&1 | grep -o 'no privileged container'
docker run --rm -v /dev:/d {IMAGE} true 2>&1 | grep -o 'cannot have /dev'
docker run --rm --cap-add SYS_ADMIN {IMAGE} true 2>&1 | grep -o 'capability [A-Z_]*'
docker rm -f other 2>&1 | grep -o 'No such container: other'
docker rmi {IMAGE} 2>&1 | grep -o 'stay as they are'; docker image prune -af 2>&1 | grep -o 'stay as they are'
docker run -d --restart always {IMAGE} sleep 600 >/dev/null; docker ps -q | wc -l
"""
    task = here.submit(script(body))
    ended = here.end(task)
    assert ended["state"] == "completed", (ended, here.output(task))
    assert here.output(task).splitlines() == [
        *(
            "word",
            "linked",
            "of-the-machine",
            "1",
            "cannot have / ",
            "word",
            "one",
            "/one",
            "vol",
            "job",
            "kept",
            "socket",
            "through stdin",
        ),
        *("no privileged container", "cannot have /dev", "capability SYS_ADMIN", "No such container: other"),
        *("stay as they are", "stay as they are", "1"),
    ]
    assert here.left() == []
    assert here.sh("docker ps --format '{{.Names}}'") == "other\n"
    here.sh("docker rm -f other")


def test_what_is_left_of_one_that_was_killed_with_all_its_processes_goes_at_the_next_look(here: Inside) -> None:
    task = here.submit(job(command=sh(f"{END} echo start; sleep 600 & wait")), path="j.yaml")
    here.until_it_says(task, "start\n")
    pid = here.supervisor(task)
    here.sh(f"kill -KILL {pid} $(cat /proc/{pid}/task/{pid}/children)")
    until(lambda: here.call("get", task)["state"] == "failed", "the end that is noted")
    assert here.left() == []


@pytest.mark.long
def test_a_restart_of_the_engine_interrupts_it(here: Inside) -> None:
    task = here.submit(job(command=sh(f"{END} echo start; sleep 600 & wait")), path="j.yaml")
    here.until_it_says(task, "start\n")
    here.sh(RESTART)
    until(lambda: here.output(task).count("start\n") == 2, "the second start")
    assert here.call("get", task)["state"] == "running"
    here.call("end", "bid", task)
    assert here.left() == []


def test_those_of_several_machines_reach_each_other(here: Inside) -> None:
    command = (
        '[ "$JOB_COMPLETION_INDEX" = 0 ] || { echo from $(hostname) | nc -l -p 7000; exit; };'
        "until nc -w 5 job-1 7000 </dev/null; do sleep .5; done 2>/dev/null"
    )
    several = {"completions": 2, "parallelism": 2, "completionMode": "Indexed"}
    task = here.submit(job(job=several, command=sh(command)), path="j.yaml")
    ended = here.end(task)
    assert (ended["state"], here.output(task)) == ("completed", "from job-1\n"), (ended, here.output(task))
    assert here.left() == []


def test_its_image_is_pulled_by_the_engine(here: Inside) -> None:
    """It stays on the engine, as one that the user has pulled."""
    here.sh(f"{START}docker tag {IMAGE} {OPEN}/mine:1 && docker push -q {OPEN}/mine:1 && docker rmi {OPEN}/mine:1")
    task = here.submit(
        f"name: j\ncommand: echo pulled\nimage: {OPEN}/mine:1\ninstance_type: 8xh100\n", path="task.yaml"
    )
    ended = here.end(task)
    assert (ended["state"], here.output(task)) == ("completed", "pulled\n"), (ended, here.output(task))
    assert here.left() == []
    here.sh(f"docker rmi {OPEN}/mine:1")
