"""Fields of volumes, security and the neighbours of Jobs, each with two manifests that must not give the same."""

from __future__ import annotations

from typing import Any

from tests.frontends.k8s.field_examples import BASE, Example, con, pod, source
from tests.frontends.k8s.lowering import claim, config_map, secret, with_volume
from tests.frontends.k8s.manifests import job

CM, SEC = config_map("o", k="1", l="2"), secret("o", k="1", l="2")
ITEM = {"key": "k", "path": "p"}
NAME = {"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}
PVC = with_volume({"persistentVolumeClaim": {"claimName": "c"}})
GCS: dict[str, Any] = {"driver": "gcsfuse.csi.storage.gke.io", "volumeAttributes": {"bucketName": "b"}}
NFS = {"server": "s", "path": "/p"}
PERSISTENT = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"nfs": NFS}}
CSI = {"driver": "gcsfuse.csi.storage.gke.io", "volumeHandle": "b"}
BOUND = claim("c")
BOUND["spec"]["volumeName"] = "pv"


def behind(**spec: Any) -> tuple[dict[str, Any], ...]:
    """A claim's mount, the claim, and the PersistentVolume that it is bound to."""
    return (PVC, BOUND, {**PERSISTENT, "spec": spec})


def vol(kind: str, **more: Any) -> dict[str, Any]:
    return with_volume({kind: more})


def config(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return vol("configMap", name="o", **more), CM


def hidden(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return vol("secret", **{"secretName": "o", **more}), SEC


def item(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return config(items=[{**ITEM, **more}])


def projected(kind: str, beside: dict[str, Any], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return vol("projected", sources=[{kind: more}]), beside


def down(**more: Any) -> dict[str, Any]:
    return vol("downwardAPI", items=[{**NAME, **more}])


def csi(**more: Any) -> dict[str, Any]:
    return vol("csi", **{**GCS, **more})


def inside(**more: Any) -> dict[str, Any]:
    return pod(securityContext=more)


def own(**more: Any) -> dict[str, Any]:
    return con(securityContext=more)


def sysctl(name: str, value: str) -> dict[str, Any]:
    return inside(sysctls=[{"name": name, "value": value}])


def pytorch(run: dict[str, Any] | None = None, nproc: str | None = None, **master: Any) -> dict[str, Any]:
    containers = [{"name": "pytorch", "image": "a:1", "command": ["x"]}]
    replica = {"replicas": 1, "template": {"spec": {"containers": containers}}, **master}
    inner: dict[str, Any] = {"pytorchReplicaSpecs": {"Worker": replica}}
    inner |= {"runPolicy": run} if run else {}
    inner |= {"nprocPerNode": nproc} if nproc else {}
    return {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "t"}, "spec": inner}


def ray(spec: dict[str, Any] | None = None, head: dict[str, Any] | None = None, **group: Any) -> dict[str, Any]:
    """A RayJob with one group of workers, where there are parts of it."""
    pod = {"spec": {"containers": [{"name": "ray", "image": "ray:1"}]}}
    cluster: dict[str, Any] = {"headGroupSpec": {"rayStartParams": {}, "template": pod, **(head or {})}}
    workers = {"groupName": "w", "replicas": 1, "rayStartParams": {}, "template": pod, **group}
    cluster |= {"workerGroupSpecs": [workers]} if group else {}
    inner = {"entrypoint": "python a.py", "rayClusterSpec": cluster, **(spec or {})}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "t"}, "spec": inner}


def tensorflow(clean: str | None = None, success: str | None = None, **counts: int) -> dict[str, Any]:
    """A TFJob; its pods write what they are told."""
    container = {"name": "tensorflow", "image": "tf:1", "command": ["sh", "-c", 'echo "$TF_CONFIG"']}
    specs = {
        role: {"replicas": count, "template": {"spec": {"containers": [container]}}} for role, count in counts.items()
    }
    inner: dict[str, Any] = {"tfReplicaSpecs": specs}
    inner |= {"runPolicy": {"cleanPodPolicy": clean}} if clean else {}
    inner |= {"successPolicy": success} if success else {}
    return {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "metadata": {"name": "t"}, "spec": inner}


def mpi(
    spec: dict[str, Any] | None = None,
    worker: dict[str, Any] | None = None,
    launcher: dict[str, Any] | None = None,
    version: str = "v2beta1",
    replicas: int = 2,
) -> dict[str, Any]:
    """An MPIJob; `worker` and `launcher` are of their containers."""

    def replica(count: int, **container: Any) -> dict[str, Any]:
        return {"replicas": count, "template": {"spec": {"containers": [{"name": "m", "image": "mpi:1", **container}]}}}

    specs = {"Launcher": replica(1, **{"command": ["mpirun", "a"], **(launcher or {})})}
    specs |= {"Worker": replica(replicas, **(worker or {}))} if replicas else {}
    inner = {"mpiReplicaSpecs": specs, **(spec or {})}
    return {"apiVersion": f"kubeflow.org/{version}", "kind": "MPIJob", "metadata": {"name": "t"}, "spec": inner}


def volcano(replicas: int = 1, **more: Any) -> dict[str, Any]:
    task = {"name": "w", "replicas": replicas, "template": {"spec": job()["spec"]["template"]["spec"]}}
    inner = {"tasks": [task], **more}
    return {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "metadata": {"name": "t"}, "spec": inner}


def elastic(**policy: Any) -> dict[str, Any]:
    document = pytorch(replicas=2)
    document["spec"]["elasticPolicy"] = policy
    return document


RESTART = {"event": "PodFailed", "action": "RestartJob"}


def stopping(signal: str) -> dict[str, Any]:
    return job(pod={"os": {"name": "linux"}}, container={"lifecycle": {"stopSignal": signal}})


def in_task(*found: dict[str, Any]) -> dict[str, Any]:
    document = volcano()
    document["spec"]["tasks"][0]["policies"] = list(found)
    return document


def policies(*found: dict[str, Any]) -> dict[str, Any]:
    return volcano(policies=list(found))


def job_set(template: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    inner = {"replicatedJobs": [{"name": "w", "template": {"spec": job(template)["spec"]}}], **more}
    return {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "t"}, "spec": inner}


def restarting(*rules: dict[str, Any]) -> dict[str, Any]:
    return job_set(failurePolicy={"maxRestarts": 2, "rules": list(rules)})


def binary() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "o"}, "binaryData": {"k": "YQ=="}}


