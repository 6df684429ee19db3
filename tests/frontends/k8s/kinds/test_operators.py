"""What operators put into pods, and whose end they take for the job's."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from flowc import driver
from flowc.diag.sink import Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Flags, Inputs
from flowc.ir.job import Job
from flowc.source import Source
from tests.frontends.k8s.field_examples_pod import in_task, job_set, policies, pytorch, tensorflow, volcano
from tests.frontends.k8s.lowering import INDEXED, ids, lowered, one
from tests.frontends.k8s.manifests import job


def master(workers: int = 1, **run: Any) -> dict[str, Any]:
    document = pytorch(run, replicas=workers)
    specs = document["spec"]["pytorchReplicaSpecs"]
    specs["Master"] = {**specs["Worker"], "replicas": 1}
    return document


def seen(document: dict[str, Any]) -> dict[str, str]:
    found = one(document)
    return {**dict(found.env), **dict(found.env_facts)}


def test_the_master_listens_where_its_container_says() -> None:
    document = master()
    for spec in document["spec"]["pytorchReplicaSpecs"].values():
        spec["template"]["spec"]["containers"][0]["ports"] = [{"name": "pytorchjob-port", "containerPort": 29500}]
    assert {seen(document)[name] for name in ("MASTER_PORT", "PET_MASTER_PORT")} == {"29500"}
    assert seen(master())["MASTER_PORT"] == "23456"


@pytest.mark.parametrize(("policy", "end"), [(None, None), ("None", None), ("Running", "first"), ("All", "first")])
def test_the_masters_end_is_the_jobs_where_the_others_are_stopped(policy: str | None, end: str | None) -> None:
    run = {"cleanPodPolicy": policy} if policy is not None else {}
    assert one(master(**run)).workers_end == end
    assert one(pytorch(run, replicas=2)).workers_end is None


def test_names_of_roles_are_taken_in_any_case() -> None:
    document = master()
    specs = document["spec"]["pytorchReplicaSpecs"]
    document["spec"]["pytorchReplicaSpecs"] = {name.lower(): spec for name, spec in specs.items()}
    assert one(document).resources.nodes == 2


@pytest.mark.parametrize("kind", ["PyTorchJob", "TFJob"])
def test_what_stands_beside_the_policy_is_told(kind: str) -> None:
    plain, document = [pytorch() if kind == "PyTorchJob" else tensorflow(Worker=1) for _ in range(2)]
    document["spec"] |= {"cleanPodPolicy": "None", "backoffLimit": 3}
    assert ids(document) == sorted([*ids(plain), "FC332"])
    assert one(document).retry == one(plain).retry


def test_versions_that_are_gone_are_read_to_be_moved() -> None:
    move = Inputs(flags=Flags(move=True))
    document = pytorch(replicas=2)
    document["apiVersion"] = "kubeflow.org/v1beta2"
    document["spec"] |= {"cleanPodPolicy": "None", "backoffLimit": 3, "activeDeadlineSeconds": 60}
    found = one(document, inputs=move)
    today = one(pytorch({"cleanPodPolicy": "None", "backoffLimit": 3, "activeDeadlineSeconds": 60}, replicas=2))
    assert found.replace(source=today.source, outcome=()) == today.replace(outcome=())
    said = {each.input.removeprefix("spec."): each.action for each in found.outcome}
    assert {said[key] for key in ("backoffLimit", "activeDeadlineSeconds")} == {"lowered"}
    assert "FC456" in ids(document, inputs=move)


def test_without_a_master_the_first_worker_is_the_first_machine() -> None:
    document = pytorch(replicas=2)
    containers = document["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
    containers[0]["env"] = [{"name": "STORE", "value": "t-worker-0"}]
    assert seen(document)["STORE"] == "head_ip"


def test_the_container_that_the_operator_looks_at_is_the_main_one() -> None:
    document = pytorch()
    pod = document["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]
    pod["containers"] = [{"name": "log", "image": "b:1", "command": ["y"]}, *pod["containers"]]
    assert one(document).image == "a:1"


def unlike(own: dict[str, Any], other: dict[str, Any], **env: str) -> dict[str, Any]:
    """A PyTorchJob whose master and workers start different things."""
    variables = [{"name": name, "value": value} for name, value in env.items()]
    specs = {
        role: {
            "replicas": count,
            "restartPolicy": "Never",
            "template": {"spec": {"containers": [{"name": "pytorch", "image": "torch:1", "env": variables, **each}]}},
        }
        for role, count, each in (("Master", 1, own), ("Worker", 2, other))
    }
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "t"},
        "spec": {"pytorchReplicaSpecs": specs},
    }


def test_a_master_and_workers_that_start_different_things_are_one_job() -> None:
    own = {"command": ["python", "serve.py", "it's $(WORLD_SIZE)"]}
    other = {"command": ["python"], "args": ["work.py", "$(A)"]}
    document = unlike(own, other, A="b c")
    found = one(document)
    assert found.resources.nodes == 3
    for rank, said in ((0, "serve.py|it's 3|"), (1, "work.py|b c|"), (2, "work.py|b c|")):
        assert started(found, rank, "exec python", "exec printf '%s|'") == said
    assert dict(found.env_facts)["RANK"] == "rank"
    assert "FC331" in ids(document)


def started(found: Job, rank: int, *instead: str) -> str:
    """What the shell of a machine writes; `instead` is put in the place of something in it."""
    assert found.run.argv[:2] == ("/bin/sh", "-c")
    text = found.run.argv[2].replace(*instead) if instead else found.run.argv[2]
    words = {"rank": str(rank), "ips": IPS, "head_ip": "10.0.0.1"}
    env = {**dict(found.env), **{name: words[fact] for name, fact in found.env_facts if fact in words}}
    path = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(["sh", "-c", text], env={**path, **env}, capture_output=True, text=True, check=True).stdout


IPS = "10.0.0.1\n10.0.0.2\n10.0.0.3\n10.0.0.4"
SAY = ["sh", "-c", 'echo "$A $B $JOB_COMPLETION_INDEX $VC_TASK_INDEX"', "-"]


def test_what_only_the_machine_knows_stands_in_the_commands_of_parts() -> None:
    own = {"command": ["echo", "$(MASTER_ADDR)", "t-worker-1"]}
    found = one(unlike(own, {"command": ["echo", "$(RANK)", "x t-master-0.default:1"]}))
    assert [started(found, rank) for rank in range(3)] == [
        "10.0.0.1 10.0.0.3\n",
        "1 x 10.0.0.1:1\n",
        "2 x 10.0.0.1:1\n",
    ]


def say(**env: str) -> dict[str, Any]:
    return {"name": "c", "image": "a:1", "command": SAY, "env": [{"name": k, "value": v} for k, v in env.items()]}


def in_set(*jobs: tuple[str, int, int, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A JobSet of jobs, each with copies and pods."""
    parts = [
        {
            "name": name,
            "replicas": copies,
            "template": {"spec": {"parallelism": count, "template": {"spec": {"containers": [container]}}}},
        }
        for name, copies, count, container in jobs
    ]
    document = job_set(**more)
    document["spec"]["replicatedJobs"] = parts
    return document


