"""What the API server checks beyond the type of a field, also of fields that mean nothing on a machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.manifests import CONTAINER, found, job

C = "spec.template.spec.containers[0]"
P = "spec.template.spec"
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
NEAR = "requiredDuringSchedulingIgnoredDuringExecution"
RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [3]}}


def sysctl(name: str, **pod: Any) -> dict[str, Any]:
    return job(pod={"securityContext": {"sysctls": [{"name": name, "value": "1"}]}, **pod})


def volume(**source: Any) -> dict[str, Any]:
    return job(pod={"volumes": [{"name": "v", **source}]})


def mount(**more: Any) -> dict[str, Any]:
    mounts = [{"name": "v", "mountPath": "/v", **more}]
    return job(pod={"volumes": [{"name": "v", "emptyDir": {}}]}, container={"volumeMounts": mounts})


def labelled(**labels: str) -> dict[str, Any]:
    document = job()
    names = {name.replace("_", "-"): value for name, value in labels.items()}
    document["spec"]["template"]["metadata"] = {"labels": names}
    return document


def restarts(*rules: Any, policy: str = "Never") -> dict[str, Any]:
    return job(container={"restartPolicy": policy, "restartPolicyRules": list(rules)})


CASES = [
    (labelled(job_name="other"), "spec.template.metadata.labels[job-name]: Invalid value: \"other\": must be 'train'"),
    (labelled(controller_uid="x"), "spec.template.metadata.labels[controller-uid]: Invalid value"),
    (sysctl("a b"), f"{P}.securityContext.sysctls[0].name: Invalid value"),
    (sysctl("net/core/somaxconn", hostNetwork=True), "may not be specified when 'hostNetwork' is true"),
    (sysctl("kernel.shmmax", hostIPC=True), "may not be specified when 'hostIPC' is true"),
    (job(pod={"hostUsers": False, "hostPID": True}), f"{P}.hostPID: Forbidden: when `hostUsers` is false"),
    (job(pod={"dnsConfig": {"nameservers": ["1.1.1.1"] * 4}}), f"{P}.dnsConfig.nameservers: Too many: 4"),
    (job(pod={"dnsConfig": {"searches": ["a"] * 7}}), f"{P}.dnsConfig.searches: Too many: 7"),
    (job(pod={"dnsConfig": {"searches": ["a b"]}}), f"{P}.dnsConfig.searches[0]: Invalid value"),
    (job(pod={"dnsConfig": {"options": [{"value": "2"}]}}), f"{P}.dnsConfig.options[0].name: Required value"),
    (
        job(pod={"affinity": {"podAffinity": {NEAR: [{"topologyKey": "a", "namespaces": ["A"]}]}}}),
        "[0].namespaces[0]: Invalid value",
    ),
    (
        job(pod={"topologySpreadConstraints": [{**SPREAD, "topologyKey": ""}]}),
        f"{P}.topologySpreadConstraints[0].topologyKey: Required value",
    ),
    (
        job(pod={"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 1}]}),
        "can only use minDomains if whenUnsatisfiable=DoNotSchedule",
    ),
    (
        job(pod={"topologySpreadConstraints": [SPREAD, SPREAD]}),
        f"{P}.topologySpreadConstraints[1].topologyKey: Duplicate value",
    ),
    (job(pod={"schedulingGates": [{"name": "a"}] * 2}), f"{P}.schedulingGates[1].name: Duplicate value"),
    (job(pod={"readinessGates": [{"conditionType": "a b"}]}), f"{P}.readinessGates[0].conditionType: Invalid value"),
    (job(pod={"overhead": {"cpu": "1x"}}), f"{P}.overhead[cpu]: Invalid value"),
    (
        job(pod={"resources": {"requests": {"cpu": 1}}}, container={"resources": {"requests": {"cpu": 2}}}),
        f"{P}.resources.requests[cpu]: Invalid value",
    ),
    (
        job(pod={"resources": {"limits": {"cpu": 1}}}, container={"resources": {"limits": {"cpu": "1500m"}}}),
        f'{C}.resources.limits[cpu]: Invalid value: "1500m": must be less than or equal to pod limits of 1',
    ),
    (
        job(container={"resources": {"limits": {"hugepages-2Mi": "3Mi", "cpu": 1}}}),
        f'{C}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": must be a multiple of the page size 2Mi',
    ),
    (
        job(container={"resizePolicy": [{"resourceName": "gpu", "restartPolicy": "NotRequired"}]}),
        f'{C}.resizePolicy[0].resourceName: Unsupported value: "gpu"',
    ),
    (
        job(container={"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}),
        "must be 'NotRequired' when pod `restartPolicy` is 'Never'",
    ),
    (job(container={"securityContext": {"procMount": "Unmasked"}}), "`hostUsers` must be false to use `Unmasked`"),
    (restarts({"action": "Restart"}), f"{C}.restartPolicyRules[0].exitCodes: Required value"),
    (
        restarts({"action": "Restart", "exitCodes": {"operator": "In", "values": list(range(256))}}),
        f"{C}.restartPolicyRules[0].exitCodes.values: Too many: 256",
    ),
    (
        job(container={"readinessProbe": {"tcpSocket": {"port": 80}, "terminationGracePeriodSeconds": 3}}),
        f"{C}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes",
    ),
    (
        job(container={"readinessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "a b", "value": ""}]}}}),
        f"{C}.readinessProbe.httpGet.httpHeaders[0].name: Invalid value",
    ),
    (
        job(container={"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}),
        "must be non-negative and less than terminationGracePeriodSeconds (30)",
    ),
    (
        job(container={"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}, pod={"terminationGracePeriodSeconds": 0}),
        "must be non-negative and less than terminationGracePeriodSeconds (0)",
    ),
    (
        job(
            container={
                "env": [{"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v2", "fieldPath": "metadata.name"}}}]
            }
        ),
        f'{C}.env[0].valueFrom.fieldRef.apiVersion: Unsupported value: "v2"',
    ),
    (volume(hostPath={"path": ""}), f"{P}.volumes[0].hostPath.path: Required value"),
    (
        volume(configMap={"name": "m", "items": [{"key": "a", "path": "..data"}]}),
        f"{P}.volumes[0].configMap.items[0].path: Invalid value: \"..data\": must not start with '..'",
    ),
    (
        volume(downwardAPI={"items": [{"path": "", "fieldRef": {"fieldPath": "metadata.name"}}]}),
        f"{P}.volumes[0].downwardAPI.items[0].path: Required value",
    ),
    (
        volume(projected={"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 0}}]}),
        "n.expirationSeconds: Invalid value: 0: must be 600 to 4294967296",
    ),
    (mount(subPathExpr="../$(A)"), f"{C}.volumeMounts[0].subPathExpr: Invalid value"),
    (mount(mountPropagation="Bidirectional"), f"{C}.volumeMounts[0].mountPropagation: Forbidden"),
    (mount(recursiveReadOnly="Enabled"), f"{C}.volumeMounts[0].recursiveReadOnly: Forbidden"),
]


@pytest.mark.parametrize(("document", "said"), CASES, ids=[said[-60:] for _, said in CASES])
def test_what_the_server_refuses_is_refused(document: dict[str, Any], said: str) -> None:
    errors = [each.message for each in found(document) if each.severity == "error"]
    assert len(errors) == 1
    assert said in errors[0]


def test_a_sidecar_may_have_rules() -> None:
    sidecar = {**CONTAINER, "name": "a", "restartPolicy": "Always", "restartPolicyRules": [RULE]}
    assert [each for each in found(job(pod={"initContainers": [sidecar]})) if each.severity == "error"] == []


def test_the_labels_of_a_stored_job_are_the_servers() -> None:
    document = labelled(job_name="train", controller_uid="1")
    document["metadata"]["uid"] = "1"
    assert found(document) == []
