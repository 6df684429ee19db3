"""An MPIJob: what its machines start, what its launcher finds, and which ones cannot be."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flowc import driver
from flowc.diag.sink import Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Inputs
from flowc.ir.job import Job
from flowc.ir.names import PEERS
from flowc.source import Source
from tests.frontends.k8s.field_examples_pod import mpi
from tests.frontends.k8s.lowering import lowered, one

GPUS = {"resources": {"limits": {"nvidia.com/gpu": 8}}}
IPS = "10.0.0.1\n10.0.0.2\n10.0.0.3"
TELL = '#!/bin/sh\necho "${0##*/} $* $COLOR $K_MPI_JOB_ROLE"\n'


def started(found: Job, rank: int, folder: Path) -> list[str]:
    """What a machine of three starts, with two of its variables; the operator's folder is another one."""
    for name in ("mpirun", "sshd", "own"):
        (folder / name).write_text(TELL if name != "sshd" else f"{TELL}: >{folder}/ready\n")
        (folder / name).chmod(0o755)
    words = [*found.run.argv, *found.run.args]
    text = words.pop().replace("/etc/mpi", str(folder)).replace("/usr/sbin/sshd", f"{folder}/sshd")
    facts = {"rank": str(rank), "ips": IPS, "entrypoint": "'mpirun' '-x' "}
    facts["entrypoint_command"] = facts["entrypoint"]
    env = {
        "PATH": "/usr/bin:/bin",
        **dict(found.env),
        **{name: facts[fact] for name, fact in found.env_facts},
    }
    (folder / "ready").unlink(missing_ok=True)
    said = subprocess.run([*words, text], env=env, capture_output=True, text=True, check=True).stdout
    return [line.replace(str(folder), "F") for line in said.splitlines()]


def test_workers_wait_and_the_launcher_runs_beside_the_first(tmp_path: Path) -> None:
    launcher = {"env": [{"name": "COLOR", "value": "blue"}], "command": ["mpirun"], "args": ["-H", "t-worker-1.t:8"]}
    worker = {"env": [{"name": "COLOR", "value": "red"}], **GPUS}
    found = one(mpi({"slotsPerWorker": 8}, worker, launcher, replicas=3))
    assert (found.resources.nodes, found.resources.gpus_per_node, found.workers_end) == (3, 8, "first")
    assert [(each.source, each.target) for each in found.mounts] == [
        (PEERS, "/etc/mpi"),
        (f"{PEERS}/sshd", "/usr/sbin/sshd"),
    ]
    assert started(found, 0, tmp_path) == ["mpirun -H 10.0.0.2:8 blue launcher"]
    assert (tmp_path / "hostfile").read_text() == "10.0.0.1 slots=8\n10.0.0.2 slots=8\n10.0.0.3 slots=8\n"
    names = ["t-launcher 0", "t-worker-0 0", "t-worker-1 1", "t-worker-2 2"]
    assert (tmp_path / "names").read_text().splitlines() == names
    assert (tmp_path / "ready").exists()
    hosts = subprocess.run([tmp_path / "discover_hosts.sh"], capture_output=True, text=True, check=True).stdout
    assert hosts.split() == IPS.split()
    # What ssh starts has the variables of the worker, also on the first machine.
    shell = f". {tmp_path}/env; echo $COLOR $K_MPI_JOB_ROLE ${{PATH%%:*}}"
    kept = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert kept == f"red worker {tmp_path}\n"
    assert started(found, 2, tmp_path) == ["sshd -D red worker"]


@pytest.mark.parametrize(
    ("spec", "line", "variable"),
    [
        ({}, "10.0.0.1 slots=1", "OMPI_MCA_plm_rsh_agent=F/ssh"),
        ({"mpiImplementation": "Intel"}, "10.0.0.1:1", "I_MPI_HYDRA_HOST_FILE=F/hostfile"),
        ({"mpiImplementation": "MPICH"}, "10.0.0.1:1", "HYDRA_LAUNCHER_EXEC=F/ssh"),
    ],
)
def test_libraries_of_mpi_find_their_hosts(spec: dict[str, Any], line: str, variable: str, tmp_path: Path) -> None:
    found = one(mpi(spec, launcher={"command": ["env"]}, replicas=3))
    assert variable in started(found, 0, tmp_path)
    assert (tmp_path / "hostfile").read_text().splitlines()[0] == line