def encoded() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "o"}, "data": {"k": "YQ=="}}


def parts(**more: Any) -> dict[str, Any]:
    return with_volume({"emptyDir": {}}, more)


TWO = [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}]

EXAMPLES: dict[str, Example] = {
    "VolumeMount.name": (
        job(pod={"volumes": TWO}, container={"volumeMounts": [{"name": "v", "mountPath": "/d"}]}),
        job(pod={"volumes": TWO}, container={"volumeMounts": [{"name": "w", "mountPath": "/d"}]}),
    ),
    "VolumeMount.mountPath": (parts(), parts(mountPath="/other")),
    "VolumeMount.subPath": (parts(), parts(subPath="x")),
    "VolumeMount.subPathExpr": (parts(), parts(subPathExpr="x")),
    "VolumeMount.readOnly": (parts(), parts(readOnly=True)),
    "Volume.name": (BASE, parts()),
    "EmptyDirVolumeSource.medium": (vol("emptyDir"), vol("emptyDir", medium="Memory")),
    "EmptyDirVolumeSource.sizeLimit": (vol("emptyDir"), vol("emptyDir", sizeLimit="1Gi")),
    "HostPathVolumeSource.path": (vol("hostPath", path="/a"), vol("hostPath", path="/b")),
    "HostPathVolumeSource.type": (vol("hostPath", path="/a"), vol("hostPath", path="/a", type="Socket")),
    "PersistentVolumeClaimVolumeSource.claimName": (PVC, vol("persistentVolumeClaim", claimName="d")),
    "PersistentVolumeClaimVolumeSource.readOnly": (PVC, vol("persistentVolumeClaim", claimName="c", readOnly=True)),
    "PersistentVolumeClaimSpec.accessModes": ((PVC, claim("c")), (PVC, claim("c", mode="ReadWriteMany"))),
    "PersistentVolumeClaimSpec.volumeName": ((PVC, claim("c"), PERSISTENT), (PVC, BOUND, PERSISTENT)),
    "VolumeResourceRequirements.requests": ((PVC, claim("c")), (PVC, claim("c", size="20Gi"))),
    "PersistentVolumeSpec.mountOptions": (behind(csi=CSI), behind(csi=CSI, mountOptions=["only-dir=x"])),
    "PersistentVolumeSpec.claimRef": (
        (PVC, claim("c"), PERSISTENT),
        (PVC, claim("c"), {**PERSISTENT, "spec": {"nfs": NFS, "claimRef": {"name": "c"}}}),
    ),
    "CSIPersistentVolumeSource.driver": (
        behind(csi={**CSI, "driver": "s3.csi.aws.com"}),
        behind(csi={**CSI, "driver": "gcsfuse.csi.storage.gke.io"}),
    ),
    "CSIPersistentVolumeSource.volumeHandle": (behind(csi=CSI), behind(csi={**CSI, "volumeHandle": "d"})),
    "CSIPersistentVolumeSource.readOnly": (behind(csi=CSI), behind(csi={**CSI, "readOnly": True})),
    "CSIPersistentVolumeSource.volumeAttributes": (
        behind(csi=CSI),
        behind(csi={**CSI, "volumeAttributes": {"bucketName": "d"}}),
    ),
    "ConfigMapVolumeSource.name": ((vol("configMap", name="p"), CM), config()),
    "ConfigMapVolumeSource.items": (config(), item()),
    "ConfigMapVolumeSource.defaultMode": (config(), config(defaultMode=0o400)),
    "ConfigMapVolumeSource.optional": (vol("configMap", name="o"), vol("configMap", name="o", optional=True)),
    "SecretVolumeSource.secretName": (hidden(secretName="p"), hidden()),
    "SecretVolumeSource.items": (hidden(), hidden(items=[ITEM])),
    "SecretVolumeSource.defaultMode": (hidden(), hidden(defaultMode=0o400)),
    "SecretVolumeSource.optional": (vol("secret", secretName="o"), vol("secret", secretName="o", optional=True)),
    "KeyToPath.key": (item(), item(key="l")),
    "KeyToPath.path": (item(), item(path="q")),
    "KeyToPath.mode": (item(), item(mode=0o400)),
    "ProjectedVolumeSource.defaultMode": (
        projected("configMap", CM, name="o"),
        (vol("projected", sources=[{"configMap": {"name": "o"}}], defaultMode=0o400), CM),
    ),
    "VolumeProjection.configMap": ((BASE, CM), projected("configMap", CM, name="o")),
    "VolumeProjection.secret": ((BASE, SEC), projected("secret", SEC, name="o")),
    "VolumeProjection.downwardAPI": ((BASE, CM), projected("downwardAPI", CM, items=[NAME])),
    "ConfigMapProjection.name": (projected("configMap", CM, name="o"), projected("configMap", CM, name="p")),
    "ConfigMapProjection.items": (
        projected("configMap", CM, name="o"),
        projected("configMap", CM, name="o", items=[ITEM]),
    ),
    "ConfigMapProjection.optional": (
        projected("configMap", CM, name="p"),
        projected("configMap", CM, name="p", optional=True),
    ),
    "SecretProjection.name": (projected("secret", SEC, name="o"), projected("secret", SEC, name="p")),
    "SecretProjection.items": (projected("secret", SEC, name="o"), projected("secret", SEC, name="o", items=[ITEM])),
    "SecretProjection.optional": (
        projected("secret", SEC, name="p"),
        projected("secret", SEC, name="p", optional=True),
    ),
    "DownwardAPIProjection.items": (
        projected("downwardAPI", CM, items=[NAME]),
        projected("downwardAPI", CM, items=[{**NAME, "path": "m"}]),
    ),
    "DownwardAPIVolumeSource.items": (down(), vol("downwardAPI", items=[NAME, {**NAME, "path": "m"}])),
    "DownwardAPIVolumeSource.defaultMode": (down(), vol("downwardAPI", items=[NAME], defaultMode=0o400)),
    "DownwardAPIVolumeFile.path": (down(), down(path="m")),
    "DownwardAPIVolumeFile.fieldRef": (down(), down(fieldRef={"fieldPath": "metadata.namespace"})),
    "DownwardAPIVolumeFile.resourceFieldRef": (
        BASE,
        vol(
            "downwardAPI",
            items=[{"path": "r", "resourceFieldRef": {"containerName": "main", "resource": "requests.cpu"}}],
        ),
    ),
    "DownwardAPIVolumeFile.mode": (down(), down(mode=0o400)),
    "NFSVolumeSource.server": (vol("nfs", **NFS), vol("nfs", server="t", path="/p")),
    "NFSVolumeSource.path": (vol("nfs", **NFS), vol("nfs", server="s", path="/q")),
    "NFSVolumeSource.readOnly": (vol("nfs", **NFS), vol("nfs", **NFS, readOnly=True)),
    "CSIVolumeSource.driver": (csi(), csi(driver="s3.csi.aws.com")),
    "CSIVolumeSource.readOnly": (csi(), csi(readOnly=True)),
    "CSIVolumeSource.volumeAttributes": (csi(), csi(volumeAttributes={"bucketName": "d"})),
    "PodSecurityContext.runAsUser": (BASE, inside(runAsUser=7)),
    "PodSecurityContext.runAsGroup": (BASE, inside(runAsGroup=7)),
    "PodSecurityContext.fsGroup": (BASE, inside(fsGroup=7)),
    "PodSecurityContext.supplementalGroups": (BASE, inside(supplementalGroups=[7])),
    "PodSecurityContext.sysctls": (BASE, sysctl("net.core.somaxconn", "9")),
    "PodSecurityContext.seccompProfile": (BASE, inside(seccompProfile={"type": "Unconfined"})),
    "PodSecurityContext.appArmorProfile": (BASE, inside(appArmorProfile={"type": "Unconfined"})),
    "SecurityContext.runAsUser": (BASE, own(runAsUser=7)),
    "SecurityContext.runAsGroup": (BASE, own(runAsGroup=7)),
    "SecurityContext.privileged": (BASE, own(privileged=True)),
    "SecurityContext.capabilities": (BASE, own(capabilities={"add": ["IPC_LOCK"]})),
    "SecurityContext.readOnlyRootFilesystem": (BASE, own(readOnlyRootFilesystem=True)),
    "SecurityContext.allowPrivilegeEscalation": (BASE, own(allowPrivilegeEscalation=False)),
    "SecurityContext.seccompProfile": (BASE, own(seccompProfile={"type": "Unconfined"})),
    "SecurityContext.appArmorProfile": (BASE, own(appArmorProfile={"type": "Unconfined"})),
    "Capabilities.add": (BASE, own(capabilities={"add": ["IPC_LOCK"]})),
    "Capabilities.drop": (BASE, own(capabilities={"drop": ["ALL"]})),
    "SeccompProfile.type": (
        inside(seccompProfile={"type": "RuntimeDefault"}),
        inside(seccompProfile={"type": "Unconfined"}),
    ),
    "AppArmorProfile.type": (
        own(appArmorProfile={"type": "RuntimeDefault"}),
        own(appArmorProfile={"type": "Unconfined"}),
    ),
    "Sysctl.name": (sysctl("net.core.somaxconn", "9"), sysctl("net.ipv4.tcp_syncookies", "9")),
    "Sysctl.value": (sysctl("net.core.somaxconn", "9"), sysctl("net.core.somaxconn", "8")),
    "CompanionMeta.name": ((source("configMapRef"), CM), (source("configMapRef"), config_map("p", k="1"))),
    "ConfigMap.data": ((source("configMapRef"), config_map("o", k="1")), (source("configMapRef"), CM)),
    "ConfigMap.binaryData": (config(), (config()[0], binary())),
    "Secret.data": ((source("secretRef"), secret("o", l="1")), (source("secretRef"), encoded())),
    "Secret.stringData": ((source("secretRef"), secret("o", l="1")), (source("secretRef"), SEC)),
    "VolcanoJobSpec.maxRetry": (policies(RESTART), volcano(policies=[RESTART], maxRetry=2)),
    "VolcanoJobSpec.policies": (volcano(), policies(RESTART)),
    "VolcanoTask.policies": (volcano(), in_task(RESTART)),
    "VolcanoPolicy.action": (policies(RESTART), policies({**RESTART, "action": "AbortJob"})),
    "VolcanoPolicy.event": (policies(RESTART), policies({**RESTART, "event": "PodEvicted"})),
    "VolcanoPolicy.events": (policies(RESTART), policies({**RESTART, "events": ["PodEvicted"]})),
    "VolcanoPolicy.exitCode": (volcano(), policies({"exitCode": 3, "action": "RestartJob"})),
    "JobSetSpec.suspend": (job_set(), job_set(suspend=True)),
    "JobSetSpec.ttlSecondsAfterFinished": (job_set(), job_set(ttlSecondsAfterFinished=0)),
    "FailurePolicy.maxRestarts": (job_set(), job_set(failurePolicy={"maxRestarts": 2})),
    "FailurePolicyRule.action": (restarting({"action": "RestartJobSet"}), restarting({"action": "FailJobSet"})),
    "FailurePolicyRule.onJobFailureReasons": (
        restarting({"action": "FailJobSet"}),
        restarting({"action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}),
    ),
    "JobSetSpec.managedBy": (
        job_set(managedBy="jobset.sigs.k8s.io/jobset-controller"),
        job_set(managedBy="example.com/controller"),
    ),
    "RunPolicy.managedBy": (pytorch(), pytorch({"managedBy": "kueue.x-k8s.io/multikueue"})),
    "ElasticPolicy.rdzvBackend": (elastic(), elastic(rdzvBackend="static")),
    "ElasticPolicy.rdzvPort": (
        elastic(rdzvBackend="etcd", rdzvHost="e"),
        elastic(rdzvBackend="etcd", rdzvHost="e", rdzvPort=4),
    ),
    "ElasticPolicy.rdzvHost": (
        elastic(rdzvBackend="etcd", rdzvHost="e"),
        elastic(rdzvBackend="etcd", rdzvHost="f"),
    ),
    "ElasticPolicy.rdzvId": (elastic(), elastic(rdzvId="i")),
    "ElasticPolicy.standalone": (elastic(), elastic(standalone=True)),
    "ElasticPolicy.nProcPerNode": (elastic(), elastic(nProcPerNode=2)),
    "ElasticPolicy.maxRestarts": (elastic(), elastic(maxRestarts=0)),
    "RDZVConf.key": (elastic(rdzvConf=[{"key": "a", "value": "1"}]), elastic(rdzvConf=[{"key": "b", "value": "1"}])),
    "RDZVConf.value": (elastic(rdzvConf=[{"key": "a", "value": "1"}]), elastic(rdzvConf=[{"key": "a", "value": "2"}])),
    "VolcanoJobSpec.ttlSecondsAfterFinished": (volcano(), volcano(ttlSecondsAfterFinished=2)),
    "VolcanoJobSpec.plugins": (volcano(), volcano(plugins={"svc": []})),
    "VolcanoTask.replicas": (volcano(), volcano(2)),
    "RayJobSpec.activeDeadlineSeconds": (ray(), ray({"activeDeadlineSeconds": 60})),
    "RayJobSpec.backoffLimit": (ray(), ray({"backoffLimit": 2})),
    "RayJobSpec.metadata": (ray(), ray({"metadata": {"a": "b"}})),
    "RayJobSpec.managedBy": (
        ray({"managedBy": "ray.io/kuberay-operator"}),
        ray({"managedBy": "example.com/controller"}),
    ),
    "RayJobSpec.entrypoint": (ray(), ray({"entrypoint": "python b.py"})),
    "RayJobSpec.runtimeEnvYAML": (ray(), ray({"runtimeEnvYAML": "pip: [a]"})),
    "RayJobSpec.runtimeEnv": (ray(), ray({"runtimeEnv": "eyJwaXAiOiBbImEiXX0="})),
    "RayJobSpec.jobId": (ray(), ray({"jobId": "a"})),
    "RayJobSpec.entrypointResources": (ray(), ray({"entrypointResources": '{"a": 1}'})),
    "RayJobSpec.entrypointNumCpus": (ray(), ray({"entrypointNumCpus": 0.5})),
    "RayJobSpec.entrypointNumGpus": (ray(), ray({"entrypointNumGpus": 1})),
    "RayJobSpec.ttlSecondsAfterFinished": (ray(), ray({"ttlSecondsAfterFinished": 0})),
    "RayJobSpec.shutdownAfterJobFinishes": (ray(), ray({"shutdownAfterJobFinishes": True})),
    "RayJobSpec.suspend": (ray(), ray({"suspend": True})),
    "RayHeadGroup.rayStartParams": (ray(), ray(head={"rayStartParams": {"num-cpus": "0"}})),
    "RayWorkerGroup.replicas": (ray(replicas=1), ray(replicas=2)),
    "RayWorkerGroup.rayStartParams": (ray(replicas=1), ray(rayStartParams={"num-cpus": "4"})),
    "RayWorkerGroup.numOfHosts": (ray(replicas=1), ray(numOfHosts=2)),
    "TFJobSpec.successPolicy": (
        tensorflow("All", Worker=2),
        tensorflow("All", "AllWorkers", Worker=2),
    ),
    "MPIJobSpec.slotsPerWorker": (mpi(), mpi({"slotsPerWorker": 8})),
    "MPIJobSpec.runLauncherAsWorker": (mpi(), mpi({"runLauncherAsWorker": True})),
    "MPIJobSpec.mpiImplementation": (mpi(), mpi({"mpiImplementation": "MPICH"})),
    **{
        f"MPIJobSpec.{key}": (mpi(version="v1alpha2"), mpi({key: 2}, version="v1alpha2"))
        for key in ("activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    },
    "PyTorchJobSpec.nprocPerNode": (pytorch(), pytorch(nproc="4")),
    "ReplicaSpec.replicas": (pytorch(), pytorch(replicas=2)),
    "ReplicaSpec.restartPolicy": (pytorch(), pytorch(restartPolicy="ExitCode")),
    "RunPolicy.ttlSecondsAfterFinished": (pytorch(), pytorch({"ttlSecondsAfterFinished": 2})),
    "RunPolicy.activeDeadlineSeconds": (pytorch(), pytorch({"activeDeadlineSeconds": 2})),
    "RunPolicy.backoffLimit": (pytorch(), pytorch({"backoffLimit": 2})),
    "RunPolicy.suspend": (pytorch(), pytorch({"suspend": True})),
    "Lifecycle.stopSignal": (pod(os={"name": "linux"}), stopping("SIGUSR1")),
    "LifecycleHandler.httpGet": (BASE, con(lifecycle={"preStop": {"httpGet": {"port": 80}}})),
    "LifecycleHandler.tcpSocket": (BASE, con(lifecycle={"postStart": {"tcpSocket": {"port": 80}}})),
    "PodSpec.runtimeClassName": (BASE, pod(runtimeClassName="gvisor")),
    "PodOS.name": (BASE, pod(os={"name": "windows"})),
    "NodeSelectorTerm.matchFields": (
        BASE,
        pod(
            affinity={
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
                        ]
                    }
                }
            }
        ),
    ),
    "PodSecurityContext.runAsNonRoot": (inside(runAsUser=0), inside(runAsUser=0, runAsNonRoot=True)),
    "SecurityContext.runAsNonRoot": (own(runAsUser=0), own(runAsUser=0, runAsNonRoot=True)),
    "JobSpec.managedBy": (BASE, job({"managedBy": "example.com/controller"})),
    "PersistentVolumeClaimSpec.volumeMode": (
        (PVC, claim("c")),
        (PVC, {**claim("c"), "spec": {**claim("c")["spec"], "volumeMode": "Block"}}),
    ),
}
