"""The API server's rules beyond types: each is broken once, and said in its words at its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.k8s.manifests import CONTAINER, found, job, messages

C = "spec.template.spec.containers[0]"
P = "spec.template.spec"
VOLUME = {"name": "data", "emptyDir": {}}
INDEXED = {"completionMode": "Indexed", "completions": 4}


def limits(**amounts: Any) -> dict[str, Any]:
    return {
        "resources": {"limits": {name.replace("__", "/").replace("_", "."): each for name, each in amounts.items()}}
    }


def env(*variables: dict[str, Any]) -> dict[str, Any]:
    return {"env": list(variables)}


def exit_rule(**more: Any) -> dict[str, Any]:
    return {"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", **more}}]}}


def affinity(**requirement: Any) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", **requirement}]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


METADATA = [
    ({"name": None}, "metadata.name: Required value"),
    ({"name": "Train"}, 'metadata.name: Invalid value: "Train"'),
    ({"name": "a" * 64}, "metadata.name: Too long: may not be more than 63 bytes"),
    ({"name": None, "generateName": "Train-"}, 'metadata.generateName: Invalid value: "Train-"'),
    ({"namespace": "a.b"}, 'metadata.namespace: Invalid value: "a.b"'),
    ({"labels": {"a b": "c"}}, 'metadata.labels: Invalid value: "a b"'),
    ({"labels": {"a": "b c"}}, 'metadata.labels[a]: Invalid value: "b c"'),
    ({"labels": {"a": "b" * 64}}, "metadata.labels[a]: Too long"),
    ({"annotations": {"a": "x" * (256 << 10)}}, "metadata.annotations: Too long: may not be more than 262144 bytes"),
    ({"annotations": {"-a": "anything goes: $!"}}, 'metadata.annotations: Invalid value: "-a"'),
]
SPEC = [
    ({"backoffLimit": -1}, "spec.backoffLimit: Invalid value: -1: must be 0 to 2147483647"),
    ({"parallelism": 3_000_000_000}, "spec.parallelism: Invalid value: 3000000000"),
    ({"completionMode": "indexed"}, 'spec.completionMode: Unsupported value: "indexed": supported values'),
    ({"completionMode": "Indexed"}, "spec.completions: Required value"),
    (
        {**INDEXED, "parallelism": 100_001},
        "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000",
    ),
    ({"backoffLimitPerIndex": 1}, "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
    ({**INDEXED, "maxFailedIndexes": 1}, "spec.backoffLimitPerIndex: Required value"),
    (
        {**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 5},
        "spec.maxFailedIndexes: Invalid value: 5: must be less than or equal to 4",
    ),
    ({**INDEXED, "completions": 100_001, "backoffLimitPerIndex": 1}, "spec.maxFailedIndexes: Required value"),
    (
        {**INDEXED, "completions": 100_001, "backoffLimitPerIndex": 1, "maxFailedIndexes": 10_001},
        "spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000",
    ),
    ({"managedBy": "me"}, 'spec.managedBy: Invalid value: "me": must be `domain/name`'),
    ({"managedBy": "example.com/" + "a" * 60}, "spec.managedBy: Too long"),
    (exit_rule(values=[]), "rules[0].onExitCodes.values: Invalid value: […]: at least one value is required"),
    (exit_rule(values=[0]), "values[0]: Invalid value: 0: must not be 0 for the In operator"),
    (exit_rule(values=[2, 1]), "values[1]: Invalid value: 1: must be ordered"),
    (exit_rule(values=[2, 2]), "values[1]: Invalid value: 2: must be unique"),
    (exit_rule(values=list(range(1, 258))), "onExitCodes.values: Too many: 257: must have at most 255 items"),
    (exit_rule(values=[1], containerName="x"), 'onExitCodes.containerName: Not found: "x"'),
    ({"podFailurePolicy": {"rules": [{"action": "Ignore"}]}}, "specifying one of OnExitCodes and OnPodConditions"),
    (
        {"podFailurePolicy": {"rules": [{"action": "FailIndex", "onPodConditions": [{"type": "X"}]}]}},
        'rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    ),
    (
        {"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "X", "status": "yes"}]}]}},
        'onPodConditions[0].status: Unsupported value: "yes"',
    ),
    (
        {"podFailurePolicy": {"rules": []}, "podReplacementPolicy": "TerminatingOrFailed"},
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed"',
    ),
    ({"successPolicy": {"rules": [{"succeededCount": 1}]}}, "spec.successPolicy: Invalid value: {…}: requires indexed"),
    ({**INDEXED, "successPolicy": {"rules": []}}, "spec.successPolicy.rules: Required value"),
    ({**INDEXED, "successPolicy": {"rules": [{}]}}, "spec.successPolicy.rules[0]: Required value"),
    ({**INDEXED, "successPolicy": {"rules": [{"succeededCount": 5}]}}, "must be less than or equal to 4"),
    ({**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0-4"}]}}, "the index 4 must be below 4"),
    ({**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "2,1"}]}}, "indexes must be in ascending order"),
    ({**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "a"}]}}, "cannot be read as indexes"),
]
POD: list[tuple[dict[str, Any], str]] = [
    ({"restartPolicy": None}, f'{P}.restartPolicy: Required value: valid values: "OnFailure", "Never"'),
    (
        {"restartPolicy": "Always"},
        f'{P}.restartPolicy: Unsupported value: "Always": supported values: `OnFailure`, `Never`',
    ),
    ({"restartPolicy": "never"}, f'{P}.restartPolicy: Unsupported value: "never"'),
    ({"containers": []}, f"{P}.containers: Required value"),
    ({"containers": None}, f"{P}.containers: Required value"),
    ({"containers": [CONTAINER, CONTAINER]}, f'{P}.containers[1].name: Duplicate value: "main"'),
    ({"initContainers": [CONTAINER]}, f'{P}.containers[0].name: Duplicate value: "main"'),
    ({"volumes": [VOLUME, VOLUME]}, f'{P}.volumes[1].name: Duplicate value: "data"'),
    (
        {"volumes": [{**VOLUME, "hostPath": {"path": "/a"}}]},
        f"{P}.volumes[0].hostPath: Forbidden: may not specify more",
    ),
    ({"volumes": [{"name": "A", "emptyDir": {}}]}, f'{P}.volumes[0].name: Invalid value: "A"'),
    ({"volumes": [{"name": "a", "hostPath": {"path": "/a/../b"}}]}, "hostPath.path: Invalid value"),
    (
        {"volumes": [{"name": "a", "hostPath": {"path": "/a", "type": "Dir"}}]},
        'hostPath.type: Unsupported value: "Dir"',
    ),
    ({"volumes": [{"name": "a", "emptyDir": {"medium": "memory"}}]}, 'emptyDir.medium: Unsupported value: "memory"'),
    ({"volumes": [{"name": "a", "emptyDir": {"sizeLimit": "1GB"}}]}, 'emptyDir.sizeLimit: Invalid value: "1GB"'),
    ({"volumes": [{"name": "a", "emptyDir": {"sizeLimit": "-1"}}]}, "emptyDir.sizeLimit: Invalid value"),
    ({"volumes": [{"name": "a", "nfs": {"server": "s", "path": "x"}}]}, "nfs.path: Invalid value"),
    ({"volumes": [{"name": "a", "persistentVolumeClaim": {}}]}, "claimName: Required value"),
    ({"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "A_b"}}]}, 'claimName: Invalid value: "A_b"'),
    ({"volumes": [{"name": "a", "configMap": {"name": "c", "items": [{"key": "k", "path": "/k"}]}}]}, "relative path"),
    ({"volumes": [{"name": "a", "configMap": {"name": "c", "items": [{"key": "k", "path": "../k"}]}}]}, "contain '..'"),
    ({"volumes": [{"name": "a", "configMap": {"name": "c", "defaultMode": 512}}]}, "must be 0 to 511"),
    ({"volumes": [{"name": "a", "projected": {"sources": [{}]}}]}, "projected.sources[0]: Required value"),
    ({"volumes": [{"name": "a", "downwardAPI": {"items": [{"path": "x"}]}}]}, "items[0].fieldRef: Required value"),
    (
        {
            "volumes": [
                {"name": "a", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}}
            ]
        },
        ".resources[storage]: Required value",
    ),
    ({"serviceAccountName": "A"}, f'{P}.serviceAccountName: Invalid value: "A"'),
    ({"hostname": "a.b"}, f'{P}.hostname: Invalid value: "a.b"'),
    ({"hostAliases": [{"ip": "300.0.0.1"}]}, f'{P}.hostAliases[0].ip: Invalid value: "300.0.0.1"'),
    ({"hostAliases": [{"ip": "::1", "hostnames": ["A"]}]}, f'{P}.hostAliases[0].hostnames[0]: Invalid value: "A"'),
    ({"dnsConfig": {"nameservers": ["dns"]}}, f'{P}.dnsConfig.nameservers[0]: Invalid value: "dns"'),
    ({"dnsPolicy": "None"}, f"{P}.dnsConfig.nameservers: Required value"),
    ({"os": {"name": "macos"}}, f'{P}.os.name: Unsupported value: "macos"'),
    ({"activeDeadlineSeconds": 2**31}, f"{P}.activeDeadlineSeconds: Invalid value"),
    ({"nodeSelector": {"a b": "c"}}, f'{P}.nodeSelector: Invalid value: "a b"'),
    (affinity(operator="In"), "pressions[0].values: Required value"),
    (affinity(operator="Exists", values=["a"]), "pressions[0].values: Forbidden"),
    (affinity(operator="Gt", values=["a"]), 'ssions[0].values[0]: Invalid value: "a"'),
    (affinity(operator="Gt", values=["٣"]), 'ssions[0].values[0]: Invalid value: "٣"'),
    (affinity(operator="Gt", values=["9" * 5000]), 'ssions[0].values[0]: Invalid value: "999'),
    (affinity(operator="is", values=["a"]), 'essions[0].operator: Unsupported value: "is"'),
    ({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}, "tolerations[0].value: Invalid value"),
    ({"tolerations": [{"value": "b"}]}, "tolerations[0].operator: Invalid value"),
    ({"tolerations": [{"key": "a", "tolerationSeconds": 3}]}, "tolerations[0].tolerationSeconds: Invalid value"),
    ({"shareProcessNamespace": True, "hostPID": True}, f"{P}.shareProcessNamespace: Invalid value"),
    ({"securityContext": {"runAsUser": -1}}, f"{P}.securityContext.runAsUser: Invalid value: -1"),
    (
        {"securityContext": {"supplementalGroups": [-1]}},
        f"{P}.securityContext.supplementalGroups[0]: Invalid value: -1",
    ),
    ({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, "localhostProfile: Required value"),
    ({"securityContext": {"sysctls": [{"name": "a", "value": "1"}] * 2}}, "sysctls[1].name: Duplicate value"),
    ({"resources": {"limits": {"nvidia.com/gpu": 1}}}, f'{P}.resources.limits: Unsupported value: "nvidia.com/gpu"'),
]
CONTAINERS: list[tuple[dict[str, Any], str]] = [
    ({"image": None}, f"{C}.image: Required value"),
    ({"image": ""}, f"{C}.image: Required value"),
    (
        {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In"}}] * 21},
        f"{C}.restartPolicyRules: Too many: 21",
    ),
    ({"image": " a"}, f"{C}.image: Invalid value"),
    ({"name": "a_b"}, f'{C}.name: Invalid value: "a_b"'),
    ({"imagePullPolicy": "always"}, f'{C}.imagePullPolicy: Unsupported value: "always"'),
    ({"command": ["python train.py"]}, f"{C}.command: the program is called"),
    ({"command": "ls"}, f"{C}.command: Invalid value: it is a text, expected a list"),
    ({"command": ["ls", None]}, f"{C}.command[1]: Invalid value: it is null, expected a text"),
    (limits(gpu=1), f'{C}.resources.limits: Invalid value: "gpu": must be a standard resource type or fully qualified'),
    (limits(memory="512m"), f'{C}.resources.limits[memory]: "512m" is a byte at most, less than any program needs'),
    (limits(memory=64), f'{C}.resources.limits[memory]: "64" is 64 bytes, less than any program needs'),
    ({"resources": {"requests": {"memory": "64k"}}}, f'{C}.resources.requests[memory]: "64k" is 62.5 KiB'),
    (limits(memory="1GB"), f'{C}.resources.limits[memory]: Invalid value: "1GB": no quantity'),
    (limits(cpu=-1), f'{C}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
    (
        limits(nvidia_com__gpu="500m"),
        f'{C}.resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
    ),
    (
        {"resources": {"requests": {"nvidia.com/gpu": 1}}},
        f'{C}.resources.requests[nvidia.com/gpu]: Invalid value: "1": Limit must be set for non overcommitable',
    ),
    (
        {"resources": {"requests": {"nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": 2}}},
        'Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
    ),
    ({"resources": {"requests": {"cpu": 3}, "limits": {"cpu": "2"}}}, "must be less than or equal to cpu limit of 2"),
    ({"resources": {"limits": {"hugepages-2Mi": "4Mi"}}}, f"{C}.resources: Forbidden: HugePages require cpu or memory"),
    ({"resources": {"cpu": 1}}, f'unknown field "{C}.resources.cpu"'),
    (limits(requests_nvidia_com__gpu=1), 'Invalid value: "requests.nvidia.com/gpu"'),
    ({"ports": [{"containerPort": 0}]}, f"{C}.ports[0].containerPort: Invalid value: 0: must be 1 to 65535"),
    ({"ports": [{"containerPort": 1, "protocol": "tcp"}]}, f'{C}.ports[0].protocol: Unsupported value: "tcp"'),
    ({"ports": [{"containerPort": 1, "name": "A"}]}, f'{C}.ports[0].name: Invalid value: "A"'),
    ({"ports": [{"containerPort": 1, "name": "a"}] * 2}, f'{C}.ports[1].name: Duplicate value: "a"'),
    ({"ports": [{"containerPort": 1, "hostPort": 5}] * 2}, f'{C}.ports[1].hostPort: Duplicate value: "5"'),
    (env({"name": "A=B"}), f'{C}.env[0].name: Invalid value: "A=B"'),
    (env({"value": "b"}), f"{C}.env[0].name: Required value"),
    (env({"name": "A", "value": 1}), f"{C}.env[0].value: Invalid value: it is the number 1, expected a text"),
    (env({"name": "A"}, {"name": "A"}), f'{C}.env[1]: the variable "A" is given twice'),
    (env({"name": "A", "valueFrom": {}}), f"{C}.env[0].valueFrom: Required value"),
    (
        env({"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
        f"{C}.env[0].valueFrom: Forbidden: may not be specified when `value` is not empty",
    ),
    (env({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nam"}}}), "fieldPath: Unsupported value"),
    (env({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}), "fieldPath: Invalid value"),
    (
        env({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}),
        "fieldPath: Invalid value",
    ),
    (env({"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}), "resource: Unsupported value"),
    (env({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a b"}}}), "secretKeyRef.key: Invalid value"),
    (env({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}), "secretKeyRef.key: Required value"),
    ({"envFrom": [{}]}, f"{C}.envFrom[0]: Required value"),
    ({"envFrom": [{"secretRef": {"name": "a"}, "configMapRef": {"name": "b"}}]}, "more than one field specified"),
    ({"volumeMounts": [{"name": "x", "mountPath": "/x"}]}, f'{C}.volumeMounts[0].name: Not found: "x"'),
    ({"livenessProbe": {}}, f"{C}.livenessProbe: Required value"),
    ({"livenessProbe": {"exec": {"command": []}}}, f"{C}.livenessProbe.exec.command: Required value"),
    ({"livenessProbe": {"httpGet": {"port": 70000}}}, f"{C}.livenessProbe.httpGet.port: Invalid value: 70000"),
    ({"livenessProbe": {"tcpSocket": {"port": "A"}}}, f'{C}.livenessProbe.tcpSocket.port: Invalid value: "A"'),
    (
        {"startupProbe": {"successThreshold": 2, "tcpSocket": {"port": 1}}},
        f"{C}.startupProbe.successThreshold: Invalid value: 2: must be 1",
    ),
    ({"lifecycle": {"preStop": {"sleep": {"seconds": 1}, "exec": {"command": ["a"]}}}}, "more than 1 handler type"),
    (
        {"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}},
        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
    ),
    (
        {"securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}, "allowPrivilegeEscalation": False}},
        "`capabilities.add` CAP_SYS_ADMIN",
    ),
    ({"Image": "a"}, f'unknown field "{C}.Image"'),
]
CASES = [
    *((job(metadata=more), message) for more, message in METADATA),
    *((job(spec=more), message) for more, message in SPEC),
    *((job(pod=more), message) for more, message in POD),
    *((job(container=more), message) for more, message in CONTAINERS),
]


@pytest.mark.parametrize(("document", "message"), CASES, ids=[message[:60] for _, message in CASES])
def test_rule_is_kept(document: dict[str, Any], message: str) -> None:
    said = messages(document)
    assert len(said) == 1
    assert message in said[0]


MOUNTS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"name": "data", "mountPath": ""}], "mountPath: Required value"),
    ([{"name": "data", "mountPath": "/a:b"}], "must not contain ':'"),
    ([{"name": "data", "mountPath": "/a"}] * 2, "must be unique"),
    ([{"name": "data", "mountPath": "/a", "subPath": "/b"}], "must be a relative path"),
    ([{"name": "data", "mountPath": "/a", "subPath": "b/../c"}], "must not contain '..'"),
    ([{"name": "data", "mountPath": "/a", "subPath": "b", "subPathExpr": "c"}], "are mutually exclusive"),
]


@pytest.mark.parametrize(("mounts", "message"), MOUNTS)
def test_rule_of_mounts_is_kept(mounts: list[dict[str, Any]], message: str) -> None:
    (said,) = messages(job(pod={"volumes": [VOLUME]}, container={"volumeMounts": mounts}))
    assert message in said


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (job(metadata={"name": "a.b"}, spec=INDEXED), "metadata.name: Invalid value"),
        (job(metadata={"name": "a" * 62}, spec=INDEXED), "metadata.name: Invalid value"),
        (job(spec=exit_rule(values=[1]), pod={"restartPolicy": "OnFailure"}), "only `Never`"),
        (job(spec={**INDEXED, "backoffLimitPerIndex": 1}, pod={"restartPolicy": "OnFailure"}), "only `Never`"),
        (
            job(pod={"hostNetwork": True}, container={"ports": [{"containerPort": 1, "hostPort": 2}]}),
            "must match `containerPort` when `hostNetwork` is true",
        ),
    ],
)
def test_rule_that_joins_two_parts_is_kept(document: dict[str, Any], message: str) -> None:
    (said,) = messages(document)
    assert message in said


GOOD = [
    job(),
    job(metadata={"name": "a.b", "labels": {"example.com/a": ""}, "annotations": {"a": "any $ text"}}),
    job(metadata={"name": None, "generateName": "train-"}),
    job(spec={**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 4, "parallelism": 2}),
    job(spec={**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0,2-3", "succeededCount": 1}]}}),
    job(spec=exit_rule(values=[1, 2, 42], containerName="main")),
    job(spec={"backoffLimit": 0, "activeDeadlineSeconds": 0}),
    job(pod={"tolerations": [{"operator": "Exists"}, {"key": "a", "effect": "NoExecute", "tolerationSeconds": 3}]}),
    job(pod=affinity(operator="Gt", values=["3"])),
    job(pod={"hostAliases": [{"ip": "127.0.0.1", "hostnames": ["a.b"]}, {"ip": "fe80::1"}]}),
    job(pod={"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"]}}),
    job(pod={"initContainers": [{**CONTAINER, "name": "a", "restartPolicy": "Always"}]}),
    job(pod={"initContainers": [{**CONTAINER, "name": "a", "restartPolicy": "OnFailure"}]}),
    job(pod={"volumes": [{"name": "data"}]}, container={"volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
    job(metadata={"name": "a", "annotations": {"Example.com/a": "b"}}),
    job(pod={"hostUsers": False}, container={"securityContext": {"procMount": "Unmasked"}}),
    job(pod={"dnsConfig": {"searches": ["a_b.c.", "."]}}),
    job(pod={"resources": {"requests": {"cpu": 2}, "limits": {"cpu": 2}}}, container=limits(cpu="2")),
    job(container={"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}, "allowPrivilegeEscalation": False}}),
    job(container={"lifecycle": {"preStop": {"sleep": {"seconds": 40}}}}, pod={"terminationGracePeriodSeconds": 40}),
    job(container=limits(cpu="1.5", memory="1e9", nvidia_com__gpu=1)),
    job(container={"resources": {"limits": {"hugepages-2Mi": "4Mi", "memory": "1Gi"}}}),
    job(container={"resources": {"requests": {"memory": None}}}),
    job(container=env({"name": "my.var-1"}, {"name": "A", "value": None}, {"name": "B", "value": "$(A)"})),
    job(container=env({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['example.com/a']"}}})),
    job(container={"ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 80, "protocol": "UDP"}]}),
    job(container={"readinessProbe": {"successThreshold": 2, "httpGet": {"port": "http"}}}),
    job(container={"command": []}),
]


@pytest.mark.parametrize("document", GOOD, ids=str)
def test_what_the_server_takes_is_taken(document: dict[str, Any]) -> None:
    assert messages(document) == []


def test_everything_wrong_is_said_at_once() -> None:
    document = job(
        metadata={"name": "T"}, spec={"backoffLimit": -1}, pod={"restartPolicy": None}, container={"image": None}
    )
    assert {each.code.id for each in found(document)} == {"FC302", "FC303", "FC306", "FC307"}


def test_a_misspelt_field_is_named_with_its_place_and_what_was_meant() -> None:
    (said,) = found(job(container={"commandd": ["a"]}))
    assert said.message == f'unknown field "{C}.commandd"'
    assert said.help == "did you mean `command`?"
    (said,) = found(job(pod={"ttlSecondsAfterFinished": 1}))
    assert said.help == "it belongs to the Job's `spec`"


def test_a_placeholder_is_taken_for_one() -> None:
    for text, word in (
        ("${NAME}", "--fill"),
        ("{{ .Name }}", "helm template"),
        ("a-<name>", "--fill 'name=VALUE'"),
        ("NAME", "your own"),
    ):
        (said,) = found(job(metadata={"name": text}))
        assert word in (said.help or "")


@pytest.mark.parametrize(
    ("container", "pod", "help"),
    [
        ({"env": {"A": "b"}}, {}, 'write a list: `env: [{name: NAME, value: "text"}]`'),
        ({"ports": [8080]}, {}, "write a list of mappings: `ports: [{containerPort: 8080}]`"),
        ({}, {"volumes": [{"name": "v", "hostPath": "/x"}]}, "write a mapping: `hostPath: {path: /data}`"),
    ],
)
def test_other_forms_of_a_field_are_told_what_to_write(
    container: dict[str, Any], pod: dict[str, Any], help: str
) -> None:
    assert [each.help for each in found(job(pod=pod, container=container)) if each.code.id == "FC304"] == [help]