def test_jobs_of_a_set_are_told_apart() -> None:
    found = one(in_set(("driver", 1, 1, say(A="1", B="t-worker-1-0.t")), ("worker", 3, 1, say(A="2"))))
    assert found.resources.nodes == 4
    assert found.workers_end is None
    assert [started(found, rank) for rank in range(4)] == ["1 10.0.0.3 0 \n", "2  0 \n", "2  0 \n", "2  0 \n"]
    found = one(in_set(("w", 2, 2, say(A="$(HOSTNAME)"))))
    assert [started(found, rank).split()[-1] for rank in range(4)] == ["0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({}, None),
        ({"successPolicy": {"operator": "All", "targetReplicatedJobs": ["driver"]}}, "first"),
        ({"successPolicy": {"operator": "All", "targetReplicatedJobs": ["driver", "worker"]}}, None),
    ],
)
def test_the_job_that_decides_is_on_the_first_machine(more: dict[str, Any], end: str | None) -> None:
    found = one(in_set(("worker", 1, 3, say(A="2")), ("driver", 1, 1, say(A="1")), **more))
    assert found.workers_end == end
    assert started(found, 0)[:1] == ("1" if end else "2")


@pytest.mark.parametrize(
    ("other", "more"),
    [
        ({**say(), "image": "b:1"}, {}),
        (
            {**say(), "resources": {"limits": {"nvidia.com/t4": 1}}},
            {"resources": {"limits": {"nvidia.com/h100": 8}}},
        ),
        ({**say(), "securityContext": {"runAsUser": 7}}, {}),
        ({**say(), "lifecycle": {"postStart": {"exec": {"command": ["a"]}}}}, {}),
        ({**say(), "image": "a:1-gpu"}, {}),
    ],
)
def test_pods_that_no_machine_can_hold_both_are_refused(other: dict[str, Any], more: dict[str, Any]) -> None:
    text = json.dumps(in_set(("a", 1, 1, {**say(), **more}), ("b", 1, 1, other)))
    sink = Sink()
    FRONTEND.read(Source("job.yaml", text), Inputs(), sink)
    assert {each.code.id for each in sink.diagnostics} & {"FC328", "FC311"}


