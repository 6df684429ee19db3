"""Pods that differ, where the machines of one bid have what each of them needs."""

from __future__ import annotations

import json

from flowc.diag.sink import Sink
from flowc.frontends.k8s import FRONTEND
from flowc.inputs import Inputs
from flowc.source import Source
from tests.frontends.k8s.field_examples_pod import ray
from tests.frontends.k8s.kinds.test_operators import in_set, say, started
from tests.frontends.k8s.lowering import lowered, one


def test_machines_have_what_each_of_the_pods_needs() -> None:
    limits = {"requests": {"memory": "32Gi", "cpu": "2"}, "limits": {"memory": "64Gi", "cpu": "4"}}
    more = {"limits": {"nvidia.com/gpu": 1, "memory": "40Gi", "cpu": "8"}, "requests": {"memory": "25Gi", "cpu": "4"}}
    rights = {"capabilities": {"add": ["IPC_LOCK"]}}
    document = in_set(
        ("a", 1, 1, {**say(A="a"), "resources": limits, "volumeMounts": [{"name": "d", "mountPath": "/d"}]}),
        ("b", 1, 2, {**say(), "resources": more, "volumeMounts": [{"name": "s", "mountPath": "/s"}]}),
    )
    pods = [each["template"]["spec"]["template"]["spec"] for each in document["spec"]["replicatedJobs"]]
    pods[0] |= {"volumes": [{"name": "d", "emptyDir": {}}], "imagePullSecrets": [{"name": "l"}]}
    pods[0]["containers"][0]["securityContext"] = rights
    pods[0]["initContainers"] = [{"name": "i", "image": "i:1"}]
    pods[1] |= {"volumes": [{"name": "s", "emptyDir": {}}]}
    pods[1]["containers"][0]["lifecycle"] = {"preStop": {"exec": {"command": ["ray", "stop"]}}}
    found = one(document)
    assert (found.resources.nodes, found.resources.gpus_per_node) == (3, 1)
    assert (found.resources.memory_bytes_per_node, found.isolation.memory_bytes) == (32 << 30, 64 << 30)
    assert (found.resources.cpus_per_node, found.isolation.cap_add) == (4, ("IPC_LOCK",))
    assert sorted(each.target for each in found.mounts) == ["/d", "/s"]
    assert [each.name for each in found.containers] == ["i"]
    assert [started(found, rank)[:1] for rank in range(3)] == ["a", " ", " "]
    told = [each.message for each in lowered(document)[1] if each.code.id == "FC331"]
    for word in ("volumes", "volumeMounts", "resources", "initContainers", "securityContext"):
        assert any(f"{word}` is kept in part" in each for each in told), told


def test_an_init_container_that_waits_for_another_pod_is_not_put_beside_it() -> None:
    document = in_set(("a", 1, 1, say()), ("b", 1, 2, say()))
    waiting = {"name": "i", "image": "i:1", "command": ["sh", "-c", "until nslookup t-a-0-0.t; do sleep 1; done"]}
    document["spec"]["replicatedJobs"][1]["template"]["spec"]["template"]["spec"]["initContainers"] = [waiting]
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(document)), Inputs(), sink)
    assert [each.code.id for each in sink.diagnostics if each.severity == "error"] == ["FC328"]


def test_of_two_builds_of_rays_image_all_machines_run_the_larger() -> None:
    pod = {"spec": {"containers": [{"name": "ray", "image": "ray:2.9.0-gpu"}]}}
    for document, image in ((ray(template=pod), "ray:2.9.0-gpu"), (ray(head={"template": pod}, replicas=1), "")):
        head = document["spec"]["rayClusterSpec"]["headGroupSpec"]
        workers = document["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]
        for group in (head, workers):
            container = group["template"]["spec"]["containers"][0]
            group["template"] = {
                "spec": {"containers": [{**container, "image": container["image"].replace(":1", ":2.9.0")}]}
            }
        assert one(document).image == (image or "ray:2.9.0-gpu")
    workers["template"]["spec"]["containers"][0]["image"] = "other:2.9.0"
    sink = Sink()
    FRONTEND.read(Source("job.yaml", json.dumps(document)), Inputs(), sink)
    assert [each.code.id for each in sink.diagnostics if each.severity == "error"] == ["FC328"]
