"""XGBoostJobs and JAXJobs: what the training operator tells their pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.kinds.test_operators import started
from tests.frontends.k8s.lowering import ids, one
from tests.frontends.k8s.manifests import messages

SHOW = ["sh", "-c", 'echo "$MASTER_ADDR:$MASTER_PORT $RANK/$WORLD_SIZE $WORKER_ADDRS:$WORKER_PORT $0"']


def trained(kind: str, policy: dict[str, Any] | None = None, **roles: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    name, key = {"XGBoostJob": ("xgboost", "xgbReplicaSpecs"), "JAXJob": ("jax", "jaxReplicaSpecs")}[kind]
    specs = {
        role: {"replicas": count, "template": {"spec": {"containers": [{"name": name, "image": "i:1", **each}]}}}
        for role, (count, each) in roles.items()
    }
    spec = {key: specs, **({"runPolicy": policy} if policy else {})}
    return {"apiVersion": "kubeflow.org/v1", "kind": kind, "metadata": {"name": "t"}, "spec": spec}


def test_master_and_workers_of_an_xgboost_job_find_each_other() -> None:
    ports = {"ports": [{"name": "xgboostjob-port", "containerPort": 9991}]}
    own = {"command": [*SHOW, "m"], **ports}
    found = one(
        trained("XGBoostJob", {"cleanPodPolicy": "All"}, Master=(1, own), Worker=(2, {"command": [*SHOW, "w"]}))
    )
    assert (found.resources.nodes, found.retry.max_restarts, found.workers_end) == (3, 0, "first")
    assert [started(found, rank) for rank in range(3)] == [
        "10.0.0.1:9991 0/3 10.0.0.2,10.0.0.3:9999 m\n",
        "10.0.0.1:9991 1/3 10.0.0.2,10.0.0.3:9999 w\n",
        "10.0.0.1:9991 2/3 10.0.0.2,10.0.0.3:9999 w\n",
    ]


def test_a_master_alone() -> None:
    found = one(trained("XGBoostJob", Master=(1, {"command": ["train"]})))
    assert dict(found.env) == {
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": "9999",
        "PYTHONUNBUFFERED": "1",
        "RANK": "0",
        "WORLD_SIZE": "1",
    }
    assert found.run.argv == ("train",)


def test_the_processes_of_a_jax_job() -> None:
    document = trained("JAXJob", {"cleanPodPolicy": "None"}, Worker=(2, {"command": ["python", "train.py"]}))
    found = one(document)
    assert found.resources.nodes == 2
    assert dict(found.env) == {"COORDINATOR_PORT": "6666", "NUM_PROCESSES": "2", "PYTHONUNBUFFERED": "1"}
    assert dict(found.env_facts) == {"COORDINATOR_ADDRESS": "head_ip", "PROCESS_ID": "rank"}
    assert found.run.argv == ("python", "train.py")
    assert ids(document) == []


@pytest.mark.parametrize(
    ("kind", "roles", "said"),
    [
        ("XGBoostJob", {"Worker": (2, {})}, "spec.xgbReplicaSpecs.Master: Required value"),
        ("XGBoostJob", {"Master": (2, {})}, "spec.xgbReplicaSpecs.Master.replicas"),
        ("JAXJob", {}, "spec.jaxReplicaSpecs.Worker: Required value"),
        ("JAXJob", {"Master": (1, {})}, "spec.jaxReplicaSpecs.Master"),
    ],
)
def test_what_the_operator_refuses(kind: str, roles: dict[str, Any], said: str) -> None:
    import json

    assert any(said in each for each in messages(json.dumps(trained(kind, **roles))))