def test_what_the_manifest_says_of_the_way_to_workers_is_kept(tmp_path: Path) -> None:
    own = [{"name": "OMPI_MCA_plm_rsh_agent", "value": "mine"}, {"name": "K_MPI_JOB_ROLE", "value": "mine"}]
    found = started(one(mpi(launcher={"command": ["env"], "env": own})), 0, tmp_path)
    assert "OMPI_MCA_plm_rsh_agent=mine" in found
    assert "K_MPI_JOB_ROLE=launcher" in found  # the operator's own


def test_a_worker_that_does_more_does_it_before_the_launcher_starts(tmp_path: Path) -> None:
    worker = {"command": ["sh", "-c", "own a; /usr/sbin/sshd -De"]}
    found = one(mpi(None, worker))
    assert started(found, 0, tmp_path) == ["own a  worker", "sshd -De  worker", "mpirun a  launcher"]
    assert started(found, 1, tmp_path) == ["own a  worker", "sshd -De  worker"]


def test_an_entrypoint_of_the_image_starts_what_stands_in_args(tmp_path: Path) -> None:
    found = one(mpi(None, {"args": ["/usr/sbin/sshd", "-De"]}, {"command": None, "args": ["mpirun", "b"]}))
    assert found.run.argv == ()
    assert found.run.args[:2] == ("/bin/sh", "-c")
    assert started(found, 0, tmp_path) == ["mpirun b  launcher"]


@pytest.mark.parametrize(
    ("args", "fact", "said"),
    [([], "entrypoint_command", "mpirun -x  launcher"), (["-np", "2"], "entrypoint", "mpirun -x -np 2  launcher")],
)
def test_what_the_image_of_a_launcher_starts_is_asked_of_it(
    args: list[str], fact: str, said: str, tmp_path: Path
) -> None:
    found = one(mpi(None, None, {"command": None, "args": args}))
    assert fact in dict(found.env_facts).values()
    assert started(found, 0, tmp_path) == [said]


def test_the_operator_of_before_needs_no_sshd(tmp_path: Path) -> None:
    found = one(mpi(None, None, {"command": ["env"]}, version="v1"))
    said = started(found, 0, tmp_path)
    assert "OMPI_MCA_plm_rsh_agent=F/kubexec.sh" in said
    assert "I_MPI_HYDRA_BOOTSTRAP=rsh" in said
    assert started(found, 1, tmp_path) == ["sshd -D  "]
    found = one(mpi(None, {"command": ["own"]}, version="v1"))
    assert sorted(started(found, 0, tmp_path)) == ["mpirun a  ", "own   "]
    assert started(found, 1, tmp_path) == ["own   "]
    assert (tmp_path / "ready").exists()
    assert found.retry.max_restarts == 0


@pytest.mark.parametrize(
    "document",
    [mpi({"runLauncherAsWorker": True}), mpi(launcher={"command": ["mpirun", "a"], **GPUS}, worker=GPUS, version="v1")],
    ids=["v2", "v1"],
)
def test_a_launcher_that_is_a_host_has_a_machine(document: dict[str, Any], tmp_path: Path) -> None:
    found = one(document)
    assert found.resources.nodes == 3
    assert started(found, 0, tmp_path)[-1].startswith("mpirun a")
    assert (tmp_path / "names").read_text() == "t-launcher 0\nt-worker-0 1\nt-worker-1 2\n"
    assert (tmp_path / "ready").exists()
    assert started(found, 1, tmp_path)[-1].startswith("sshd -D")


@pytest.mark.parametrize("replicas", [0, 1])
def test_one_machine(replicas: int, tmp_path: Path) -> None:
    found = one(mpi(replicas=replicas))
    assert (found.resources.nodes, found.workers_end) == (1, None)
    assert started(found, 0, tmp_path)[-1].startswith("mpirun a")
    if replicas:
        assert (tmp_path / "hostfile").read_text() == "localhost slots=1\n"


