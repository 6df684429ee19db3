"""What operators put into pods, and whose end they take for the job's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.field_examples_pod import in_task, job_set, policies, pytorch, volcano
from tests.frontends.k8s.lowering import INDEXED, ids, one
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


def test_plugins_of_volcano() -> None:
    found = seen(volcano(plugins={"env": [], "svc": []}))
    assert (found["VC_TASK_INDEX"], found["VK_TASK_INDEX"]) == ("rank", "rank")
    assert (found["VC_W_NUM"], found["VC_W_HOSTS"]) == ("1", "localhost")
    found = seen(volcano(2, plugins={"pytorch": ["--master=w", "--port", "29500"]}))
    assert (found["MASTER_ADDR"], found["RANK"], found["MASTER_PORT"]) == ("head_ip", "rank", "29500")
    assert (found["WORLD_SIZE"], found["VC_W_NUM"]) == ("2", "2")
    assert "MASTER_ADDR" not in seen(volcano(2, plugins={"pytorch": []}))  # it has no task called `master`


@pytest.mark.parametrize("text", ["cat /etc/volcano/w.host", 'mpirun -H "$VC_W_HOSTS" a.out'])
def test_a_list_of_hosts_that_is_not_there_is_told(text: str) -> None:
    def found(replicas: int) -> dict[str, Any]:
        document = volcano(replicas, plugins={"svc": []})
        document["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", text]
        return document

    assert "FC333" in ids(found(2))
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