def test_machines_are_alike_where_pods_ask_for_less() -> None:
    small = {**say(A="s"), "resources": {"requests": {"cpu": "2"}}}
    document = in_set(("a", 1, 1, small), ("b", 1, 2, {**say(), "resources": {"limits": {"nvidia.com/gpu": 8}}}))
    found = one(document)
    assert (found.resources.nodes, found.resources.gpus_per_node) == (3, 8)
    assert [started(found, rank)[:1] for rank in range(3)] == ["s", " ", " "]
    assert "FC331" in ids(document)


def test_tensorflow_is_told_where_all_are() -> None:
    found = one(tensorflow(PS=1, Worker=2, Chief=1))
    assert (found.resources.nodes, found.workers_end) == (4, "first")
    cluster = {"chief": ["10.0.0.1:2222"], "ps": ["10.0.0.4:2222"], "worker": ["10.0.0.2:2222", "10.0.0.3:2222"]}
    for rank, task in enumerate((("chief", 0), ("worker", 0), ("worker", 1), ("ps", 0))):
        told = json.loads(started(found, rank))
        assert told == {
            "cluster": cluster,
            "task": dict(zip(("type", "index"), task, strict=True)),
            "environment": "cloud",
        }
    told = json.loads(started(one(tensorflow(Worker=1, Evaluator=1)), 1))
    assert told["cluster"] == {"worker": ["10.0.0.1:2222"]}
    assert told["task"] == {"type": "evaluator", "index": 0}


def test_one_machine_of_tensorflow_is_told_nothing() -> None:
    found = one(tensorflow(Worker=1))
    assert found.run.argv == ("sh", "-c", 'echo "$TF_CONFIG"')
    assert found.env == ()


@pytest.mark.parametrize(
    ("document", "end"),
    [
        (tensorflow(Worker=2), None),
        (tensorflow("Running", Worker=2), "first"),
        (tensorflow("Running", "AllWorkers", Worker=2), None),
        (tensorflow(Worker=1, PS=1), "first"),
    ],
)
def test_servers_of_tensorflow_end_with_the_first_machine(document: dict[str, Any], end: str | None) -> None:
    assert one(document).workers_end == end


def servers(text: str, **more: Any) -> dict[str, Any]:
    """A job of Volcano with a server, which does not end, and two workers, with which the job does."""
    document = volcano(plugins={"svc": [], **more})
    ends = [{"event": "TaskCompleted", "action": "CompleteJob"}]
    document["spec"]["tasks"] = [
        {
            "name": name,
            "replicas": count,
            **policies,
            "template": {"spec": {"containers": [{**say(), "command": command}]}},
        }
        for name, count, policies, command in (
            ("ps", 1, {}, ["sleep", "1d"]),
            ("worker", 2, {"policies": ends}, ["sh", "-c", text]),
        )
    ]
    return document


def test_tasks_of_volcano_are_told_apart() -> None:
    found = one(servers("echo $VC_TASK_INDEX $VC_PS_HOSTS $VC_WORKER_HOSTS; cat etc/volcano/worker.host"))
    assert (found.resources.nodes, found.workers_end) == (3, "first")
    here = ("/etc/volcano/", "etc/volcano/")
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.chdir(folder)
        assert started(found, 1, *here) == "1 10.0.0.3 10.0.0.1,10.0.0.2\n10.0.0.1\n10.0.0.2\n"
    assert "FC331" in ids(servers("echo"))


