"""Containers without `command`, where words are known only on the machine: they go behind what the image starts."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

import flowc
from flowc.ir.job import Job
from flowc.source import Source
from tests.frontends.k8s.lowering import GPU, ids, one, secret
from tests.frontends.k8s.manifests import job

IP = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
URL = {"name": "URL", "value": "http://$(IP)"}
OWN = "'sh' '-c' 'printf \"<%s>\" \"$URL\" \"$@\"' 'it'\\''s $HOME' "


def said(found: Job, rank: int = 0, own: str = OWN) -> str:
    facts = {"private_ip": "10.0.0.7", "rank": str(rank), "ips": "10.0.0.1\n10.0.0.2\n10.0.0.3"}
    facts |= {"head_ip": "10.0.0.1", "entrypoint": own, "entrypoint_command": f"{own}'of the image' "}
    env = {**dict(found.env), **{name: facts[fact] for name, fact in found.env_facts}, "PATH": "/usr/bin:/bin"}
    env |= dict.fromkeys(found.secrets, "s3 cret")
    return subprocess.run(found.run.argv, env=env, capture_output=True, text=True, check=True).stdout


def test_arguments_go_behind_the_entrypoint() -> None:
    found = one(job(container={"args": ["--ip=$(IP)", "a '\"$x"], "env": [IP, URL]}))
    assert dict(found.env_facts)["FLOWC_ENTRYPOINT"] == "entrypoint"
    assert said(found) == "<http://10.0.0.7><--ip=10.0.0.7><a '\"$x>"


def test_without_arguments_the_images_command_goes_behind_it() -> None:
    document = job(container={"env": [IP, URL]})
    found = one(document)
    assert said(found) == "<http://10.0.0.7><of the image>"
    assert ids(document) == ["FC341"]


def test_a_secret_in_the_arguments_of_an_image() -> None:
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    found = one(job(container={"args": ["--token", "$(TOKEN)"], "env": [token]}), secret("s", k="x"))
    assert said(found) == "<><--token><s3 cret>"


def test_names_that_no_shell_takes_stand_before_the_entrypoint() -> None:
    env = [IP, {"name": "my.url", "value": "http://$(IP)"}]
    found = one(job(container={"args": ["x"], "env": env}))
    assert "my.url=http://10.0.0.7" in said(found, own="'env' '-u' ").splitlines()


def test_an_image_that_starts_nothing_fails() -> None:
    found = one(job(container={"env": [IP, URL]}))
    env = {"IP": "10.0.0.7", "FLOWC_ENTRYPOINT_COMMAND": "", "PATH": "/usr/bin:/bin"}
    assert subprocess.run(found.run.argv, env=env, check=False).returncode == 127


def tf(**roles: dict[str, Any]) -> dict[str, Any]:
    specs = {
        role: {"template": {"spec": {"containers": [{"name": "tensorflow", "image": "t:1", **each}]}}}
        for role, each in roles.items()
    }
    metadata = {"name": "t"}
    return {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "metadata": metadata, "spec": {"tfReplicaSpecs": specs}}


def test_the_parts_of_a_tfjob_are_told_apart_whatever_their_image_starts() -> None:
    found = one(tf(PS={}, Worker={}))
    own = "'sh' '-c' 'echo \"$TF_CONFIG\"' "
    told = [json.loads(said(found, rank, own))["task"] for rank in range(2)]
    assert sorted((each["type"], each["index"]) for each in told) == [("ps", 0), ("worker", 0)]


def test_one_part_says_a_command_and_the_other_leaves_it_to_the_image() -> None:
    found = one(tf(PS={"args": ["b"]}, Worker={"command": ["echo", "a"]}))
    assert sorted(said(found, rank).strip() for rank in range(2)) == ["<><b>", "a"]


@pytest.mark.parametrize(("args", "parts"), [(["$(IP)"], 1), ([], 2)])
def test_the_machine_asks_the_image(args: list[str], parts: int) -> None:
    document = job({"backoffLimit": 0}, container={"args": args, "env": [IP, URL], "image": "i:1", **GPU})
    result = flowc.compile(Source("job.yaml", json.dumps(document)), emit="script")
    (line,) = [
        each for each in result.artifacts[0].text.splitlines() if "docker image inspect -f" in each and "-e " in each
    ]
    place = line.index("docker image inspect")
    words = subprocess.run(
        ["sh", "-c", f'docker() {{ printf "%s\\n" "$4" "$5"; }}; {line[place : line.rindex(")")]}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    each = """{{range .Config.%s}}'{{join (split . "'") "'\\"'\\"'"}}' {{end}}"""
    assert words == ["".join(each % name for name in ("Entrypoint", "Cmd")[:parts]), "i:1"]
