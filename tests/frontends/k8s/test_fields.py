"""The table of fields: each has a decision, none of the API is missing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flowc._compiled.k8s_fields import TYPES
from flowc.frontends.k8s.kinds import known as kinds
from flowc.yamldoc.ledger import undecided
from tests.frontends.k8s.schemas import definitions

# Types of the table by the API's own names, where they differ or are several.
NAMES = {
    "ObjectMeta": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    "TemplateMeta": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    "LabelSelector": "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
    "LabelSelectorRequirement": "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
    "CompanionMeta": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
}
# Not of Kubernetes itself, so that its schemas do not know them.
NEIGHBOURS = {
    *("VolcanoJob", "VolcanoJobSpec", "VolcanoTask", "JobSet", "JobSetSpec", "ReplicatedJob"),
    *("VolcanoPolicy", "FailurePolicy", "ElasticPolicy", "RDZVConf", "FailurePolicyRule", "JobSetCoordinator"),
    *("JobSetDependency", "JobSetNetwork", "JobSetStartupPolicy", "JobSetSuccessPolicy"),
    *("VolcanoDependsOn", "VolcanoPartition", "VolcanoTopology"),
    *("PyTorchJob", "PyTorchJobSpec", "PyTorchReplicaSpecs", "ReplicaSpec", "RunPolicy"),
    *("TFJob", "TFJobSpec", "TFReplicaSpecs", "XGBoostJob", "XGBoostJobSpec"),
    *("JAXJob", "JAXJobSpec", "JAXReplicaSpecs"),
    *("MPIJob", "MPIJobSpec", "MPIReplicaSpecs", "MPIJobBefore", "MPIJobBeforeSpec"),
    *("TrainJob", "TrainJobSpec", "RuntimeRef", "Trainer", "RuntimePatch", "TrainingRuntimeSpecPatch"),
    *("JobSetTemplatePatch", "JobSetSpecPatch", "ReplicatedJobPatch", "JobTemplatePatch", "JobSpecPatch"),
    *("PodTemplateOverride", "PodTemplateOverrideTarget", "TrainingRuntime", "TrainingRuntimeSpec", "MLPolicy"),
    *("TorchPolicy", "JobSetTemplateSpec", "PodTemplatePatch", "PodSpecPatch", "ContainerPatch"),
    *("RayJob", "RayJobSpec", "RayClusterSpec", "RayHeadGroup", "RayWorkerGroup"),
}
ROWS = [(name, key, row) for name, fields in TYPES.items() for key, row in fields.items()]


def api_name(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    found = [each for each in definitions() if re.fullmatch(rf"io\.k8s\.api\.(core|batch)\.v1\.{name}", each)]
    assert len(found) == 1, name
    return found[0]


def test_every_field_has_a_decision() -> None:
    assert undecided(TYPES) == []


@pytest.mark.parametrize("name", sorted(TYPES.keys() - NEIGHBOURS))
def test_every_field_of_the_api_has_a_row_and_no_other(name: str) -> None:
    wanted = definitions()[api_name(name)]["properties"].keys()
    assert {key for key, row in TYPES[name].items() if "words" not in row} == set(wanted)


@pytest.mark.parametrize("name", sorted(TYPES.keys() - NEIGHBOURS))
def test_what_the_api_requires_is_required(name: str) -> None:
    required = {key for key, row in TYPES[name].items() if row.get("required")}
    assert required >= set(definitions()[api_name(name)].get("required", ()))


def test_every_type_of_the_api_below_a_job_is_in_the_table_unless_left_whole() -> None:
    reached: set[str] = set()

    def visit(shape: dict[str, Any]) -> None:
        for inner in (shape.get("of"), *shape.get("shapes", ())):
            if inner:
                visit(inner)
        name = shape.get("type")
        if name and name not in reached:
            reached.add(name)
            for row in TYPES[name].values():
                visit(row)

    for name in {*kinds.JOBS.values(), *kinds.OLD_JOBS.values(), *kinds.COMPANIONS.values()}:
        visit({"is": "map", "type": name})
    assert reached == set(TYPES)


def test_notes_are_worded_like_the_rest() -> None:
    for name, key, row in ROWS:
        note = row.get("note") or row.get("words") or ""
        assert not note.endswith("."), f"{name}.{key}"
        assert note.count("`") % 2 == 0, f"{name}.{key}"
        assert not note[:1].isupper() or note.split()[0].rstrip(",'s") in ("DNS", "SELinux", "AppArmor", "Azure"), (
            f"{name}.{key}"
        )


def test_what_is_refused_says_so_aloud() -> None:
    assert [f"{name}.{key}" for name, key, row in ROWS if row.get("action") == "refused" and row.get("quiet")] == []


# The fields that jobs in the wild use, as the reference tables name them.
REFERENCE = {
    "ObjectMeta": "name generateName namespace labels annotations uid resourceVersion creationTimestamp managedFields"
    " ownerReferences finalizers",
    "JobSpec": "template parallelism completions completionMode backoffLimit backoffLimitPerIndex maxFailedIndexes"
    " activeDeadlineSeconds ttlSecondsAfterFinished suspend podFailurePolicy successPolicy"
    " podReplacementPolicy selector manualSelector managedBy scheduling",
    "CronJobSpec": "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend successfulJobsHistoryLimit"
    " failedJobsHistoryLimit jobTemplate",
    "PodSpec": "containers initContainers volumes nodeSelector affinity topologySpreadConstraints tolerations"
    " terminationGracePeriodSeconds activeDeadlineSeconds serviceAccountName serviceAccount"
    " automountServiceAccountToken imagePullSecrets hostNetwork hostIPC hostPID shareProcessNamespace"
    " hostname subdomain setHostnameAsFQDN hostnameOverride hostAliases dnsPolicy dnsConfig"
    " priorityClassName priority preemptionPolicy runtimeClassName schedulerName securityContext resources"
    " overhead readinessGates schedulingGates os hostUsers enableServiceLinks resourceClaims"
    " evictionResponders schedulingGroup nodeName ephemeralContainers restartPolicy",
    "Container": "name image imagePullPolicy command args workingDir env envFrom resources ports volumeMounts"
    " volumeDevices livenessProbe readinessProbe startupProbe lifecycle restartPolicy restartPolicyRules"
    " terminationMessagePath terminationMessagePolicy stdin stdinOnce tty resizePolicy securityContext",
    "EnvVarSource": "secretKeyRef configMapKeyRef fieldRef resourceFieldRef fileKeyRef",
    "EnvFromSource": "prefix configMapRef secretRef",
    "Volume": "emptyDir hostPath persistentVolumeClaim ephemeral configMap secret projected downwardAPI nfs csi"
    " image gitRepo awsElasticBlockStore gcePersistentDisk azureDisk azureFile cephfs rbd iscsi fc"
    " glusterfs flexVolume portworxVolume scaleIO storageos vsphereVolume quobyte cinder"
    " photonPersistentDisk flocker",
    "PodSecurityContext": "runAsUser runAsGroup runAsNonRoot fsGroup fsGroupChangePolicy supplementalGroups sysctls"
    " seLinuxOptions windowsOptions seccompProfile appArmorProfile",
    "SecurityContext": "privileged capabilities readOnlyRootFilesystem allowPrivilegeEscalation procMount runAsUser"
    " runAsGroup runAsNonRoot",
    "VolcanoJobSpec": "minAvailable queue tasks plugins policies",
    "JobSetSpec": "replicatedJobs network successPolicy failurePolicy",
    "PyTorchJobSpec": "pytorchReplicaSpecs nprocPerNode elasticPolicy runPolicy",
    "RunPolicy": "cleanPodPolicy ttlSecondsAfterFinished activeDeadlineSeconds backoffLimit schedulingPolicy",
}


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_no_field_of_the_reference_is_missing(name: str) -> None:
    assert set(REFERENCE[name].split()) - TYPES[name].keys() == set()
