"""The kinds of objects: which are jobs, which are read beside a job, which can only be refused."""

from __future__ import annotations

from flowc.frontends.k8s.findings import int_at, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.yamldoc.node import Node

# Versions of the group of Kubeflow's trainer, whose objects are alike.
TRAINER = ("trainer.kubeflow.org/v1alpha1", "kubeflow.org/v2alpha1")

# Kinds that become jobs: (kind, apiVersion) to the type of the table, which is also `JobObject.kind`.
JOBS = {
    ("Job", "batch/v1"): "Job",
    ("CronJob", "batch/v1"): "CronJob",
    ("Pod", "v1"): "Pod",
    ("Job", "batch.volcano.sh/v1alpha1"): "VolcanoJob",
    ("JobSet", "jobset.x-k8s.io/v1alpha2"): "JobSet",
    ("PyTorchJob", "kubeflow.org/v1"): "PyTorchJob",
    **{(kind, "kubeflow.org/v1"): kind for kind in ("TFJob", "XGBoostJob", "JAXJob")},
    **{("MPIJob", f"kubeflow.org/{version}"): "MPIJob" for version in ("v2beta1", "v1", "v1alpha2")},
    ("RayJob", "ray.io/v1"): "RayJob",
    ("RayJob", "ray.io/v1alpha1"): "RayJob",
    **{("TrainJob", version): "TrainJob" for version in TRAINER},
}

# Versions that are gone whose objects have the form of today's, or can be made to, which `--move` reads as those.
KUBEFLOW = "kubeflow.org/v1"
OLD_JOBS = {
    ("CronJob", "batch/v1beta1"): "CronJob",
    ("MPIJob", "kubeflow.org/v1alpha1"): "MPIJobBefore",
    **{
        (kind, f"kubeflow.org/{version}"): kind
        for kind in ("TFJob", "PyTorchJob")
        for version in ("v1alpha2", "v1beta1", "v1beta2")
    },
}
# What these say in their spec, and today's in `runPolicy`.
OF_POLICY = ("activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "cleanPodPolicy")

# Jobs of the training operator: where the replicas stand, and their roles in the order of the machines' ranks.
ROLES = {
    "PyTorchJob": ("pytorchReplicaSpecs", ("Master", "Worker")),
    "XGBoostJob": ("xgbReplicaSpecs", ("Master", "Worker")),
    "JAXJob": ("jaxReplicaSpecs", ("Worker",)),
    "TFJob": ("tfReplicaSpecs", ("Chief", "Master", "Worker", "PS", "Evaluator")),
    "MPIJob": ("mpiReplicaSpecs", ("Launcher", "Worker")),
}

# Of jobs of the training operator the container that it looks at, its port for which another may be said by that name,
# and that port.
CONTAINERS = {
    "PyTorchJob": ("pytorch", "pytorchjob-port", 23456),
    "XGBoostJob": ("xgboost", "xgboostjob-port", 9999),
    "JAXJob": ("jax", "jaxjob-port", 6666),
    "TFJob": ("tensorflow", "tfjob-port", 2222),
}

# Kinds that a job may refer to.
COMPANIONS = {
    ("ConfigMap", "v1"): "ConfigMap",
    ("Secret", "v1"): "Secret",
    ("PersistentVolumeClaim", "v1"): "PersistentVolumeClaim",
    ("PersistentVolume", "v1"): "PersistentVolume",
    ("Service", "v1"): "Service",
    **{
        (kind, version): "TrainingRuntime"
        for kind in ("ClusterTrainingRuntime", "TrainingRuntime")
        for version in TRAINER
    },
}

# Kinds that only a cluster reads: rights, quotas, queues. Nothing of a job is lost without them.
BYSTANDERS = frozenset(
    (
        *("Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
        *("ResourceQuota", "LimitRange", "PriorityClass", "RuntimeClass", "StorageClass", "NetworkPolicy"),
        *("PodDisruptionBudget", "LocalQueue", "ClusterQueue", "ResourceFlavor", "Topology", "WorkloadPriorityClass"),
        *("PodGroup", "Queue", "PodMonitor", "ServiceMonitor", "Workload", "ProvisioningRequest", "AdmissionCheck"),
        *("CustomResourceDefinition", "APIService", "DeviceClass", "ResourceClaimTemplate", "HorizontalPodAutoscaler"),
        *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Ingress", "Certificate", "Issuer"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "VerticalPodAutoscaler"),
        *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
    )
)

_SERVICE = "it starts what is to stay up, and would never end"
_ONE_POD = "write its pod as a Job, which ends"

# Kinds that stay up. Beside a job they are part of its cluster.
SERVICES = frozenset(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"))

# Kinds that cannot be run: why not, and what to do instead.
REFUSED = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), (_SERVICE, _ONE_POD)),
    "ReplicationController": (_SERVICE, _ONE_POD),
    "LeaderWorkerSet": (_SERVICE, "write a Job with completionMode Indexed, which ends"),
    "RayCronJob": ("a bid is placed once", "write its `jobTemplate` as a RayJob"),
    "PodTemplate": ("it is a pattern for pods that starts none", "write a Job with this template"),
    **dict.fromkeys(
        ("PaddleJob", "MXJob"),
        (
            "its controller gives every replica a part and addresses of its own",
            "write a Job with completionMode Indexed whose program looks at its index",
        ),
    ),
    **dict.fromkeys(
        ("RayCluster", "RayService"),
        ("Ray stays up until somebody ends it", "write a RayJob with what is to run on it as its `entrypoint`"),
    ),
    **dict.fromkeys(
        ("Workflow", "WorkflowTemplate", "CronWorkflow"),
        ("Argo runs its steps one after the other in the cluster", "write each step as a Job"),
    ),
    **dict.fromkeys(
        ("PipelineRun", "TaskRun", "Pipeline", "Task"),
        ("Tekton runs its steps in the cluster", "write each step as a Job"),
    ),
    "Kustomization": ("it names the files that are put together", "compile what `kustomize build` prints"),
    "SparkApplication": ("Spark's operator runs it in the cluster", "start Spark in the command of a Job"),
}

