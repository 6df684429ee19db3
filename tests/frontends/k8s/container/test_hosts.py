"""Hosts of the cluster's network: a rented machine finds none of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.lowering import lowered
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
        ({"args": ["a.svc.example.com", "$HOST.x.svc", "x.svcs", "svc"]}, None),
        ({"args": ["t-0.workers.default.svc"]}, None),
    ],
)
def test_services_of_the_cluster_are_told(container: dict[str, Any], told: str | None) -> None:
    document = job(None, None, container)
    document["metadata"]["name"] = "t"
    found = [each.message for each in lowered(document)[1] if each.code.id == "FC343"]
    assert found == ([f"no machine answers to `{told}`"] if told else [])
