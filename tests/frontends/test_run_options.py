"""Which of docker's options a job may give its container: in Foundry's YAML and in SkyPilot's."""

from __future__ import annotations

import json

import pytest

from flowc import check, compile

FOUNDRY = """\
name: train
project_name: research
ssh_key_name: laptop
task_management: {priority: standard}
resources_specification: {fcp_instance: h100.8x.SXM5.IB}
container_image: {image_name: "ubuntu:24.04", run_options: %s}
version: 1.2
"""
SKYPILOT = """\
resources: {accelerators: H100:1, image_id: "docker:ubuntu:24.04"}
config: {docker: {run_options: %s}}
run: python3 train.py
"""
BOTH = pytest.mark.parametrize("text", [FOUNDRY, SKYPILOT], ids=["foundry", "skypilot"])


def told(text: str, options: str, code: str) -> list[str]:
    found = [each for each in check(text % json.dumps(options), path="job.yaml").diagnostics if each.code.id == code]
    assert all(each.span is not None for each in found)
    lines = {each.span.line for each in found if each.span is not None}
    assert lines <= {text.split("%s")[0].count("\n") + 1}
    return [each.message for each in found]


def script(text: str, options: object) -> str:
    found = compile(text % json.dumps(options), path="job.yaml")
    assert found.artifacts, found.diagnostics
    return next(each.text for each in found.artifacts if each.name.endswith("startup.plain.sh"))


