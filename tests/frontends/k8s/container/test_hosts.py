"""Hosts of the cluster's network: a rented machine finds none of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.field_examples_pod import job_set
from tests.frontends.k8s.lowering import INDEXED, lowered, one
from tests.frontends.k8s.manifests import job


@pytest.mark.parametrize(
    ("container", "told"),
    [
        (
            {"env": [{"name": "DB", "value": "redis://cache.prod.svc.cluster.local:6379/0"}]},
            "cache.prod.svc.cluster.local",
        ),
        ({"command": ["curl", "https://kubernetes.default.svc/api"]}, "kubernetes.default.svc"),
        ({"args": ["sh", "-c", "wait-for minio.ml.svc:9000"]}, "minio.ml.svc"),
        ({"args": ["a.svc.example.com", "$HOST.workers.svc", "x.svcs", "svc"]}, None),
        ({"args": ["$HOST.x.svc"]}, "$HOST.x.svc"),
        (
            {"args": ["--client", "warp-{0...3}.warp.default.svc.cluster.local:7761"]},
            "warp-{0...3}.warp.default.svc.cluster.local",
        ),
        ({"command": ["sh", "-c", "echo a && curl http://$(CLUSTER)-db.ml.svc:80"]}, "$(CLUSTER)-db.ml.svc"),
        ({"env": [{"name": "MLFLOW_TRACKING_URI", "value": "http://mlflow-service:5000"}]}, "mlflow-service"),
        ({"env": [{"name": "BROKER_URL", "value": "amqp://guest:guest@rabbitmq:5672"}]}, "rabbitmq"),
        ({"env": [{"name": "POSTGRES_HOST", "value": "postgres"}]}, "postgres"),
        ({"env": [{"name": "BOOTSTRAP", "value": "kafka-0:9092,kafka-1:9092"}]}, "kafka-0`, `kafka-1"),
        ({"args": ["sh", "-c", "curl http://vllm/v1/models\n"]}, "vllm"),
        ({"args": ["sh", "-c", "# curl http://vllm/v1/models\n"]}, None),
        ({"env": [{"name": "A", "value": "http://localhost:8080/"}, {"name": "B_HOST", "value": "0.0.0.0"}]}, None),
        ({"args": ["git clone https://github.com/a/b", "mysql://user:pw@host:port/db", "s3://bucket/x"]}, None),
        ({"env": [{"name": "BASE_IMAGE", "value": "ubuntu:2204"}, {"name": "HOST", "value": "localhost"}]}, None),
        ({"env": [{"name": "MASTER_ADDR", "value": "t-0"}, {"name": "B_HOST", "value": "db.example.com"}]}, None),
        (
            {"image": "image-registry.openshift-image-registry.svc:5000/default/mlperf:ssd"},
            "image-registry.openshift-image-registry.svc:5000",
        ),
        ({"image": "mgmt01:5000/bench"}, "mgmt01:5000"),
        ({"image": "registry.local/llama:v1"}, "registry.local"),
        ({"image": "registry.service.consul:4443/ray:2"}, "registry.service.consul:4443"),
        ({"image": "10.20.0.63:31896/tf:1"}, "10.20.0.63:31896"),
        ({"env": [{"name": "ENDPOINT", "value": "10.244.200.205:9102"}]}, "10.244.200.205"),
        ({"args": ["sh", "-c", "curl http://192.168.4.30/a"]}, "192.168.4.30"),
        ({"args": ["--cidr=10.0.0.0/16", "--version=10.1.2", "11.10.1.2.3", "8.8.8.8", "172.32.1.1"]}, None),
        ({"image": "localhost:5000/bench"}, None),
        ({"image": "registry.example.com:5000/bench"}, None),
        ({"args": ["t-0.workers.default.svc"]}, None),
        ({"args": ["t-db.ml.svc"]}, "t-db.ml.svc"),
        ({"args": ["training.ml.svc"]}, "training.ml.svc"),
        ({"args": ["t-db-0.db.ml.svc"]}, "t-db-0.db.ml.svc"),
    ],
)
def test_services_of_the_cluster_are_told(container: dict[str, Any], told: str | None) -> None:
    document = job(None, None, container)
    document["metadata"]["name"] = "t"
    document["spec"]["template"]["spec"]["subdomain"] = "workers"
    found = [each.message for each in lowered(document)[1] if each.code.id == "FC343"]
    assert found == ([f"no machine answers to `{told}`"] if told else [])


def test_hosts_in_values_of_a_config_map_are_told() -> None:
    """And none of those whose address the manifest gives."""
    container = {"envFrom": [{"configMapRef": {"name": "c"}}]}
    document = job(None, None, container)
    document["spec"]["template"]["spec"]["hostAliases"] = [{"ip": "10.1.2.3", "hostnames": ["db"]}]
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    settings["data"] = {"REDIS": "redis://cache:6379", "DB_HOST": "db", "A": "http://a.b.svc"}  # type: ignore[assignment]
    told = [each.message for each in lowered(settings, document)[1] if each.code.id == "FC343"]
    assert told == ["no machine answers to `cache`, `a.b.svc`"]


def addressed(*, document: dict[str, Any]) -> tuple[str | None, list[str]]:
    """The value of MASTER_ADDR, and the names that are told."""
    jobs, diagnostics = lowered(document)
    told = [each.message for each in diagnostics if each.code.id == "FC343"]
    return dict(jobs[0].env).get("MASTER_ADDR"), told


def test_the_name_of_the_only_pod_is_the_machine_itself() -> None:
    container = {"env": [{"name": "MASTER_ADDR", "value": "t-w-0-0.t"}], "command": ["a", "--to=t-w-0-0.t:80"]}
    document = job_set({"completions": 1, "parallelism": 1})
    document["spec"]["replicatedJobs"][0]["template"]["spec"] = job(
        {"completions": 1, "parallelism": 1}, container=container
    )["spec"]
    assert addressed(document=document) == ("localhost", [])
    assert one(document).run.argv[-1] == "--to=localhost:80"
    alone = job({**INDEXED, "completions": 1, "parallelism": 1}, container=container)
    alone["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "train-0.workers"
    assert addressed(document=alone) == ("localhost", [])


def test_names_of_pods_that_are_bids_of_their_own_are_told() -> None:
    container = {"env": [{"name": "MASTER_ADDR", "value": "train-0.workers"}]}
    document = job({**INDEXED, "completions": 4, "parallelism": 2}, container=container)
    value, (message,) = addressed(document=document)
    assert value == "train-0.workers"
    assert "train-0.workers" in message
