"""Container jobs on a real docker: what they are told, how they end, and that nothing of them is left."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.inputs import Inputs
from flowc.sdk.functions.call import RESULT, RETURNS

from .jobs import END, IMAGE, job, sh

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("echo hi", ("COMPLETED", 0, 0)),
        ("exit 3", ("FAILED", 3, 0)),
        ("kill -KILL $$; exit 1", ("FAILED", 1, 0)),
        ("no-such-program", ("FAILED", 127, 0)),
    ],
)
def test_it_ends_with_its_status(docker: Any, text: str, end: tuple[str, int, int]) -> None:
    assert docker.end(job(command=sh(text))) == end


def test_what_a_function_returns_is_on_the_machine(docker: Any) -> None:
    """The container itself is gone."""
    text = job(command=sh(f"echo given >{RESULT}.new && mv {RESULT}.new {RESULT}"))
    docker.start(text, inputs=Inputs(returns=RETURNS))
    assert (docker.wait()["exit_code"], docker.left(), docker.read(RESULT)) == (0, "", "given\n")


def test_a_container_that_is_killed_has_died_of_a_signal(docker: Any) -> None:
    docker.start(job(command=sh("echo up; sleep 60 & wait")))
    docker.wait_for("up")
    docker.run("docker kill flowc")
    found = docker.wait()
    assert (found["state"], found["exit_code"], found["signal"]) == ("FAILED", 137, 9)


def test_output_comes_once_and_is_kept_nowhere_else(docker: Any) -> None:
    docker.start(job(command=sh("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; sleep 3")))
    docker.wait_for("line 19999")
    assert docker.run("find /var/lib/docker/containers -name '*.log' -size +0").stdout == ""
    assert docker.wait()["state"] == "COMPLETED"
    assert docker.output().splitlines() == [f"line {number}" for number in range(20000)]


def test_the_time_limit_ends_what_ignores_term(docker: Any) -> None:
    text = job(
        job={"activeDeadlineSeconds": 6},
        pod={"terminationGracePeriodSeconds": 4},
        command=sh("trap '' TERM; echo up; while :; do sleep 1; done"),
    )
    assert docker.end(text) == ("TIMEOUT", 137, 9)
    assert docker.status()["used_s"] in range(9, 14)


def test_grace_is_shared_with_a_sidecar(docker: Any) -> None:
    side = {
        "name": "side",
        "image": IMAGE,
        "restartPolicy": "Always",
        "command": sh("trap '' TERM; while :; do sleep 1; done"),
    }
    text = job(
        job={"activeDeadlineSeconds": 6},
        pod={"terminationGracePeriodSeconds": 4, "initContainers": [side]},
        command=sh("trap '' TERM; while :; do sleep 1; done"),
    )
    docker.start(text)
    found = docker.wait()
    assert found["state"] == "TIMEOUT"
    assert found["end"] - found["start"] <= 13


def test_configuration_is_read_only(docker: Any) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "one\n"}}
    text = job(
        objects=[config],
        pod={"volumes": [{"name": "v", "configMap": {"name": "c"}}]},
        volumeMounts=[{"name": "v", "mountPath": "/conf"}],
        command=sh("cat /conf/a; echo two >/conf/a || echo refused"),
    )
    assert docker.end(text)[0] == "COMPLETED"
    # Docker gives output and errors on by two ways, in any order.
    assert {"one", "refused"} < set(docker.output().splitlines())


def test_a_file_of_a_secret_is_readable_by_its_group(docker: Any) -> None:
    secret = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"key": "open\n"}}
    text = job(
        objects=[secret],
        pod={
            "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
            "volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 0o400}}],
        },
        volumeMounts=[{"name": "v", "mountPath": "/conf"}],
        command=sh("cat /conf/key; id -G"),
    )
    assert docker.end(text)[0] == "COMPLETED", docker.output()
    assert docker.output() == "open\n1000 2000\n"


def test_any_user_reads_a_secret_and_of_two_sources_the_last_has_the_file(docker: Any) -> None:
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"key": "first", "own": "kept"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "x"}},
    ]
    sources = [{"configMap": {"name": "c"}}, {"secret": {"name": "s"}}]
    text = job(
        objects=objects,
        pod={
            "securityContext": {"runAsUser": 1000},
            "volumes": [{"name": "v", "projected": {"sources": sources}}],
        },
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        command=sh("cat /v/key /v/own"),
    )
    docker.start(text, secrets={"S_KEY": "open "})
    assert docker.wait()["state"] == "COMPLETED", docker.output()
    assert docker.output() == "open kept"


def test_what_is_to_run_before_a_stop_runs_before_that_of_a_failed_probe(docker: Any) -> None:
    text = job(
        pod={"terminationGracePeriodSeconds": 5},
        livenessProbe={"exec": {"command": ["test", "-e", "/alive"]}, "periodSeconds": 1, "failureThreshold": 2},
        lifecycle={"preStop": {"exec": {"command": sh("echo told >/proc/1/fd/1")}}},
        command=sh("trap 'echo stopped; exit 7' TERM; : >/alive; echo up; sleep 2 & wait; rm /alive; sleep 60 & wait"),
    )
    assert docker.end(text) == ("FAILED", 7, 0)
    assert docker.output().splitlines() == [
        *("up", "flowc: the liveness probe failed 2 times in a row", "told", "stopped")
    ]


@pytest.mark.parametrize("how", ["shut_down", "cut_power"])
def test_it_begins_anew_after_the_machine_was_away(docker: Any, how: str) -> None:
    side = {
        "name": "side",
        "image": IMAGE,
        "restartPolicy": "Always",
        "command": sh(f"{END} while :; do sleep 1; done"),
    }
    text = job(
        pod={"initContainers": [side]},
        command=sh(f"{END} echo up; [ -e /again ] && exit 3; : >/again; sleep 40 & wait"),
    )
    docker.start(text)
    docker.wait_for("up")
    getattr(docker.machine, how)()
    docker.machine.boot()
    docker.wait_for("up\nup")
    assert docker.left().split() != []
    docker.run("systemctl stop flowc")
    assert docker.left() == ""


def test_a_restart_of_docker_is_an_interruption(docker: Any) -> None:
    docker.start(job(command=sh(f"{END} echo up; sleep 8 & wait")))
    docker.wait_for("up")
    docker.run("systemctl restart docker")
    found = docker.wait(seconds=90)
    assert (found["state"], found["starts"]) == ("COMPLETED", 2)
    assert docker.output().splitlines().count("up") == 2


STEP = """#!/bin/bash
#SBATCH --gres=gpu:h100:8
#SBATCH --time=10
#SBATCH -n 2
#SBATCH -o out
srun -n2 --container-image=busybox:test {words}sh -c 'echo in; {text}'
echo last
"""


def test_a_step_in_a_container_leaves_nothing(docker: Any) -> None:
    assert docker.end(STEP.format(words="", text="true"), path="job.sbatch") == ("COMPLETED", 0, 0)
    assert docker.output() == "in\nin\nlast\n"


def test_a_named_container_leaves_nothing(docker: Any) -> None:
    assert docker.end(STEP.format(words="--container-name=keep ", text="true"), path="job.sbatch")[0] == "COMPLETED"
    assert docker.output() == "in\nin\nlast\n"


@pytest.mark.parametrize("how", ["shut_down", "cut_power"])
def test_a_step_in_a_container_runs_again(docker: Any, how: str) -> None:
    text = STEP.format(words="--container-name=keep ", text='[ "$SLURM_RESTART_COUNT" ] || sleep 60')
    docker.start(text, path="job.sbatch")
    docker.wait_for("in\n")
    getattr(docker.machine, how)()
    docker.machine.boot()
    found = docker.wait()
    assert (found["state"], found["exit_code"]) == ("COMPLETED", 0), docker.output()
    assert docker.output().splitlines().count("in") == 4
    assert docker.left() == ""
