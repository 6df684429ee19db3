"""What the webhooks of JobSet, Volcano and the training operator refuse."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.frontends.k8s.field_examples_pod import elastic, in_task, job_set, policies, pytorch, restarting, volcano
from tests.frontends.k8s.manifests import found

RESTART = {"event": "PodFailed", "action": "RestartJob"}


def errors(document: dict[str, Any]) -> list[str]:
    return [each.message for each in found(document) if each.severity == "error"]


def named(document: dict[str, Any], name: str) -> dict[str, Any]:
    document["metadata"]["name"] = name
    return document


def part(**more: Any) -> dict[str, Any]:
    document = job_set()
    document["spec"]["replicatedJobs"][0].update(more)
    return document


def two_parts(**second: Any) -> dict[str, Any]:
    document = job_set()
    parts = document["spec"]["replicatedJobs"]
    parts.append({**copy.deepcopy(parts[0]), "name": "v", **second})
    return document


def task(**more: Any) -> dict[str, Any]:
    document = volcano()
    document["spec"]["tasks"][0].update(more)
    return document


def master(replicas: int) -> dict[str, Any]:
    document = pytorch(replicas=replicas)
    specs = document["spec"]["pytorchReplicaSpecs"]
    specs["Master"] = specs.pop("Worker")
    return document


def reasons(*words: str) -> dict[str, Any]:
    return restarting({"name": "a", "action": "FailJobSet", "onJobFailureReasons": list(words)})


def both_numbers() -> dict[str, Any]:
    document = elastic(nProcPerNode=2)
    document["spec"]["nprocPerNode"] = "2"
    return document


def nobody() -> dict[str, Any]:
    document = pytorch()
    document["spec"]["pytorchReplicaSpecs"] = {}
    return document


def no_worker() -> dict[str, Any]:
    document = master(1)
    document["spec"]["elasticPolicy"] = {"minReplicas": 1}
    return document


RULE = {"name": "a", "action": "FailJobSet"}
CASES = [
    (named(job_set(), "1set"), "its Job would be called `1set-w-0`: must be a lower-case letter, then"),
    (named(job_set(), "a.b"), "its Job would be called `a.b-w-0`"),
    (named(job_set(), "a" * 60), "its Job would have names of more than 63 characters"),
    (named(job_set({"completions": 10}), "a" * 54), "its pods would have names of more than 63 characters"),
    (two_parts(name="w"), 'spec.replicatedJobs[1].name: Duplicate value: "w"'),
    (part(groupName="a.b"), 'spec.replicatedJobs[0].groupName: Invalid value: "a.b"'),
    (part(dependsOn=[{"name": "w", "status": "Ready"}]), "spec.replicatedJobs[0].dependsOn: Forbidden"),
    (two_parts(dependsOn=[{"name": "x", "status": "Ready"}]), "spec.replicatedJobs[1].dependsOn[0].name: Unsupported"),
    (two_parts(dependsOn=[{"name": "w", "status": "ready"}]), "dependsOn[0].status: Unsupported value"),
    (job_set(network={"subdomain": "1a"}), "spec.network.subdomain: Invalid value"),
    (job_set(network={"sub": "a"}), 'unknown field "spec.network.sub"'),
    (job_set(successPolicy={"operator": "any"}), "spec.successPolicy.operator: Unsupported value"),
    (job_set(successPolicy={"targetReplicatedJobs": ["w"]}), "spec.successPolicy.operator: Required value"),
    (job_set(successPolicy={"operator": "All", "targetReplicatedJobs": ["x"]}), "spec.successPolicy.target"),
    (job_set(startupPolicy={"startupPolicyOrder": "inorder"}), "spec.startupPolicy.startupPolicyOrder: Unsupported"),
    (job_set(coordinator={"replicatedJob": "x"}), "spec.coordinator.replicatedJob: Unsupported value"),
    (job_set(coordinator={"replicatedJob": "w"}), "its job must be indexed, with a number of completions"),
    (job_set({"completions": 2}, coordinator={"replicatedJob": "w", "podIndex": 2}), "spec.coordinator.podIndex"),
    (restarting({"name": "a b", "action": "FailJobSet"}), "spec.failurePolicy.rules[0].name: Invalid value"),
    (restarting(RULE, RULE), "spec.failurePolicy.rules[1].name: Duplicate value"),
    (restarting({**RULE, "targetReplicatedJobs": ["x"]}), "spec.failurePolicy.rules[0].targetReplicatedJobs[0]"),
    (restarting({**RULE, "action": "Fail"}), "spec.failurePolicy.rules[0].action: Unsupported value"),
    (reasons("Backoff"), "spec.failurePolicy.rules[0].onJobFailureReasons[0]: Unsupported value"),
    (policies({**RESTART, "exitCode": 3}), "must not specify event and exitCode simultaneously"),
    (policies({"action": "RestartJob"}), "spec.policies[0].event: Required value"),
    (policies({"event": "OutOfSync", "action": "RestartJob"}), "spec.policies[0].event: Unsupported value"),
    (policies({"event": "PodFailed", "action": "SyncJob"}), "spec.policies[0].action: Unsupported value"),
    (policies(RESTART, {**RESTART, "action": "AbortJob"}), "spec.policies[1].event: Duplicate value"),
    (policies({"exitCode": 0, "action": "RestartJob"}), "spec.policies[0].exitCode: Invalid value: 0"),
    (policies(*[{"exitCode": 3, "action": "RestartJob"}] * 2), "spec.policies[1].exitCode: Duplicate value"),
    (policies(RESTART, {"event": "*", "action": "AbortJob"}), "if there's * here, no other policy should be here"),
    (in_task({"event": "Any", "action": "RestartTask"}), "spec.tasks[0].policies[0].event: Unsupported value"),
    (task(minAvailable=2), "spec.tasks[0].minAvailable: Invalid value: 2: must not be greater than the 1 replicas"),
    (volcano(minAvailable=2), "spec.minAvailable: Invalid value: 2"),
    (volcano(minSuccess=0), "spec.minSuccess: Invalid value: 0"),
    (task(name="W"), "spec.tasks[0].name: Invalid value"),
    (task(dependsOn={"name": ["w"]}), "spec.tasks[0].dependsOn.name[0]: Unsupported value"),
    (task(topologyPolicy="best"), "spec.tasks[0].topologyPolicy: Unsupported value"),
    (volcano(plugins={"torch": []}), 'spec.plugins: Unsupported value: "torch"'),
    (volcano(tasks=[]), "spec.tasks: Required value"),
    (named(volcano(), "a" * 62), "the pods of spec.tasks[0] would have names of more than 63 characters"),
    (master(2), "spec.pytorchReplicaSpecs.Master.replicas: Forbidden: must be 1"),
    (master(0), "spec.pytorchReplicaSpecs.Master.replicas: Forbidden: must be 1"),
    (pytorch(replicas=0), "spec.pytorchReplicaSpecs.Worker.replicas: Forbidden: must be at least 1"),
    (named(pytorch(), "1a"), "metadata.name: Invalid value"),
    (no_worker(), "spec.pytorchReplicaSpecs.Worker: Required value"),
    (job_set(replicatedJobs=[]), "spec.replicatedJobs: Required value"),
    (nobody(), "spec.pytorchReplicaSpecs.Worker: Required value"),
    (both_numbers(), "spec.elasticPolicy.nProcPerNode: Forbidden: must not be used with spec.nprocPerNode"),
    (pytorch({"managedBy": "me"}), "spec.runPolicy.managedBy: Unsupported value"),
]


@pytest.mark.parametrize(("document", "said"), CASES, ids=[said[-50:] for _, said in CASES])
def test_what_a_webhook_refuses_is_refused(document: dict[str, Any], said: str) -> None:
    assert any(said in each for each in errors(document))
    assert len([each for each in errors(document) if "replicated jobs, expected" not in each]) == 1


@pytest.mark.parametrize(
    "document",
    [
        job_set({"completions": 2}, coordinator={"replicatedJob": "w", "jobIndex": 0, "podIndex": 1}),
        job_set(successPolicy={"operator": "Any", "targetReplicatedJobs": ["w"]}, network={"subdomain": "a"}),
        job_set(startupPolicy={"startupPolicyOrder": "InOrder"}),
        restarting({"action": "FailJobSet"}, {"action": "RestartJobSet"}),
        policies(RESTART, {"event": "PodEvicted", "action": "RestartJob"}, {"exitCode": 3, "action": "AbortJob"}),
        policies({"events": ["PodFailed", "PodFailed"], "action": "RestartJob"}),
        in_task({"event": "TaskCompleted", "action": "CompleteJob"}),
        volcano(plugins={"svc": [], "env": [], "ssh": []}, networkTopology={"mode": "hard", "highestTierAllowed": 0}),
        pytorch({"managedBy": "kubeflow.org/training-operator", "cleanPodPolicy": "All"}),
    ],
)
def test_what_a_webhook_takes_is_taken(document: dict[str, Any]) -> None:
    assert errors(document) == []


def test_the_volumes_of_a_set_are_known() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    document = job_set(volumeClaimPolicies=[{"templates": [claim]}])
    pod = document["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    pod["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    assert errors(document) == []