# Versions that were given up or never were, by kind: what holds now.
VERSIONS = {
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Pod": "v1",
    "JobSet": "jobset.x-k8s.io/v1alpha2",
    "PyTorchJob": "kubeflow.org/v1",
    **dict.fromkeys(("TFJob", "XGBoostJob", "JAXJob"), "kubeflow.org/v1"),
    "MPIJob": "kubeflow.org/v2beta1",
    "RayJob": "ray.io/v1",
    "TrainJob": TRAINER[0],
    **{kind: version for kind, version in reversed(COMPANIONS)},
}
OLD_VERSIONS = frozenset(
    (
        *("batch/v1beta1", "batch/v2alpha1", "extensions/v1beta1", "v1beta1", "v1beta3"),
        *("jobset.x-k8s.io/v1alpha1", "kubeflow.org/v1alpha1", "kubeflow.org/v1alpha2", "kubeflow.org/v1beta1"),
        *("kubeflow.org/v1beta2",),
    )
)

# Groups of the API whose objects look like Kubernetes' own, so that only the version is wrong.
GROUPS_OF_KUBERNETES = (".k8s.io", "kubeflow.org")
VOLCANO, VOLCANO_BEFORE = "volcano.sh", "batch.hpw.cloud"


def own_port(pod: Node | None, kind: str) -> int:
    """The port by which the pods of such a job find each other: the one that the container says under its name."""
    own, name, usual = CONTAINERS[kind]
    for container in pod.each("containers") if pod is not None else ():
        for port in container.each("ports"):
            number = int_at(port, "containerPort")
            if text_at(container, "name") == own and text_at(port, "name") == name and number is not None:
                return number
    return usual
