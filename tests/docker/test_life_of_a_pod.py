"""How a Pod lives on a real docker: order, restarts, limits and stops. Nothing of it is left at its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from .jobs import END, IMAGE, job, sh

pytestmark = pytest.mark.docker

IGNORES = "trap '' TERM; echo up; while :; do sleep 1; done"
HANDLES = "trap 'echo told; exit 0' TERM; echo up; sleep 60 & wait"
DIES = "echo up; exec sleep 60"  # the first process of a container does not hear TERM
LIMIT = {"activeDeadlineSeconds": 4}


def named(name: str, text: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": sh(text), **more}


def shared(*containers: dict[str, Any]) -> dict[str, Any]:
    """Fields of a Pod whose init containers write into one file, `/v/log`."""
    mounts = [{"name": "v", "mountPath": "/v"}]
    made = [{**each, "volumeMounts": mounts} for each in containers]
    return {"volumes": [{"name": "v", "emptyDir": {}}], "initContainers": made}


KEY = [{"key": "key", "path": "key"}]
MOUNTED: dict[str, Any] = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}


def test_init_containers_run_in_order_and_alone(docker: Any) -> None:
    pod = shared(
        named("a", "echo a >>/v/log; sleep 1; echo A >>/v/log"),
        named("b", "echo b >>/v/log; sleep 1; echo B >>/v/log"),
        named("side", f"{END} echo side >>/v/log; sleep 60 & wait", restartPolicy="Always"),
        named("c", "sleep 1; echo c >>/v/log"),
    )
    assert docker.end(job(pod=pod, command=sh("cat /v/log"), **MOUNTED)) == ("COMPLETED", 0, 0)
    assert docker.output().split() == ["a", "A", "b", "B", "side", "c"]


def test_init_containers_find_their_own_files(docker: Any) -> None:
    conf = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "one ", "b": "two "}}
    pod = shared(named("a", "cat /c/b /k/key >>/v/log; ls /conf >>/v/log 2>&1 || echo none >>/v/log"))
    pod["volumes"] += [
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "k", "secret": {"secretName": "s", "items": KEY}},
    ]
    pod["initContainers"][0]["volumeMounts"] = [
        *MOUNTED["volumeMounts"],
        {"name": "c", "mountPath": "/c/b", "subPath": "b"},
        {"name": "k", "mountPath": "/k"},
    ]
    mounts = [*MOUNTED["volumeMounts"], {"name": "c", "mountPath": "/conf"}]
    docker.start(
        job(pod=pod, objects=[conf], command=sh("cat /v/log /conf/a"), volumeMounts=mounts), secrets={"S_KEY": "key "}
    )
    assert docker.wait()["state"] == "COMPLETED", docker.output()
    assert docker.output().split() == [
        "two",
        "key",
        "ls:",
        "/conf:",
        "No",
        "such",
        "file",
        "or",
        "directory",
        "none",
        "one",
    ]


def test_what_fails_in_an_init_container_fails_the_job(docker: Any) -> None:
    pod = shared(named("a", "echo a; exit 6"), named("b", "echo b"))
    assert docker.end(job(pod=pod, command=sh("echo main"), **MOUNTED)) == ("FAILED", 6, 0)
    assert "main" not in docker.output()


def test_a_sidecar_that_ends_starts_again_and_ends_with_the_job(docker: Any) -> None:
    pod = shared(named("side", "echo side >>/v/log", restartPolicy="Always"))
    text = job(pod=pod, command=sh("until [ $(grep -c side /v/log) -ge 2 ]; do sleep 1; done; echo twice"), **MOUNTED)
    assert docker.end(text) == ("COMPLETED", 0, 0)
    assert docker.output() == "twice\n"


def test_what_a_sidecar_does_before_its_stop(docker: Any) -> None:
    stop = {"preStop": {"exec": {"command": sh("echo told >>/v/log")}}}
    side = named(
        "side", "trap 'echo stopped >>/v/log; echo last; exit' TERM; echo up >>/v/log; sleep 60 & wait", lifecycle=stop
    )
    pod = shared({**side, "restartPolicy": "Always"})
    text = job(pod=pod, command=sh("until grep -q up /v/log; do sleep 1; done; sleep 1"), **MOUNTED)
    assert docker.end(text) == ("COMPLETED", 0, 0)
    assert docker.run("cat /mnt/flowc/0/log").stdout.split() == ["up", "told", "stopped"]
    assert docker.read("/var/log/foundry/1.log") == "last\n"


@pytest.mark.long
@pytest.mark.parametrize(
    ("spec", "text", "end", "runs"),
    [
        ({"backoffLimit": 2}, "echo run; exit 5", ("FAILED", 5, 0), 3),
        ({"backoffLimit": 2}, "echo run; [ $(cat /v/log | wc -l) = 2 ]", ("COMPLETED", 0, 0), 2),
        ({"backoffLimit": 0}, "echo run; exit 5", ("FAILED", 5, 0), 1),
        (
            {
                "backoffLimit": 3,
                "podFailurePolicy": {
                    "rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]
                },
            },
            "echo run; [ $(cat /v/log | wc -l) = 2 ] && exit 42; exit 5",
            ("FAILED", 42, 0),
            2,
        ),
        (
            {
                "backoffLimit": 0,
                "podFailurePolicy": {
                    "rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [42]}}]
                },
            },
            "echo run; [ $(cat /v/log | wc -l) = 2 ] && exit 0; exit 42",
            ("COMPLETED", 0, 0),
            2,
        ),
    ],
)
def test_failures_that_count(
    docker: Any, spec: dict[str, Any], text: str, end: tuple[str, int, int], runs: int
) -> None:
    # A folder of the machine outlives the Pod.
    pod = {"volumes": [{"name": "v", "hostPath": {"path": "/srv/log", "type": "DirectoryOrCreate"}}]}
    docker.run("rm -rf /srv/log")
    quick = job(job=spec, pod=pod, command=sh(f"echo run >>/v/log; {text}"), **MOUNTED)
    assert docker.end(without_delays(docker, quick), seconds=90) == end
    assert docker.output().splitlines().count("run") == runs


def without_delays(docker: Any, text: str) -> str:
    """The machine's `sleep` is short for what a restart waits, 10 seconds and more."""
    docker.run("printf '#!/bin/sh\\n[ \"$1\" != 10 ] && [ \"$1\" != 20 ] || set -- 1\\nexec /bin/sleep \"$@\"\\n'"
               " >/usr/local/sbin/sleep; chmod 755 /usr/local/sbin/sleep")  # fmt: skip
    return text