@BOTH
@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ("--restart=always", "`--restart` cannot"),
        ("--restart on-failure:3", "`--restart` cannot"),
        ("--memmory=1g", "docker has no such option"),
        ("--Init", "docker has no such option"),
        ("--ini", "docker has no such option"),
        ("-z", "docker has no such option"),
        ("-itz", "`-z` cannot"),
        ("-d=", "`-=` cannot"),
        ("--=x", "`--` cannot"),
        ("--ipc", "its value is missing"),
        ("-v", "its value is missing"),
        ("-itv", "its value is missing"),
        ("--init ubuntu", "`ubuntu` cannot"),
        ("--init true", "`true` cannot"),
        ("--init -- --ipc=host", "`--` cannot"),
        ("-", "`-` cannot"),
        ("''", "`` cannot"),
        ("--init=yes", "`yes` is not `true` or `false`"),
        ("--shm-size=64q", "`64q` is not a size"),
        ("--memory ''", "`` is not a size"),
        ("--pids-limit many", "`many` is not a whole number"),
        ("--cpus=two", "`two` is not a number"),
        ("--health-timeout 3", "`3` is not a time"),
        ("--cidfile /tmp/id", "`--cidfile` cannot"),
        ("--help", "`--help` cannot"),
        ("--volumes-from data", "no other container"),
        ("--network container:db", "no other container"),
        ("--network=training", "has the networks"),
        ("--net name=training,alias=x", "has the networks"),
        ("--ip 10.0.0.2", "the machine has none"),
        ("--sysctl net.core.somaxconn=1024", "`--network bridge`"),
        ("--mac-address 92:d0:c6:0a:29:33", "`--network bridge`"),
        ("--log-opt max-size=1m", "`--log-driver`"),
        ("--log-driver none --log-opt max-size=1m", "`--log-driver`"),
        ("--runtime=runsc", "`runc` alone"),
        ("--pull=sometimes", "docker knows"),
        ("--stop-timeout=-1", "waited for"),
        ("--isolation hyperv", "Windows"),
        ("--cpu-count 2", "Windows"),
        ("--gpus device=0,1", "for a number of GPUs; write `--gpus '\"device=0,1\"'`"),
        ("--gpus x", "neither `all` nor a number"),
        ("--gpus ''", "its value is empty"),
        ("--gpus kind=h100", "no `kind` of GPUs"),
        ("--ulimit nofile", "`nofile` is not a limit"),
        ("--ulimit stack=64m", "`stack=64m` is not a limit"),
        ("--ulimit files=5", "is not a limit"),
        ("--ulimit nofile=10:5", "the soft limit 10 is above"),
        ("-v /a:/b:rx", "no mode `rx`"),
        ("-v /a:/b:ro,rw", "two things at once"),
        ("-v /a:/b:ro:z", "is not `SOURCE:/FOLDER`"),
        ("-v /a:b", "is not `SOURCE:/FOLDER`"),
        ("-v /a:/", "is not `SOURCE:/FOLDER`"),
        ("-v ./a:/b", "none of your files"),
        ("-v a:/b", "of two or more letters"),
        ("-v /a:/b -v /c:/b/", "`/b` is mounted by another option"),
        ("--tmpfs /b -v /a:/b", "`/b` is mounted by another option"),
        ("-v /a:/b:nocopy", "`nocopy` is for volumes"),
        ("--mount type=bind,src=/a,dst=/b,foo=1", "no `foo=1` in a mount"),
        ("--mount type=bind,src=/a", "`target` is missing"),
        ("--mount src=/a,dst=/b", "`type=bind` mounts a path"),
        ("--mount type=bind,src=a,dst=/b", "full path of something"),
        ("--mount type=nfs,dst=/b", "no mount of type `nfs`"),
        ("--mount type=tmpfs,dst=/b,tmpfs-size=q", "`q` is not a size"),
        ("--mount type=tmpfs,dst=/b,src=/a", "a tmpfs has no `source`"),
        ("--mount type=bind,src=/a,dst=/b,readonly=maybe", "`maybe` is not"),
        ("--tmpfs x", "is not a folder such as"),
        ("--tmpfs /x:size=lots", "is not a folder such as"),
        ("--device video0", "is not `/dev/NAME`"),
        ("--device /dev/fuse:/dev/fuse:q", "is not `/dev/NAME`"),
        ("--add-host db", "is not `NAME:ADDRESS`"),
        ("--dns resolver", "is not an address"),
        ("-e =x", "is not `NAME` or"),
        ("--env-file .env", "none of your files"),
        ("--label-file /etc/labels", "none of your files"),
        ("--ipc hots", "`hots` is none of host, none, private, shareable"),
        ("--pid private", "`private` is none of host"),
        ("--log-driver jsonfile", "is none of none, json-file"),
        ("--log-driver json-file --log-opt max-size", "is not `KEY=VALUE`"),
        ("--stop-signal EXIT", "is not a signal"),
        ("--platform linux/arm64", "the machines' own platform"),
        ("--cap-add SYS_DEBUG", "is not a capability"),
        ("--security-opt seccomp=./profile.json", "nor a profile that the machine has"),
        ("--sysctl vm.swappiness=1", "that a container can have"),
        ("-w work", "is not the full path"),
        ("-u 1000:1000:x", "is not `USER` or"),
        ("--oom-score-adj 2000", "it must be -1000 to 1000"),
        ("--memory 64", "less than the 6 MB"),
        ("--memory-swap 1g", "which is missing"),
        ("-m 4g --memory-swap 1g", "so it is not less"),
        ("-m 1g --memory-reservation 2g", "not more than `--memory`"),
        ("--cpus 2 --cpu-quota 50000", "the same in another way"),
        ("--cpus 0.001", "the least that docker gives"),
        ("--cpuset-cpus all", "is not a list of CPUs"),
        ("--health-cmd true --no-healthcheck", "contradicts `--health-cmd`"),
        ("--network host --net bridge", "another one is given before"),
        ("--network bridge -p web", "is not a port"),
        ("-e HOSTNAME=$(hostname)", "a shell of the machine would have to replace it"),
        ("-v $PWD:/code", "`$PWD` cannot be"),
    ],
)
def test_what_is_refused(text: str, options: str, refused: str) -> None:
    found = told(text, options, "FC043")
    assert len(found) == 1
    assert refused in found[0]


@BOTH
@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ("-d", ["-d"]),
        ("--detach", ["--detach"]),
        ("--detach=true", ["--detach"]),
        ("-it", ["-i", "-t"]),
        ("-itd", ["-i", "-t", "-d"]),
        ("-Pt", ["-P", "-t"]),
        ("--rm --name x", ["--rm", "--name"]),
        ("-a stdout --attach=stderr", ["-a", "--attach"]),
        ("--runtime=nvidia", ["--runtime"]),
        ("-p 8080:80", ["-p"]),
        ("--restart no", ["--restart"]),
        ("-q --sig-proxy=false --detach-keys ctrl-x", ["-q", "--sig-proxy", "--detach-keys"]),
    ],
)
def test_what_is_left_out(text: str, options: str, left_out: list[str]) -> None:
    assert [message.split("`")[1] for message in told(text, options, "FC044")] == left_out
    assert told(text, options, "FC043") == []
    assert script(text, options) == script(text, "").replace("  \\\n", " \\\n")