def test_tasks_of_volcano_reach_each_other() -> None:
    """Where they are to, and the plugins `ssh` or `mpi` are there."""
    found = one(servers("/usr/sbin/sshd; mpiexec --host $VC_WORKER_HOSTS a", mpi=["--worker=worker"]))
    assert [each.target for each in found.mounts] == ["/etc/volcano", "/usr/sbin/sshd"]
    text = found.run.argv[-1]
    assert 'export MPI_HOST="$VC_WORKER_HOSTS"' in text
    assert "for i in 0 1; do echo t-worker-$i $((i + 0)); done >>/etc/volcano/names" in text
    assert "export OMPI_MCA_plm_rsh_agent=/etc/volcano/ssh" in text
    assert one(servers("python a.py", ssh=[])).mounts == ()
    assert one(servers("mpirun a")).mounts == ()


def test_plugins_of_volcano() -> None:
    found = seen(volcano(plugins={"env": [], "svc": []}))
    assert (found["VC_TASK_INDEX"], found["VK_TASK_INDEX"]) == ("rank", "rank")
    assert (found["VC_W_NUM"], found["VC_W_HOSTS"]) == ("1", "localhost")
    found = seen(volcano(2, plugins={"pytorch": ["--master=w", "--port", "29500"]}))
    assert (found["MASTER_ADDR"], found["RANK"], found["MASTER_PORT"]) == ("head_ip", "rank", "29500")
    assert (found["WORLD_SIZE"], found["VC_W_NUM"]) == ("2", "2")
    assert "MASTER_ADDR" not in seen(volcano(2, plugins={"pytorch": []}))  # it has no task called `master`


@pytest.mark.parametrize("text", ["cat /etc/volcano/w.host", 'mpirun -H "$VC_W_HOSTS" a.out'])
def test_a_list_of_hosts_is_made_on_several_machines(text: str) -> None:
    def found(replicas: int) -> dict[str, Any]:
        document = volcano(replicas, plugins={"svc": []})
        document["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", text]
        return document

    assert "sed -n 1,2p >/etc/volcano/w.host" in one(found(2)).run.argv[2]
    assert ("FC333" in ids(found(1))) == ("/etc" in text)


@pytest.mark.parametrize(
    ("document", "together"),
    [
        (job(INDEXED), True),
        (job_set(), True),
        (pytorch(), True),
        (volcano(2), False),
        (policies({"event": "PodFailed", "action": "AbortJob"}), True),
        (policies({"events": ["PodEvicted", "PodFailed"], "action": "RestartJob"}), True),
        (policies({"event": "*", "action": "TerminateJob"}), True),
        (policies({"event": "TaskCompleted", "action": "CompleteJob"}), False),
        (policies({"event": "PodFailed", "action": "RestartTask"}), False),
        (in_task({"event": "PodFailed", "action": "CompleteJob"}), True),
    ],
)
def test_whose_failure_ends_the_others(document: dict[str, Any], together: bool) -> None:
    assert one(document).conventions.fails_together is together


def test_names_of_pods_that_a_shell_puts_together_are_told() -> None:
    text = "run --at=${SET}-${PART}-0-0.${SET}:5670 $A-1.5 x-$B-0.log"
    document = in_set(("w", 2, 1, {**say(), "command": ["sh", "-c", text]}))
    (told,) = [each for each in lowered(document)[1] if each.code.id == "FC343"]
    assert "`${SET}-${PART}-0-0.${SET}`" in told.message
    assert "FC343" not in ids(in_set(("w", 2, 1, {**say(), "command": ["sh", "-c", "run $A-1.5 x-$B-0.log"]})))


@pytest.mark.parametrize("amount", ["4x", "lots"])
def test_an_amount_that_cannot_be_read_is_told(amount: str) -> None:
    path = Path(__file__).parents[4] / "corpus" / "k8s" / "ray-job" / "input.yaml"
    text = re.sub(r"nvidia\.com/gpu: *\S+?(?=[},\s])", f"nvidia.com/gpu: {amount}", path.read_text())
    assert amount in text
    result = driver.compile(Source("ray.yaml", text), Inputs(), frontend="k8s")
    assert any("an amount in `resources` cannot be read" in each.message for each in result.diagnostics)
