"""Fields of jobs and containers, each with two manifests that differ in it and must not give the same."""

from __future__ import annotations

from typing import Any

from tests.frontends.k8s.lowering import INDEXED, Documents, config_map, secret
from tests.frontends.k8s.manifests import job

Example = tuple[Documents, Documents]

BASE = job()


def spec(**more: Any) -> dict[str, Any]:
    return job(more)


def pod(**more: Any) -> dict[str, Any]:
    return job(pod=more)


def con(**more: Any) -> dict[str, Any]:
    return job(container=more)


def env(**more: Any) -> dict[str, Any]:
    return con(env=[{"name": "V", **more}])


def policy(**rule: Any) -> dict[str, Any]:
    return spec(podFailurePolicy={"rules": [rule]})


def codes(**more: Any) -> dict[str, Any]:
    return policy(action="FailJob", onExitCodes={"operator": "In", "values": [3], **more})


def two_containers(**more: Any) -> dict[str, Any]:
    found = codes(**more)
    found["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "a:1"})
    return found


def terms(key: str = "gpu-type", operator: str = "In", values: tuple[str, ...] = ("a100",)) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def required(*found: dict[str, Any]) -> dict[str, Any]:
    selector = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(found)}}
    return pod(affinity={"nodeAffinity": selector})


def preferred(*found: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    listed = [{"weight": weight, "preference": each} for weight, each in found]
    return pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": listed}})


def probe(**more: Any) -> dict[str, Any]:
    return con(livenessProbe={"exec": {"command": ["ok"]}, **more})


def dns(**more: Any) -> dict[str, Any]:
    return pod(dnsConfig=more)


def ref(kind: str, **more: Any) -> dict[str, Any]:
    return env(valueFrom={kind: {"name": "o", "key": "k", **more}})


def source(kind: str, prefix: str = "", **more: Any) -> dict[str, Any]:
    return con(envFrom=[{kind: {"name": "o", **more}, **({"prefix": prefix} if prefix else {})}])


CM, SEC = config_map("o", k="1", l="2"), secret("o", k="1", l="2")
MIXED = preferred((1, terms()), (2, terms(values=("h100",))))

EXAMPLES: dict[str, Example] = {
    "ObjectMeta.name": (BASE, job(metadata={"name": "other"})),
    "ObjectMeta.generateName": (BASE, job(metadata={"name": None, "generateName": "other-"})),
    "JobSpec.parallelism": (BASE, spec(parallelism=2)),
    "JobSpec.completions": (BASE, spec(completions=2)),
    "JobSpec.completionMode": (spec(completions=2, parallelism=2), spec(**{**INDEXED, "completions": 2})),
    "JobSpec.backoffLimit": (BASE, spec(backoffLimit=1)),
    "JobSpec.backoffLimitPerIndex": (spec(**INDEXED), spec(**{**INDEXED, "parallelism": 1}, backoffLimitPerIndex=1)),
    "JobSpec.activeDeadlineSeconds": (BASE, spec(activeDeadlineSeconds=60)),
    "JobSpec.ttlSecondsAfterFinished": (BASE, spec(ttlSecondsAfterFinished=60)),
    "JobSpec.suspend": (BASE, spec(suspend=True)),
    "PodFailurePolicyRule.action": (codes(), policy(action="Ignore", onExitCodes={"operator": "In", "values": [3]})),
    "PodFailurePolicyRule.onPodConditions": (
        BASE,
        policy(action="Ignore", onPodConditions=[{"type": "DisruptionTarget"}]),
    ),
    "PodFailurePolicyOnPodConditionsPattern.type": (
        policy(action="Ignore", onPodConditions=[{"type": "DisruptionTarget"}]),
        policy(action="Ignore", onPodConditions=[{"type": "Other"}]),
    ),
    "PodFailurePolicyOnExitCodesRequirement.containerName": (
        two_containers(containerName="main"),
        two_containers(containerName="side"),
    ),
    "PodFailurePolicyOnExitCodesRequirement.operator": (codes(), codes(operator="NotIn")),
    "PodFailurePolicyOnExitCodesRequirement.values": (codes(), codes(values=[4])),
    "SuccessPolicy.rules": (spec(**INDEXED), spec(**INDEXED, successPolicy={"rules": [{"succeededIndexes": "0"}]})),
    "SuccessPolicyRule.succeededIndexes": (
        spec(**INDEXED, successPolicy={"rules": [{"succeededIndexes": "0"}]}),
        spec(**INDEXED, successPolicy={"rules": [{"succeededIndexes": "1"}]}),
    ),
    "SuccessPolicyRule.succeededCount": (
        spec(**INDEXED),
        spec(**INDEXED, successPolicy={"rules": [{"succeededCount": 1}]}),
    ),
    "PodSpec.restartPolicy": (BASE, pod(restartPolicy="OnFailure")),
    "PodSpec.terminationGracePeriodSeconds": (BASE, pod(terminationGracePeriodSeconds=7)),
    "PodSpec.activeDeadlineSeconds": (BASE, pod(activeDeadlineSeconds=7)),
    "PodSpec.nodeSelector": (BASE, pod(nodeSelector={"gpu-type": "a100"})),
    "PodSpec.hostNetwork": (BASE, pod(hostNetwork=True)),
    "PodSpec.hostPID": (BASE, pod(hostPID=True)),
    "PodSpec.hostIPC": (BASE, pod(hostIPC=True)),
    "PodSpec.imagePullSecrets": (BASE, pod(imagePullSecrets=[{"name": "r"}])),
    "LocalObjectReference.name": (pod(imagePullSecrets=[{"name": "r"}]), pod(imagePullSecrets=[{"name": "s"}])),
    "PodSpec.hostname": (BASE, pod(hostname="h")),
    "PodSpec.hostnameOverride": (BASE, pod(hostnameOverride="h")),
    "PodSpec.hostAliases": (BASE, pod(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["a"]}])),
    "HostAlias.ip": (
        pod(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["a"]}]),
        pod(hostAliases=[{"ip": "1.2.3.5", "hostnames": ["a"]}]),
    ),
    "HostAlias.hostnames": (
        pod(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["a"]}]),
        pod(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["b"]}]),
    ),
    "PodSpec.schedulingGates": (BASE, pod(schedulingGates=[{"name": "example.com/g"}])),
    "PodDNSConfig.nameservers": (BASE, dns(nameservers=["1.1.1.1"])),
    "PodDNSConfig.searches": (BASE, dns(searches=["x.org"])),
    "PodDNSConfig.options": (BASE, dns(options=[{"name": "ndots", "value": "2"}])),
    "PodDNSConfigOption.name": (dns(options=[{"name": "ndots"}]), dns(options=[{"name": "rotate"}])),
    "PodDNSConfigOption.value": (dns(options=[{"name": "ndots"}]), dns(options=[{"name": "ndots", "value": "2"}])),
    "NodeAffinity.requiredDuringSchedulingIgnoredDuringExecution": (BASE, required(terms())),
    "NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution": (BASE, preferred((1, terms()))),
    "NodeSelector.nodeSelectorTerms": (required(terms()), required(terms(), terms(values=("h100",)))),
    "NodeSelectorTerm.matchExpressions": (required(terms()), required(terms(values=("h100",)))),
    "PreferredSchedulingTerm.weight": (MIXED, preferred((2, terms()), (1, terms(values=("h100",))))),
    "PreferredSchedulingTerm.preference": (MIXED, preferred((1, terms()), (2, terms(values=("h200",))))),
    "NodeSelectorRequirement.key": (required(terms()), required(terms(key="pool"))),
    "NodeSelectorRequirement.operator": (required(terms()), required(terms(operator="NotIn"))),
    "NodeSelectorRequirement.values": (required(terms()), required(terms(values=("h100",)))),
    "Container.image": (BASE, con(image="other:1")),
    "Container.imagePullPolicy": (BASE, con(imagePullPolicy="Never")),
    "Container.command": (BASE, con(command=["x"])),
    "Container.args": (BASE, con(args=["x"])),
    "Container.workingDir": (BASE, con(workingDir="/x")),
    "Container.restartPolicy": (
        pod(initContainers=[{"name": "a", "image": "i:1"}]),
        pod(initContainers=[{"name": "a", "image": "i:1", "restartPolicy": "Always"}]),
    ),
    "Container.restartPolicyRules": (
        con(restartPolicy="Never"),
        con(
            restartPolicy="Never",
            restartPolicyRules=[{"action": "Restart", "exitCodes": {"operator": "In", "values": [3]}}],
        ),
    ),
    "Container.livenessProbe": (BASE, probe()),
    "Container.startupProbe": (
        probe(),
        con(livenessProbe={"exec": {"command": ["ok"]}}, startupProbe={"exec": {"command": ["ok"]}}),
    ),
    "ContainerPort.containerPort": (BASE, con(ports=[{"containerPort": 8080}])),
    "ContainerPort.hostPort": (
        con(ports=[{"containerPort": 8080}]),
        con(ports=[{"containerPort": 8080, "hostPort": 9090}]),
    ),
    "ContainerPort.protocol": (
        con(ports=[{"containerPort": 8080}]),
        con(ports=[{"containerPort": 8080, "protocol": "UDP"}]),
    ),
    "Lifecycle.preStop": (BASE, con(lifecycle={"preStop": {"exec": {"command": ["x"]}}})),
    "LifecycleHandler.exec": (BASE, con(lifecycle={"preStop": {"exec": {"command": ["x"]}}})),
    "LifecycleHandler.sleep": (BASE, con(lifecycle={"preStop": {"sleep": {"seconds": 3}}})),
    "SleepAction.seconds": (
        con(lifecycle={"preStop": {"sleep": {"seconds": 3}}}),
        con(lifecycle={"preStop": {"sleep": {"seconds": 4}}}),
    ),
    "Probe.exec": (BASE, probe()),
    "Probe.grpc": (BASE, con(livenessProbe={"grpc": {"port": 80}})),
    "Probe.httpGet": (BASE, con(livenessProbe={"httpGet": {"port": 80}})),
    "Probe.tcpSocket": (BASE, con(livenessProbe={"tcpSocket": {"port": 80}})),
    "Probe.initialDelaySeconds": (probe(), probe(initialDelaySeconds=7)),
    "Probe.periodSeconds": (probe(), probe(periodSeconds=7)),
    "Probe.timeoutSeconds": (probe(), probe(timeoutSeconds=7)),
    "Probe.failureThreshold": (probe(), probe(failureThreshold=7)),
    "ExecAction.command": (probe(), con(livenessProbe={"exec": {"command": ["other"]}})),
    "EnvVar.name": (env(value="1"), con(env=[{"name": "W", "value": "1"}])),
    "EnvVar.value": (env(value="1"), env(value="2")),
    "EnvVarSource.fieldRef": (BASE, env(valueFrom={"fieldRef": {"fieldPath": "metadata.name"}})),
    "EnvVarSource.resourceFieldRef": (BASE, env(valueFrom={"resourceFieldRef": {"resource": "limits.cpu"}})),
    "EnvVarSource.configMapKeyRef": ((BASE, CM), (ref("configMapKeyRef"), CM)),
    "EnvVarSource.secretKeyRef": (BASE, ref("secretKeyRef")),
    "ObjectFieldSelector.fieldPath": (
        env(valueFrom={"fieldRef": {"fieldPath": "metadata.name"}}),
        env(valueFrom={"fieldRef": {"fieldPath": "metadata.namespace"}}),
    ),
    "ResourceFieldSelector.resource": (
        env(valueFrom={"resourceFieldRef": {"resource": "limits.cpu"}}),
        env(valueFrom={"resourceFieldRef": {"resource": "limits.memory"}}),
    ),
    "ResourceFieldSelector.containerName": (
        job(
            pod={"initContainers": [{"name": "i", "image": "i:1", "resources": {"limits": {"cpu": 3}}}]},
            container={"env": [{"name": "V", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]},
        ),
        job(
            pod={"initContainers": [{"name": "i", "image": "i:1", "resources": {"limits": {"cpu": 3}}}]},
            container={
                "env": [
                    {"name": "V", "valueFrom": {"resourceFieldRef": {"containerName": "i", "resource": "limits.cpu"}}}
                ]
            },
        ),
    ),
    "ResourceFieldSelector.divisor": (
        con(
            resources={"limits": {"cpu": 2}},
            env=[{"name": "V", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}],
        ),
        con(
            resources={"limits": {"cpu": 2}},
            env=[{"name": "V", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}],
        ),
    ),
    "ConfigMapKeySelector.name": ((ref("configMapKeyRef"), CM), (ref("configMapKeyRef", name="p"), CM)),
    "ConfigMapKeySelector.key": ((ref("configMapKeyRef"), CM), (ref("configMapKeyRef", key="l"), CM)),
    "ConfigMapKeySelector.optional": (ref("configMapKeyRef"), ref("configMapKeyRef", optional=True)),
    "SecretKeySelector.name": ((ref("secretKeyRef"), SEC), (ref("secretKeyRef", name="p"), SEC)),
    "SecretKeySelector.key": ((ref("secretKeyRef"), SEC), (ref("secretKeyRef", key="m"), SEC)),
    "SecretKeySelector.optional": (ref("secretKeyRef"), ref("secretKeyRef", optional=True)),
    "EnvFromSource.prefix": ((source("configMapRef"), CM), (source("configMapRef", "P_"), CM)),
    "EnvFromSource.configMapRef": ((BASE, CM), (source("configMapRef"), CM)),
    "EnvFromSource.secretRef": ((BASE, SEC), (source("secretRef"), SEC)),
    "ConfigMapEnvSource.name": ((source("configMapRef"), CM), (source("configMapRef", name="p"), CM)),
    "ConfigMapEnvSource.optional": (source("configMapRef"), source("configMapRef", optional=True)),
    "SecretEnvSource.name": ((source("secretRef"), SEC), (source("secretRef", name="p"), SEC)),
    "SecretEnvSource.optional": (source("secretRef"), source("secretRef", optional=True)),
    "ResourceRequirements.limits": (BASE, con(resources={"limits": {"memory": "1Gi"}})),
    "ResourceRequirements.requests": (BASE, con(resources={"requests": {"memory": "1Gi"}})),
}