@BOTH
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--ipc=host --ipc host", "--ipc=host --ipc=host"),
        ("-v /a:/b -v/c:/d -v=/e:/f", "--volume=/a:/b --volume=/c:/d --volume=/e:/f"),
        ("--privileged=true --init", "--privileged --init"),
        ("--init=false", "--init=false"),
        ("-e A=-d --env B -eC=--rm", "--env=A=-d --env=B --env=C=--rm"),
        ("--shm-size 64gb --memory=1.5G -m '8 g'", "--shm-size=64gb --memory=1.5G '--memory=8 g'"),
        ("--add-host a:1.2.3.4 --hostname=-x", "--add-host=a:1.2.3.4 --hostname=-x"),
        ("-itv /a:/b", "--volume=/a:/b"),
        ("--dns-opt ndots:1 --ulimit memlock=-1", "--dns-option=ndots:1 --ulimit=memlock=-1"),
        ("--log-driver=json-file --log-opt max-size=1m", "--log-driver=json-file --log-opt=max-size=1m"),
        ("--health-timeout 1m30s --pids-limit=-1 --cpus .5", "--health-timeout=1m30s --pids-limit=-1 --cpus=.5"),
        ("--ulimit stack=67108864 --ulimit nofile=1024:-1", "--ulimit=stack=67108864 --ulimit=nofile=1024:-1"),
        ("--gpus '\"device=0,1\"' --init", "'--gpus=\"device=0,1\"' --init"),
        ("--gpus 'all,\"capabilities=compute,utility\"'", "'--gpus=all,\"capabilities=compute,utility\"'"),
        ("-v cache:/c:z,ro -v /d -v /e:/e:rslave", "--volume=cache:/c:z,ro --volume=/d --volume=/e:/e:rslave"),
        ("--mount type=tmpfs,target=/t,tmpfs-size=1g,readonly", "--mount=type=tmpfs,target=/t,tmpfs-size=1g,readonly"),
        ("--mount type=bind,src=/a,dst=/b,ro=true", "--mount=type=bind,src=/a,dst=/b,ro=true"),
        ("--tmpfs /x:rw,noexec,size=65536k --tmpfs /y", "--tmpfs=/x:rw,noexec,size=65536k --tmpfs=/y"),
        ("-v /a:/b -v /a:/b", "--volume=/a:/b --volume=/a:/b"),
        ("--device nvidia.com/gpu=all --device /dev/fuse", "--device=nvidia.com/gpu=all --device=/dev/fuse"),
        ("--add-host a:::1 --add-host b=host-gateway", "--add-host=a:::1 --add-host=b=host-gateway"),
        ("--cap-add=sys_ptrace --cap-drop ALL", "--cap-add=sys_ptrace --cap-drop=ALL"),
        ("--security-opt apparmor:unconfined", "--security-opt=apparmor:unconfined"),
        ("--stop-signal rtmin+3 --platform linux/amd64", "--stop-signal=rtmin+3 --platform=linux/amd64"),
        ('-v $HOME/a:/a -v ~/b:/b -w "${HOME}"', "--volume=/root/a:/a --volume=/root/b:/b --workdir=/root"),
        ("--health-cmd 'test -f $STATE'", "'--health-cmd=test -f $STATE'"),
    ],
)
def test_what_is_taken(text: str, options: str, words: str) -> None:
    assert told(text, options, "FC043") == []
    assert f" {words} " in script(text, options)


@BOTH
def test_lists_are_taken_item_by_item(text: str) -> None:
    assert " --volume=/a:/b --init " in script(text, ["-v=/a:/b", "--init"])


@BOTH
def test_a_network_of_its_own(text: str) -> None:
    found = script(text, "--net bridge -p 8080:80 --sysctl net.core.somaxconn=9")
    assert " --network=bridge --publish=8080:80 --sysctl=net.core.somaxconn=9 " in found
    assert "--network host" not in found


@BOTH
def test_gpus_are_asked_for_once(text: str) -> None:
    assert script(text, "--gpus device=0").count("--gpus") == 1


@BOTH
def test_pulls_and_the_grace_period_are_the_jobs(text: str) -> None:
    found = script(text, "--pull=always --stop-timeout 77")
    assert "docker image inspect ubuntu:24.04 >" not in found
    assert "docker stop -t 77 flowc" in found
    assert "--pull" not in found


def test_the_entrypoint_is_the_users_where_the_job_says_no_command() -> None:
    assert " --entrypoint=sh " in script(FOUNDRY, "--entrypoint sh")
    assert told(FOUNDRY, "--entrypoint sh", "FC044") == []
    assert len(told(SKYPILOT, "--entrypoint sh", "FC044")) == 1
    assert "--entrypoint=sh" not in script(SKYPILOT, "--entrypoint sh")
