"""Setup in a container on a real docker: what it leaves is what the job finds, at every start."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.docker

FOUNDRY = """\
name: train
project_name: research
ssh_key_name: laptop
task_management: {priority: standard}
resources_specification: {fcp_instance: h100.8x.SXM5.IB}
container_image: {image_name: "volumes:test", run_options: "%s"}
startup_script: |
  echo setup
  echo kept >/data/kept
  echo too >/other/kept
  echo layer >/kept
version: 1.2
"""
SKYPILOT = """\
resources: {accelerators: H100:8, image_id: "docker:%s"}
setup: |
  echo setup as $(id -u) in $(pwd)
  touch here
  echo kept >/data/kept
run: |
  echo run as $(id -u) in $(pwd)
  ls
  cat /data/kept
  %s
"""


def test_what_setup_writes_below_an_images_volume_is_kept(docker: Any) -> None:
    docker.image("volumes:test", "VOLUME /data", "VOLUME /other", 'CMD ["cat", "/data/kept", "/other/kept", "/kept"]')
    assert docker.end(FOUNDRY % "--init") == ("COMPLETED", 0, 0), docker.output()
    assert docker.output() == "setup\nkept\ntoo\nlayer\n"


def test_a_volume_of_the_users_own_takes_the_place_of_an_images(docker: Any) -> None:
    docker.image("volumes:test", "VOLUME /data", "VOLUME /other", 'CMD ["cat", "/data/kept", "/other/kept", "/kept"]')
    docker.run("mkdir -p /srv/data && rm -f /srv/data/*")
    assert docker.end(FOUNDRY % "-v /srv/data:/data:rw") == ("COMPLETED", 0, 0), docker.output()
    assert docker.output() == "setup\nkept\ntoo\nlayer\n"
    assert docker.read("/srv/data/kept") == "kept\n"


@pytest.mark.long
@pytest.mark.parametrize("trap", ["trap 'exit 9' TERM", "true"], ids=["handles", "hears-nothing"])
def test_a_restart_of_docker_interrupts_it(docker: Any, trap: str) -> None:
    docker.image("volumes:test", "VOLUME /data")
    wait = f"{trap}; echo kept >/data/kept; [ -e /data/again ] || {{ touch /data/again; sleep 60 & wait; }}"
    docker.start((SKYPILOT % ("volumes:test", "true")).replace("echo kept >/data/kept", wait))
    docker.wait_for("setup")
    docker.run("systemctl restart docker")
    found = docker.wait(seconds=120)
    assert (found["state"], found["starts"]) == ("COMPLETED", 2), docker.output()
    assert docker.output().count("setup as 0") == 2
    assert docker.left() == ""


def test_it_is_there_again_after_a_power_cut(docker: Any) -> None:
    docker.image("volumes:test", "VOLUME /data")
    docker.start(SKYPILOT % ("volumes:test", "[ -e /data/again ] || { touch /data/again; sleep 60; }"))
    docker.wait_for("run")
    docker.wait_for("kept")
    docker.machine.cut_power()
    docker.machine.boot()
    assert docker.wait()["state"] == "COMPLETED"
    assert docker.output().splitlines().count("setup as 0 in /root/sky_workdir") == 1
    assert docker.output().splitlines().count("kept") == 2


@pytest.mark.long
@pytest.mark.parametrize("user", ["USER 1000", "USER user", "USER 0"])
def test_a_task_of_skypilot_is_roots_whoever_the_images_user_is(docker: Any, user: str) -> None:
    docker.image("usered:test", user, "VOLUME /data", "WORKDIR /place")
    assert docker.end(SKYPILOT % ("usered:test", "true")) == ("COMPLETED", 0, 0), docker.output()
    where = "/root/sky_workdir"
    assert docker.output() == f"setup as 0 in {where}\nrun as 0 in {where}\nhere\nkept\n"


# The machine has no git. Its last word is the folder.
GIT = """\
cat >/usr/local/bin/git <<'E'
#!/bin/sh
[ "$1" != clone ] || { for to; do :; done; mkdir -p "$to/sub"; echo text >"$to/sub/file"; }
E
chmod +x /usr/local/bin/git
"""
TASK = """\
name: x
instance_type: 8xh100
image: user:test
command: cd /code && echo more >>sub/file && echo new >sub/new && id -u && cat sub/*
data_mounts: [{source: "https://example.com/repo.git", target: /code}]
max_run_time_hours: 1
"""


def test_an_image_whose_user_is_not_root_writes_to_what_was_cloned(docker: Any) -> None:
    docker.image("user:test", "USER 1234:1234")
    assert docker.run(GIT).returncode == 0
    assert docker.end(TASK, path="task.yaml") == ("COMPLETED", 0, 0), docker.output()
    assert docker.output() == "1234\ntext\nmore\nnew\n"
