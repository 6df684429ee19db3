"""Pulls of images from registries of the machine's own: policies, failures, credentials."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .jobs import job, sh

pytestmark = pytest.mark.docker

OPEN, CLOSED = "localhost:5002", "localhost:5003"
START = """\
set -e
cd /opt && mkdir -p registry && cd registry
python3 -W ignore -c 'import crypt; print("me:" + crypt.crypt("pass word", crypt.METHOD_BLOWFISH))' >users
for port in 5002 5003; do
    {
        echo 'version: 0.1'
        echo "storage: {filesystem: {rootdirectory: $PWD/$port}}"
        echo "http: {addr: '127.0.0.1:$port'}"
        [ $port = 5002 ] || echo "auth: {htpasswd: {realm: r, path: $PWD/users}}"
    } >$port.yml
    systemctl is-active -q open-$port ||
        systemd-run -q --collect --unit=open-$port docker-registry serve $PWD/$port.yml
    until curl -so /dev/null localhost:$port/v2/; do sleep 0.1; done
done
"""
# The machine's `sleep` is short for what a pull waits before it is tried again.
QUICK = """\
printf '#!/bin/sh\\n[ "$1" != 10 ] || set -- 0.1\\nexec /bin/sleep "$@"\\n' >/usr/local/sbin/sleep
chmod 755 /usr/local/sbin/sleep
"""
# Waits until the registry is back.
PATIENT = """\
#!/bin/sh
[ "$1" = 10 ] || exec /bin/sleep "$@"
until [ -e /run/back ]; do /bin/sleep 0.1; done
"""


def login(password: str) -> str:
    auth = base64.b64encode(f"me:{password}".encode()).decode()
    return json.dumps({"auths": {CLOSED: {"auth": auth}}})


@pytest.fixture
def pulls(docker: Any) -> Any:
    """The machine with both registries; each has `box:1`, which is not on the machine itself."""
    done = docker.run(START + QUICK)
    assert done.returncode == 0, done.stderr
    for place in (OPEN, CLOSED):
        push(docker, place, "one")
    return docker


def push(docker: Any, place: str, text: str) -> None:
    docker.image(f"{place}/box:1", f"ENV WHICH={text}")
    docker.run("mkdir -p /opt/login; cat >/opt/login/config.json", input=login("pass word"))
    done = docker.run(f"docker --config /opt/login push -q {place}/box:1 && docker rmi -f {place}/box:1")
    assert done.returncode == 0, done.stderr


def pod(policy: str, place: str = OPEN, **more: Any) -> str:
    return job(image=f"{place}/box:1", imagePullPolicy=policy, command=sh("echo $WHICH"), **more)


def test_an_image_is_pulled_when_the_policy_says_so(pulls: Any) -> None:
    assert pulls.end(pod("IfNotPresent")) == ("COMPLETED", 0, 0)
    push(pulls, OPEN, "two")
    pulls.image(f"{OPEN}/box:1", "ENV WHICH=local")
    assert pulls.end(pod("IfNotPresent")) == ("COMPLETED", 0, 0)
    assert pulls.output() == "local\n"
    assert pulls.end(pod("Never")) == ("COMPLETED", 0, 0)
    assert pulls.output() == "local\n"
    assert pulls.end(pod("Always")) == ("COMPLETED", 0, 0)
    assert pulls.output() == "two\n"


def test_an_image_that_may_not_be_pulled_and_is_not_there(pulls: Any) -> None:
    state, code, _ = pulls.end(pod("Never"))
    assert (state, code) == ("FAILED", 125)
    assert f"No such image: {OPEN}/box:1" in pulls.output()


@pytest.mark.long
def test_an_image_that_is_nowhere(pulls: Any) -> None:
    text = job(image=f"{OPEN}/no-such:1", command=sh("echo main"))
    assert pulls.end(text)[0] == "FAILED"
    assert pulls.output().count(" not found: ") == 5
    assert pulls.output().endswith(f"flowc: five attempts failed: docker pull -q {OPEN}/no-such:1\n")


def test_credentials_are_tried_one_after_the_other(pulls: Any) -> None:
    text = pod("Always", CLOSED, pod={"imagePullSecrets": [{"name": "bad-one"}, {"name": "good"}]})
    pulls.start(text, secrets={"bad_one": login("wrong"), "good": login("pass word")})
    assert pulls.wait()["state"] == "COMPLETED"
    assert pulls.output() == "one\n"


@pytest.mark.long
def test_without_credentials_that_are_good(pulls: Any) -> None:
    text = pod("Always", CLOSED, pod={"imagePullSecrets": [{"name": "bad-one"}]})
    pulls.start(text, secrets={"bad_one": login("wrong")})
    assert pulls.wait()["state"] == "FAILED"
    assert "unauthorized" in pulls.output() or "no basic auth" in pulls.output()
    assert pulls.output().endswith(f"flowc: five attempts failed: pull_image {CLOSED}/box:1\n")
    assert base64.b64encode(b"me:wrong").decode() not in pulls.output()


@pytest.mark.long
def test_an_image_comes_back_from_the_registry_after_a_while(pulls: Any) -> None:
    pulls.run("systemctl stop open-5002; rm -f /run/back")
    pulls.run("cat >/usr/local/sbin/sleep", input=PATIENT)
    pulls.start(pod("Always"))
    pulls.wait_for("connection refused")
    pulls.run(f"{START}touch /run/back")
    assert pulls.wait()["state"] == "COMPLETED"
    assert pulls.output().endswith("one\n")