def test_the_launcher_shares_what_the_worker_has() -> None:
    sizes = {"limits": {"memory": "1Gi", "cpu": "1"}}
    hidden = [{"name": "CUDA_VISIBLE_DEVICES", "value": ""}, {"name": "NVIDIA_VISIBLE_DEVICES", "value": "none"}]
    launcher = {"command": ["mpirun"], "resources": sizes, "env": hidden, "securityContext": {"privileged": True}}
    document = mpi(None, {"resources": {"limits": {"memory": "4Gi", "cpu": "2"}}}, launcher)
    pod = document["spec"]["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]
    pod |= {"volumes": [{"name": "v", "emptyDir": {}}], "hostPID": True, "hostIPC": True}
    pod["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    found = one(document)
    assert (found.isolation.memory_bytes, found.isolation.cpus, found.isolation.privileged) == (5 << 30, "2", True)
    assert found.mounts[0].target == "/v"
    assert "VISIBLE_DEVICES" not in found.run.argv[-1]


@pytest.mark.parametrize(
    ("spec", "policy", "version", "restarts"),
    [
        ({}, None, "v2beta1", 5),
        ({"runPolicy": {"backoffLimit": 2}}, None, "v2beta1", 1),
        ({"runPolicy": {"backoffLimit": 2}}, "Never", "v2beta1", 2),
        ({"backoffLimit": 2}, None, "v1", 0),
        ({"backoffLimit": 2}, "OnFailure", "v1alpha2", 1),
    ],
)
def test_the_launcher_starts_again_as_its_operator_has_it(
    spec: dict[str, Any], policy: str | None, version: str, restarts: int
) -> None:
    document = mpi(spec, version=version)
    specs = document["spec"]["mpiReplicaSpecs"]
    specs["Worker"]["restartPolicy"] = "Always"
    specs["Launcher"] |= {"restartPolicy": policy} if policy else {}
    assert one(document).retry.max_restarts == restarts


OTHER = {"command": ["mpirun"], "image": "b:1"}


def test_a_launcher_may_do_less_than_the_workers() -> None:
    worker = {"securityContext": {"runAsUser": 0, "capabilities": {"add": ["IPC_LOCK"]}}}
    found = one(mpi(None, worker, {"command": ["mpirun"], "securityContext": {"runAsUser": 0}}))
    assert (found.isolation.user, found.isolation.cap_add) == ("0", ("IPC_LOCK",))


@pytest.mark.parametrize("launcher", [OTHER, {"command": ["mpirun"], "securityContext": {"runAsUser": 1}}])
def test_a_launcher_that_cannot_share_the_container_is_refused(launcher: dict[str, Any]) -> None:
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(mpi(None, None, launcher))), Inputs(), sink)
    assert [each.code.id for each in sink.diagnostics] == ["FC328"]


@pytest.mark.parametrize(
    ("launcher", "line"),
    [
        ({"command": ["mpirun"], "args": ["-x", "NCCL_SOCKET_IFNAME=eth0"]}, '["-x", "NCCL_SOCKET_IFNAME=eth0"]'),
        ({"command": ["a"], "env": [{"name": "NCCL_SOCKET_IFNAME", "value": "eth0"}]}, '"eth0"'),
    ],
)
def test_networks_of_the_cluster_are_told(launcher: dict[str, Any], line: str) -> None:
    text = json.dumps(mpi(worker=GPUS, launcher=launcher))
    (found,) = [
        each for each in driver.check(Source("job.yaml", text), Inputs()).diagnostics if each.code.id == "FC843"
    ]
    assert found.span is not None
    assert text[found.span.start : found.span.end] == line


@pytest.mark.parametrize(
    ("command", "stays"),
    [
        (["sh", "-c", "until getent hosts m-worker-0; do sleep 1; done"], False),
        (["sh", "-c", "sleep 5"], False),
        (["sh", "-c", "fetch /data"], True),
    ],
)
def test_what_comes_before_the_launcher_runs_on_all_machines_unless_it_waits(command: list[str], stays: bool) -> None:
    document = mpi()
    pod = document["spec"]["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]
    pod["initContainers"] = [{"name": "i", "image": "i:1", "command": command}]
    jobs, diagnostics = lowered(document)
    assert [each.name for each in jobs[0].containers] == (["i"] if stays else [])
    note = "it runs on all machines" if stays else "the launcher waits for workers by itself"
    assert any(note in each.message for each in diagnostics)


def test_what_waits_and_does_more_is_refused() -> None:
    document = mpi()
    pod = document["spec"]["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]
    command = ["sh", "-c", "until nslookup m-worker-0; do sleep 1; done; wget http://a/b"]
    pod["initContainers"] = [{"name": "i", "image": "i:1", "command": command}]
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(document)), Inputs(), sink)
    assert [each.code.id for each in sink.diagnostics if each.severity == "error"] == ["FC328"]