def test_a_container_that_is_restarted_keeps_the_pods_folders(docker: Any) -> None:
    pod = {"restartPolicy": "OnFailure", "volumes": [{"name": "v", "emptyDir": {}}]}
    once = (
        "echo run >>/v/log; [ ! -e /own ] || echo old; touch /own; [ $(cat /v/log | wc -l) = 2 ] || exit 5; cat /v/log"
    )
    quick = job(job={"backoffLimit": 3}, pod=pod, command=sh(once), **MOUNTED)
    assert docker.end(without_delays(docker, quick)) == ("COMPLETED", 0, 0)
    assert docker.output().splitlines()[-2:] == ["run", "run"]
    assert "old" not in docker.output()


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "end"),
    [(HANDLES, ("TIMEOUT", 0, 0)), (IGNORES, ("TIMEOUT", 137, 9)), (DIES, ("TIMEOUT", 137, 9))],
    ids=["handles", "ignores", "hears-nothing"],
)
@pytest.mark.parametrize("phase", ["init", "main"])
def test_the_time_limit_in_every_phase(docker: Any, phase: str, text: str, end: tuple[str, int, int]) -> None:
    pod: dict[str, Any] = {"terminationGracePeriodSeconds": 2}
    if phase == "init":
        pod["initContainers"] = [named("first", text)]
    whole = job(job=LIMIT, pod=pod, command=sh("echo main" if phase == "init" else text))
    state, code, signal = docker.end(whole)
    assert state == "TIMEOUT"
    assert "main" not in docker.output()
    assert docker.status()["used_s"] <= 10
    if phase == "main":
        assert (state, code, signal) == end
    assert ("told" in docker.output()) == (text == HANDLES)


@pytest.mark.long
def test_the_time_limit_counts_all_starts(docker: Any) -> None:
    docker.start(job(job={"activeDeadlineSeconds": 12}, pod={"terminationGracePeriodSeconds": 1}, command=sh(IGNORES)))
    docker.wait_for("up")
    docker.run("sleep 5")
    docker.machine.shut_down()
    docker.machine.boot()
    found = docker.wait()
    assert (found["state"], found["starts"]) == ("TIMEOUT", 2)
    assert found["used_s"] in range(12, 17)


