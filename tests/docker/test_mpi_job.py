"""An MPIJob on a real docker: what stands for ssh and sshd in its containers, whoever the user is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .jobs import IMAGE

pytestmark = pytest.mark.docker

SSH = r"""exec 2>&1
id -u
echo words | ssh t-worker-0.t -p 2222 'cat; id -u; echo $COLOR $K_MPI_JOB_ROLE; exit 3'
echo status $?
ssh elsewhere true
echo status $?
cat /etc/mpi/hostfile
exit 5
"""
SAID = """\
{user}
words
{user}
red worker
status 3
flowc: elsewhere is no machine of this job, and the image has no ssh
status 255
localhost slots=2
"""


@pytest.mark.parametrize("user", [0, 1000])
def test_commands_are_started_in_the_container(docker: Any, user: int) -> None:
    rights = {"securityContext": {"runAsUser": user}}
    launcher = {"name": "l", "image": IMAGE, "command": ["sh", "-c", SSH], **rights}
    environment = [{"name": "COLOR", "value": "red"}]
    sshd = ["sh", "-c", "sleep 1; /usr/sbin/sshd -De"]
    worker = {"name": "w", "image": IMAGE, "command": sshd, "env": environment, **rights}
    specs = {
        role: {"replicas": 1, "restartPolicy": "Never", "template": {"spec": {"containers": [container]}}}
        for role, container in (("Launcher", launcher), ("Worker", worker))
    }
    spec = {"slotsPerWorker": 2, "runPolicy": {"backoffLimit": 0}, "mpiReplicaSpecs": specs}
    document = {"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata": {"name": "t"}, "spec": spec}
    assert docker.end(json.dumps(document)) == ("FAILED", 5, 0)
    assert docker.output() == SAID.format(user=user)
