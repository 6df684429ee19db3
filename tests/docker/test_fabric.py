"""InfiniBand of the machine in containers of a real docker: a folder of devices stands for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .jobs import IMAGE, job, sh

pytestmark = pytest.mark.docker

TASK = """\
resources: {accelerators: H100:8, image_id: "docker:busybox:test"}
num_nodes: 2
config: {docker: {run_options: "--ulimit memlock=65536:65536"}}
run: |
  ls /dev/infiniband
  ulimit -l
"""
STEP = """\
#!/bin/bash
#SBATCH --gres=gpu:h100:8
#SBATCH -o out
srun --container-image=busybox:test sh -c 'ls /dev/infiniband && : </dev/infiniband/uverbs0 && ulimit -l'
ulimit -l
"""


@pytest.fixture
def fabric(docker: Any) -> Iterator[Any]:
    docker.run("mkdir -p /dev/infiniband; mknod -m 666 /dev/infiniband/uverbs0 c 1 3; cp /etc/hosts /etc/hosts.kept")
    docker.run("printf '127.0.0.1 localhost\\n10.0.0.2 other\\n10.0.0.1 vm\\n' >/etc/hosts")
    yield docker
    docker.run("rm -rf /dev/infiniband; cp /etc/hosts.kept /etc/hosts")


def test_it_reaches_the_job_and_what_is_beside_it(fabric: Any) -> None:
    text = sh("trap 'exit 0' TERM; ls /dev/infiniband; : >/dev/infiniband/uverbs0; sleep 4 & wait")
    side = {"name": "side", "image": IMAGE, "restartPolicy": "Always", "command": text}
    spec = {"completions": 2, "parallelism": 2, "completionMode": "Indexed"}
    fabric.start(job(job=spec, pod={"initContainers": [side]}, command=text))
    fabric.wait_for("uverbs0")
    limits = fabric.run("docker inspect -f '{{.HostConfig.Ulimits}}' flowc flowc-1").stdout
    assert limits.count("memlock=-1:-1") == 2
    assert fabric.wait()["state"] == "COMPLETED"
    assert fabric.read("/var/log/foundry/1.log") == fabric.output() == "uverbs0\n"


def test_a_limit_of_the_users_own_goes_before(fabric: Any) -> None:
    assert fabric.end(TASK) == ("COMPLETED", 0, 0)
    assert fabric.output() == "uverbs0\n64\n"


def test_it_reaches_the_containers_of_steps(fabric: Any) -> None:
    assert fabric.end(STEP, path="job.sbatch") == ("COMPLETED", 0, 0), fabric.output()
    first, inside, outside = fabric.output().splitlines()
    assert (first, inside) == ("uverbs0", outside)