def test_what_is_done_before_a_stop_at_the_limit(docker: Any) -> None:
    stop = {"preStop": {"exec": {"command": sh("echo before >/proc/1/fd/1")}}}
    assert docker.end(job(job=LIMIT, lifecycle=stop, command=sh(HANDLES))) == ("TIMEOUT", 0, 0)
    assert docker.output() == "up\nbefore\ntold\n"


def test_sidecars_are_stopped_after_the_job_and_say_their_last(docker: Any) -> None:
    side = named("side", "trap 'echo side >>/v/log; echo last; exit' TERM; sleep 60 & wait", restartPolicy="Always")
    pod = {**shared(side), "terminationGracePeriodSeconds": 6}
    text = "trap 'sleep 2; echo main >>/v/log; exit 0' TERM; sleep 60 & wait"
    assert docker.end(job(job=LIMIT, pod=pod, command=sh(text), **MOUNTED)) == ("TIMEOUT", 0, 0)
    assert docker.run("cat /mnt/flowc/0/log").stdout.split() == ["main", "side"]
    assert docker.read("/var/log/foundry/1.log") == "last\n"


@pytest.mark.long
def test_a_signal_of_its_own_stops_it(docker: Any) -> None:
    text = "trap 'echo int; exit 4' INT; trap 'echo term; exit 5' TERM; echo up; while :; do sleep 1; done"
    found = docker.end(
        job(job=LIMIT, pod={"os": {"name": "linux"}}, lifecycle={"stopSignal": "SIGINT"}, command=sh(text))
    )
    assert found[:2] == ("TIMEOUT", 4), docker.output()
    assert docker.output() == "up\nint\n"


def test_a_stop_of_the_unit_is_told_to_the_container(docker: Any) -> None:
    docker.start(job(command=sh("trap 'echo told; exit 3' TERM; echo up; sleep 60 & wait")))
    docker.wait_for("up")
    docker.run("systemctl stop flowc")
    assert docker.status()["state"] == "PENDING"
    assert docker.output() == "up\ntold\n"
    assert docker.left() == ""


@pytest.mark.long
@pytest.mark.parametrize("how", ["shut_down", "cut_power"])
def test_the_machine_goes_away_while_an_init_container_runs(docker: Any, how: str) -> None:
    pod = shared(
        named("side", f"{END} sleep 60 & wait", restartPolicy="Always"),
        named("first", f"{END} echo first >>/v/log; [ $(cat /v/log | wc -l) = 2 ] || sleep 60 & wait"),
    )
    docker.start(job(pod=pod, command=sh("cat /v/log"), **MOUNTED))
    docker.run("until [ -s /mnt/flowc/0/log ]; do sleep 0.1; done")
    getattr(docker.machine, how)()
    docker.machine.boot()
    assert docker.wait()["state"] == "COMPLETED", docker.output()
    assert docker.output().splitlines()[-2:] == ["first", "first"]
    assert docker.left() == ""


def test_what_runs_on_in_the_background_ends_with_the_job(docker: Any) -> None:
    assert docker.end(job(command=sh("sleep 1234 & setsid sleep 1235 & sleep 1; echo out"))) == ("COMPLETED", 0, 0)
    assert docker.run("pgrep -f 'sleep 123[45]'").stdout == ""


def test_much_output(docker: Any) -> None:
    """24 MB on two ways at once: all of it arrives, and once. Counted are characters: docker hands on what each way has
    so far, so that a line of the one may stand within a line of the other."""
    text = 'i=0; while [ $i -lt 3000 ]; do echo "$i $LINE"; i=$((i+1)); done'
    line = "x" * 4000
    env = [{"name": "LINE", "value": line}]
    assert docker.end(job(env=env, command=sh(f"{text}; {{ {text}; }} >&2")))[0] == "COMPLETED"
    sent = Counter("".join(f"{i} {line}\n" for i in range(3000)) * 2)
    found = {c: int(docker.run(f"tr -cd '{c}' <{LOG} | wc -c").stdout) for c in "0123456789 x"}
    assert found == {c: sent[c] for c in found}
    assert int(docker.run(f"wc -c <{LOG}").stdout) == sent.total()


LOG = "/var/log/foundry/job.log"
