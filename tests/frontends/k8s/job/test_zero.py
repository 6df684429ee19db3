"""Zero is a value: where a field is 0, that is said of the job, and not what holds where the field is left out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.field_examples_pod import job_set, pytorch, volcano
from tests.frontends.k8s.lowering import INDEXED, config_map, lowered, one, with_volume
from tests.frontends.k8s.manifests import job


def replicas(document: dict[str, Any]) -> dict[str, Any]:
    document["spec"]["replicatedJobs"][0]["replicas"] = 0
    return document


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (job({"completions": 0}), "spec.completions"),
        (job({"completions": 0, "parallelism": 8}), "spec.completions"),
        (job({**INDEXED, "completions": 0}), "spec.completions"),
        (job({"completions": 0, "parallelism": 0}), "spec.completions"),
        (volcano(replicas=0), "spec.tasks[0].replicas"),
    ],
)
def test_no_pod_at_all_is_no_bid(document: dict[str, Any], path: str) -> None:
    _, diagnostics = lowered(document)
    assert [each.message for each in diagnostics if each.code.id == "FC333"] == [
        f"`{path}` cannot be kept: it starts no pod, so nothing would run"
    ]


def test_a_task_of_volcano_without_a_number_has_no_pod() -> None:
    document = volcano()
    del document["spec"]["tasks"][0]["replicas"]
    assert "without `replicas` it has no pod" in "".join(each.message for each in lowered(document)[1])


def test_no_parallelism_is_a_bid_that_waits() -> None:
    assert one(job({"parallelism": 0})).placement.paused is True
    assert one(job({**INDEXED, "parallelism": 0})).placement.paused is True


def test_no_failure_is_allowed() -> None:
    assert one(job({"backoffLimit": 0})).retry.max_restarts == 0
    assert one(job({**INDEXED, "completions": 8, "backoffLimitPerIndex": 0})).retry.max_restarts == 0
    assert one(pytorch({"backoffLimit": 0})).retry.max_restarts == 0


def test_no_time_to_stop() -> None:
    assert one(job(pod={"terminationGracePeriodSeconds": 0})).isolation.stop_grace_s == 0
    assert one(job()).isolation.stop_grace_s is None


def test_no_time_after_the_end() -> None:
    assert one(job({"ttlSecondsAfterFinished": 0})).terminate_on_exit is True
    assert one(job_set(ttlSecondsAfterFinished=0)).terminate_on_exit is True
    assert one(job()).terminate_on_exit is None


def test_root_and_its_group() -> None:
    assert one(job(pod={"securityContext": {"runAsUser": 0, "runAsGroup": 0}})).isolation.user == "0:0"
    assert one(job(pod={"securityContext": {"fsGroup": 0}})).isolation.groups == ("0",)
    assert one(job(pod={"securityContext": {"supplementalGroups": [0]}})).isolation.groups == ("0",)


def test_a_pause_of_no_seconds() -> None:
    document = job(container={"lifecycle": {"preStop": {"sleep": {"seconds": 0}}}})
    assert one(document).isolation.before_stop == ("sleep", "0")


@pytest.mark.parametrize(
    ("field", "key", "default"),
    [("period_s", "periodSeconds", 10), ("timeout_s", "timeoutSeconds", 1), ("failures", "failureThreshold", 3)],
)
def test_a_probe_of_zeros_is_filled_in_by_the_server(field: str, key: str, default: int) -> None:
    """Here the API server itself takes 0 for nothing said."""
    probe = {"exec": {"command": ["x"]}, key: 0}
    assert getattr(one(job(container={"livenessProbe": probe})).isolation.liveness, field) == default


def test_files_that_nobody_may_read() -> None:
    source = {"configMap": {"name": "c", "defaultMode": 0}}
    assert [each.mode for each in one(with_volume(source), config_map("c", k="1")).files] == [0]
    items = [{"path": "p", "mode": 0, "fieldRef": {"fieldPath": "metadata.name"}}]
    found = one(with_volume({"downwardAPI": {"items": items}}))
    assert [each.mode for each in found.files] == [0]
    found = one(with_volume({"downwardAPI": {"items": [{**items[0], "mode": None}], "defaultMode": 0}}))
    assert [each.mode for each in found.files] == [0]


def test_memory_without_a_bound() -> None:
    """To the kubelet a `sizeLimit` of 0 is none."""
    source = {"emptyDir": {"medium": "Memory", "sizeLimit": 0}}
    found = one(with_volume(source, {"mountPath": "/dev/shm"}))
    assert found.resources.shm_bytes is None
    assert [(each.kind, each.target) for each in found.mounts] == [("memory", "/dev/shm")]


def test_nothing_asked_for() -> None:
    limits = {"nvidia.com/gpu": 0, "cpu": 0, "memory": 0, "ephemeral-storage": 0}
    found = one(job(container={"resources": {"limits": limits}}))
    assert (found.resources.gpus_per_node, found.resources.cpus_per_node) == (None, None)
    assert (found.isolation.cpus, found.isolation.memory_bytes) == (None, None)


def test_a_port_of_the_host_that_is_none() -> None:
    ports = [{"containerPort": 8080, "hostPort": 0}]
    assert [each.external for each in one(job(container={"ports": ports})).ports] == [8080]
