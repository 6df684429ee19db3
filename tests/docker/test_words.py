"""The words of `run_options`, held against docker's own parser."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from flowc import check
from flowc._compiled.docker_options import FLAGS, SHORT, VALUED

pytestmark = pytest.mark.docker

NEWER = {"annotation", "health-start-interval", "quiet", "use-api-socket"}  # than docker 20.10
VALUES = {
    **{"integer": ["5", "-5", "0x9", "x", "1.5", ""], "natural": ["5", "-5", "x"], "text": []},
    **{"decimal": ["1", "0.5", ".5", "1/2", "1e1", "x"], "duration": ["3s", "1m30s", "0", "3", "3x"]},
    **{"size": ["64g", "64gb", "1.5G", "8 g", "64GiB", "64q", "x", "", "-1"], "swap": ["-1", "64g", "x"]},
}
CLUSTERS = (
    *("-it", "-itd", "-itz", "-z", "-i=true", "-i=yes", "-d=", "-itv/a:/b", "-itv /a:/b", "-P=0", "-e=A=b", "-eA=b"),
    *("-h=x", "-mx", "-m=1g", "-c", "--=x", "---x", "--Init", "--ini", "-v", "-iv", "--rm=false"),
)
TASK = "resources: {accelerators: H100:1, image_id: 'docker:ubuntu:24.04'}\nrun: x\nconfig: {docker: {run_options: %s}}"
# How flowc speaks of words that docker itself does not take.
SYNTAX = ("docker has no such option", "its value is missing", " is not ", "it is no option")


def test_docker_reads_them_as_we_do(docker: Any) -> None:
    """Its client alone, with no daemon: it complains of the words or of the daemon."""
    words = [f"--{name}={value}" for name, kind in VALUED.items() for value in VALUES[kind] if name not in NEWER]
    words += [f"--{name}={value}" for name in FLAGS if name not in {*NEWER, "help"} for value in ("F", "1", "yes")]
    words = [*map(shlex.quote, words), *(f"-{letter}" for letter in SHORT if letter != "q"), *CLUSTERS]
    # A value that is missing is asked for behind the last word.
    lines = [f"docker -H tcp://127.0.0.1:9 run {each} 2>&1 </dev/null | tr '\\n' ' '; echo" for each in words]
    answers = docker.run("\n".join(lines)).stdout.splitlines()
    wrong = []
    for each, answer in zip(words, answers, strict=True):
        by_docker = "Cannot connect" in answer or "requires at least" in answer
        found = check(TASK % json.dumps(each), path="job.yaml").diagnostics
        messages = [every.message for every in found if every.code.id == "FC043"]
        if by_docker == any(sign in message for message in messages for sign in SYNTAX):
            wrong.append((each, answer, messages))
    assert wrong == []


# What a daemon takes and what it refuses, of each form of value; the files of `--env-file` are refused for their sake.
TAKEN = (
    *("-v /a", "-v :/a", "-v /a:/b:ro,z", "-v /a:/b:Z", "-v /a:/b:rshared", "-v /a:/b:cached", "-v cache:/b"),
    *("-v /a:/b -v /a:/b", "--tmpfs /b --tmpfs /b:size=1g"),
    *("--mount type=bind,src=/etc,dst=/x,ro", "--mount type=volume,dst=/x", "--mount type=tmpfs,dst=/x,tmpfs-size=1g"),
    *("--gpus all,capabilities=utility", "--gpus '\"device=0,1\"'", "--gpus '\"capabilities=utility\",count=1'"),
    *("--ulimit memlock=-1:-1", "--ulimit nofile=1024:2048", "--ulimit nofile=-1", "--device /dev/null:/dev/x:rwm"),
    *("--add-host a:1.2.3.4", "--add-host a:host-gateway", "--add-host a:::1", "-e 'A B=c'", "--dns ::1"),
    *("--ipc none", "--ipc private", "--ipc ''", "--pid host", "--pid ''", "--uts host", "--userns host"),
    *("--cgroupns private", "--cgroupns host", "--stop-signal 9", "--stop-signal sigterm", "--stop-signal RTMIN+1"),
    *("--security-opt no-new-privileges:true", "--security-opt seccomp=unconfined", "--security-opt label=disable"),
    *("--security-opt systempaths=unconfined", "--security-opt apparmor:unconfined", "--cap-add all", "--cap-drop ALL"),
    *("--cap-add CAP_SYS_ADMIN", "--cap-add sys_admin", "--tmpfs /x", "--tmpfs /x:size=1g,mode=1777", "--memory 6m"),
    *("--log-driver local --log-opt max-size=10m", "--platform linux/amd64", "--platform linux", "--platform amd64"),
    *("--oom-score-adj 500", "--sysctl kernel.shmmax=1", "--sysctl fs.mqueue.msg_max=10", "--user 1000:1000"),
    *("--user ''", "--workdir ''", "--device-cgroup-rule 'c *:* rwm'", "--cgroup-parent a.slice", "--expose 1-5/tcp"),
    *("--no-healthcheck=false --health-cmd a", "--memory-swap -1", "--label a", "--memory-swappiness 60"),
)
NOT_TAKEN = (
    *("-v /a:/b:rx", "-v a:b:ro", "-v /a:b", "-v /a:/b:ro,rw", "-v /a:/b:ro:x", "-v /a:/", "-v 'a b:/c'", "-v -x:/c"),
    *("-v /a:/b:nocopy", "-v /a::/b", "-v /a:/b -v /c:/b", "-v /a:/b --mount type=bind,src=/etc,dst=/b", "--mount x"),
    *("--tmpfs /b -v /a:/b", "--mount type=tmpfs,dst=/b -v /a:/b"),
    *("--mount type=bind,src=/a", "--mount type=x,dst=/a", "--mount src=/a,dst=/x", "--mount type=bind,src=a,dst=/x"),
    *("--mount type=tmpfs,dst=/x,tmpfs-size=q", "--mount type=bind,dst=/x,src=/etc,foo=1", "--mount ''"),
    *("--mount type=bind,dst=/x,src=/etc,readonly=maybe", "--mount type=tmpfs,dst=/x,src=/a"),
    *("--gpus x", "--gpus ''", "--gpus device=0,1", "--gpus count=2,device=1", "--gpus foo=1", "--device foo"),
    *("--ulimit nofile", "--ulimit nofile=x", "--ulimit foo=1", "--ulimit nofile=10:5", "--device /dev/null:/dev/x:q"),
    *("--add-host foo", "--add-host a:b", "--add-host :1.2.3.4", "-e ''", "-e =x", "-l ''", "--dns x", "--dns ''"),
    *("--ipc x", "--pid private", "--uts private", "--userns x", "--cgroupns x", "--stop-signal x", "--stop-signal 0"),
    *("--security-opt foo", "--security-opt a=b", "--security-opt seccomp=/none", "--cap-add X", "--cap-drop FOO"),
    *("--tmpfs x", "--tmpfs /x:foo", "--tmpfs /", "--memory 5m", "--memory 1", "--memory-swap 1g"),
    *("--memory-swappiness 200", "-l =x"),
    *("--log-driver x", "--log-driver json-file --log-opt max-size", "--platform x", "--oom-score-adj 1001"),
    *("--sysctl a", "--sysctl foo.bar=1", "--sysctl vm.swappiness=1", "--user -1", "--user 99999999999"),
    *("--workdir x", "--device-cgroup-rule x", "--cgroup-parent /x", "--expose x", "--cpus 1 --cpu-period 100000"),
    *("--health-cmd a --no-healthcheck", "--health-retries -1", "--blkio-weight-device foo", "--device-read-bps foo"),
    *("--device-read-iops /dev/null:x", "--network bridge --network host", "--network bridge -p abc"),
)


def test_values_are_refused_that_docker_refuses(docker: Any) -> None:
    image = docker.image("busybox:test")
    wrong = []
    for words, taken in [*((each, True) for each in TAKEN), *((each, False) for each in NOT_TAKEN)]:
        network = "" if "--network" in words else "--network host"
        done = docker.run(f"docker run --rm --label flowc --log-driver none {network} {words} {image} true </dev/null")
        found = [each.message for each in check(TASK % json.dumps(words), path="job.yaml").diagnostics]
        refused = [each for each in found if "cannot be an option" in each]
        if (done.returncode == 0) != taken or bool(refused) == taken:
            wrong.append((words, done.stderr, refused))
    assert wrong == []
