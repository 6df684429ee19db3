"""Fields of TrainJobs and their runtimes, each with two manifests that differ in it and must not give the same."""

from __future__ import annotations

from typing import Any

from tests.frontends.k8s.lowering import Documents

STEP = "trainer.kubeflow.org/trainjob-ancestor-step"


def train(trainer: dict[str, Any] | None = None, name: str = "torch-distributed", **more: Any) -> dict[str, Any]:
    inner = {"runtimeRef": {"name": name}, "trainer": {"image": "a:1", "command": ["torchrun", "a.py"]}, **more}
    inner["trainer"] |= trainer or {}
    version = "trainer.kubeflow.org/v1alpha1"
    return {"apiVersion": version, "kind": "TrainJob", "metadata": {"name": "t"}, "spec": inner}


def runtime(
    policy: dict[str, Any] | None = None, pod: dict[str, Any] | None = None, name: str = "r", **container: Any
) -> dict[str, Any]:
    one = {"name": "node", "image": "r:1", "command": ["r"], **container}
    template = {
        "metadata": {"labels": {STEP: "trainer"}},
        "spec": {"template": {"spec": {"containers": [one], **(pod or {})}}},
    }
    spec = {
        "mlPolicy": policy if policy is not None else {"numNodes": 1, "torch": {}},
        "template": {"spec": {"replicatedJobs": [{"name": "node", "template": template}]}},
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": {"name": name},
        "spec": spec,
    }


def with_runtime(trainer: dict[str, Any] | None = None, **policy: Any) -> Documents:
    return train(trainer, "r"), runtime(policy)


def patch(name: str = "node", **spec: Any) -> dict[str, Any]:
    job = {"name": name, "template": {"spec": {"template": {"spec": spec}}}}
    inner = {"trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}}}
    return train(runtimePatches=[{"manager": "m", **inner}])


def override(*targets: str, **spec: Any) -> dict[str, Any]:
    named = {"targetJobs": [{"name": each} for each in targets]} if targets else {}
    return train(podTemplateOverrides=[{**named, "spec": spec}])


SLOW = {"terminationGracePeriodSeconds": 99}
SELECTED = {"nodeSelector": {"node.kubernetes.io/instance-type": "p5.48xlarge"}}


def mounted(name: str) -> dict[str, Any]:
    return patch(containers=[{"name": "node", "env": [{"name": name, "value": "1"}]}])


EXAMPLES = {
    "TrainJobSpec.podSpecOverrides": (train(), train(podSpecOverrides=[SLOW])),
    "TrainJobSpec.suspend": (train(), train(suspend=True)),
    "TrainJobSpec.activeDeadlineSeconds": (train(), train(activeDeadlineSeconds=9)),
    "TrainJobSpec.managedBy": (
        train(managedBy="trainer.kubeflow.org/trainjob-controller"),
        train(managedBy="example.com/controller"),
    ),
    "RuntimeRef.name": (train(), train(name="jax-distributed")),
    "Trainer.image": (train(), train({"image": "b:1"})),
    "Trainer.command": (train(), train({"command": ["b"]})),
    "Trainer.args": (train(), train({"args": ["b"]})),
    "Trainer.numNodes": (train(), train({"numNodes": 2})),
    "Trainer.numProcPerNode": (train(), train({"numProcPerNode": 4})),
    "ReplicatedJobPatch.name": (patch("node", **SLOW), patch("other", **SLOW)),
    "PodTemplateOverrideTarget.name": (override("node", **SLOW), override("other", **SLOW)),
    "PodSpecPatch.terminationGracePeriodSeconds": (train(), patch(**SLOW)),
    "PodSpecPatch.nodeSelector": (train(), patch(**SELECTED)),
    "PodSpecPatch.imagePullSecrets": (train(), patch(imagePullSecrets=[{"name": "s"}])),
    "PodSpecPatch.schedulingGates": (train(), patch(schedulingGates=[{"name": "g"}])),
    "ContainerPatch.name": (mounted("A"), mounted("B")),
    "MLPolicy.numNodes": (with_runtime(numNodes=1, torch={}), with_runtime(numNodes=2, torch={})),
    "MLPolicy.jax": (with_runtime(numNodes=1), with_runtime(numNodes=1, jax={})),
    "MLPolicy.xgboost": (with_runtime(numNodes=1), with_runtime(numNodes=1, xgboost={})),
    "TorchPolicy.numProcPerNode": (with_runtime(torch={}), with_runtime(torch={"numProcPerNode": 2})),
}
