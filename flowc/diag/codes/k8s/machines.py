"""FC344 to FC359: what a pod asks of its machine that a rented one has in another way, or does not have."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.diag.codes.k8s.lower import GOOD, SELECTOR, container, pod, volume, workers

_GPUS = "nvidia.com/gpu: 8"
_TORCH = """\
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata:
  name: train
spec:
  pytorchReplicaSpecs:
    Master:
      template:
        spec:
          nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
          containers:
          - name: pytorch
            image: pytorch/pytorch:2.4.0
            command: [torchrun, train.py]
            resources: {limits: {nvidia.com/gpu: 8}}
"""


SECOND_CONTAINER = Code(
    id="FC344",
    name="second-container",
    severity="warning",
    title="{items} ends with the main container, and how it ends does not count",
    explain="""\
In a cluster a Job is done when all containers of its pod have ended well. Here one container is the job: the one with
GPUs, else the one that the annotation kubectl.kubernetes.io/default-container names, else the first. The others run
beside it and are stopped after it.

Where a container has to end well, make it an init container, or do its work in the main one.""",
    bad=container("      - {name: log, image: 'busybox:1.36', command: [tail, -F, /dev/null]}\n"),
    good=GOOD,
    path="job.yaml",
)

TWO_GPU_CONTAINERS = Code(
    id="FC345",
    name="two-gpu-containers",
    severity="error",
    title="more than one container asks for GPUs: {names}",
    explain="""\
A cluster gives each container GPUs of its own. Here one container is the job and has the GPUs; they are not divided.

Make each of the containers a Job, or run both programs in one container.""",
    bad=container("      - {name: more, image: 'python:3.12', resources: {limits: {nvidia.com/gpu: 1}}}\n"),
    good=GOOD,
    path="job.yaml",
)

GPU_PART = Code(
    id="FC346",
    name="gpu-part",
    severity="error",
    title="`{name}` asks for a part of a GPU",
    explain="""\
MIG slices and shared GPUs divide one GPU among several pods. A rented machine has whole GPUs, and no other jobs.

Ask for whole GPUs with `nvidia.com/gpu`; a job that fits a slice fits a whole one, and pays for it.""",
    bad=GOOD.replace(_GPUS, "nvidia.com/mig-1g.10gb: 1"),
    good=GOOD,
    path="job.yaml",
)

ACCELERATOR_OF_OTHERS = Code(
    id="FC347",
    name="accelerator-of-others",
    severity="error",
    title="`{name}` asks for devices of {maker}; the machines have NVIDIA GPUs",
    explain="""\
The provider rents out machines with NVIDIA GPUs only. Programs built for other devices do not run on them.

Use an image that is built for CUDA and ask for `nvidia.com/gpu`.""",
    bad=GOOD.replace(_GPUS, "amd.com/gpu: 8").replace(SELECTOR, ""),
    good=GOOD,
    path="job.yaml",
)

NETWORK_CARD = Code(
    id="FC348",
    name="network-card",
    severity="note",
    kind="placing",
    title="network cards come with the machine: {items}",
    explain="""\
In a cluster a pod asks for the network cards that it uses. A rented machine brings its own, and the job sees them all;
whether they are InfiniBand depends on the machine.

Nothing to do. Settings for the old cluster's cards (NCCL_IB_HCA, NCCL_SOCKET_IFNAME, FI_PROVIDER) may have to go.""",
    bad=GOOD.replace(_GPUS, f"{_GPUS}, rdma/ib: 1"),
    good=GOOD,
    path="job.yaml",
)

RESOURCE_UNKNOWN = Code(
    id="FC349",
    name="resource-unknown",
    severity="warning",
    title="no machine counts {items}",
    explain="""\
A cluster counts whatever its nodes announce: devices, licences, huge pages. Of a rented machine only CPUs, memory, disk
and GPUs are known, so this was not asked for.

Take it out when the job runs without it.""",
    bad=GOOD.replace(_GPUS, f"{_GPUS}, example.com/licence: 1"),
    good=GOOD,
    path="job.yaml",
)

GPU_BY_ANOTHER_NAME = Code(
    id="FC392",
    name="gpu-by-another-name",
    severity="error",
    title="`{name}` would get no GPU: they are counted as `nvidia.com/gpu` alone",
    explain="""\
What a cluster calls its GPUs is up to the plugin that announces them. Here they have the name that NVIDIA's own plugin
gives them; the number of another resource would be lost, and the job would run without the GPUs that it asks for.

Ask for them as `nvidia.com/gpu`.""",
    bad=GOOD.replace("nvidia.com/gpu: 8", "example.com/gpu: 8"),
    good=GOOD,
    path="job.yaml",
)

GPU_COUNT_EMPTY = Code(
    id="FC393",
    name="gpu-count-empty",
    severity="warning",
    kind="placing",
    title="`{name}` has no value: no GPU is asked for",
    explain="""\
To Kubernetes an amount without a value is 0: the pod gets no GPU, and nothing says so. As a rule a number was to be
written there, or a template left its place empty.

Write the number, or leave the line out.""",
    bad=GOOD.replace("nvidia.com/gpu: 8", "nvidia.com/gpu: "),
    good=GOOD,
    path="job.yaml",
)

MODELS_CONTRADICT = Code(
    id="FC350",
    name="models-contradict",
    severity="error",
    title="{models} can never be had here: another GPU model is asked for as well",
    explain="""\
All conditions on a node must hold at once: those of `nodeSelector` and those of one term of `nodeAffinity`. They name
GPU models that exclude each other, so in the cluster the pod would wait for ever.

Name the model once.""",
    bad=pod(
        "      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [{key: cloud.google.com/gke-accelerator, operator: In, values: [nvidia-b200]}]}]}}}\n"
    ),
    good=GOOD,
    path="job.yaml",
)

MODELS_EXCLUDED = Code(
    id="FC351",
    name="models-excluded",
    severity="warning",
    title="not ruled out: {items}",
    explain="""\
A condition says which GPUs the job must not get. Machines are chosen by what is wanted, not by what is not, so the
choice may fall on one of these.

Name the models that will do: `operator: In`.""",
    bad=pod(
        "      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [{key: nvidia.com/gpu.product, operator: NotIn, values: [Tesla-T4]}]}]}}}\n"
    ),
    good=GOOD,
    path="job.yaml",
)

NODE_LABEL_REFUSED = Code(
    id="FC352",
    name="node-label-refused",
    severity="error",
    title="no machine has the node label {keys} as it is asked for: {reason}",
    explain="""\
The label asks for a node that cannot be rented here: a TPU, a slice of a GPU, another operating system. The job would
not run on what is there instead.

Change the label as the message says, or take it out.""",
    bad=GOOD.replace(SELECTOR, "      nodeSelector: {cloud.google.com/gke-tpu-topology: 2x4}\n"),
    good=GOOD,
    path="job.yaml",
)

SPOT_ONLY = Code(
    id="FC353",
    name="spot-only",
    severity="warning",
    title="`{key}` asks for machines on demand; a bid gets spot machines",
    explain="""\
Spot machines may be taken away with five minutes' notice when others bid more. The job starts again, from the top, when
its bid wins again.

Let the job save its progress, or raise the limit of its bid (`--priority`, `--max-price-per-hour`).""",
    bad=GOOD.replace(SELECTOR, SELECTOR.replace("{", "{karpenter.sh/capacity-type: on-demand, ")),
    good=GOOD.replace(SELECTOR, SELECTOR.replace("{", "{karpenter.sh/capacity-type: spot, ")),
    path="job.yaml",
)

STORAGE_EXPECTED = Code(
    id="FC354",
    name="storage-expected",
    severity="warning",
    title="storage that is only named here must be within reach of the machine, with its data: {items}",
    explain="""\
The job uses storage that is only named in this file: a claim whose volume lies in the cluster, or a server of its
network. A claim is taken for a volume of the provider with the same name, under `--move` a disk or a share of another
cloud too; nothing copies the data there.

Make the volume with that name and put the data into it, or add the claim to the file: then an empty volume of its size
is made. Servers must be reachable over the internet.""",
    bad=volume("persistentVolumeClaim: {claimName: imagenet}"),
    good=volume("emptyDir: {}"),
    path="job.yaml",
)

BLOCK_VOLUME_SHARED = Code(
    id="FC355",
    name="block-volume-shared",
    severity="error",
    title="the claim `{name}` is for one machine at a time, and this job runs on several",
    explain="""\
A claim with `ReadWriteOnce` becomes a block volume, which only one machine can have attached.

Ask for `ReadWriteMany`: then it becomes file storage, which all machines of the job share.""",
    bad=volume("persistentVolumeClaim: {claimName: out}").replace(
        "  backoffLimit: 0\n", "  backoffLimit: 0\n  completions: 2\n  parallelism: 2\n  completionMode: Indexed\n"
    )
    + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: out}\n"
    + "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}\n",
    good=GOOD,
    path="job.yaml",
)

HOST_PATHS = Code(
    id="FC356",
    name="host-paths",
    severity="warning",
    title="on the machine itself, without the old nodes' files: {items}",
    explain="""\
A `hostPath` is a folder of the node on which the pod runs. The rented machine is a new one, so the folder has none of
the old node's files, and what is written there is lost with the machine. So it is with folders that every machine has
(`/mnt`, `/tmp`, `/var/log`).

Use a persistentVolumeClaim for data that must be there or must stay, an emptyDir for the rest.""",
    bad=volume("hostPath: {path: /mnt/datasets}"),
    good=volume("emptyDir: {}"),
    path="job.yaml",
)

RUNTIME_SOCKET = Code(
    id="FC391",
    name="runtime-socket",
    severity="warning",
    title="the job gets the docker of its machine: {items}",
    explain="""\
In a cluster this socket is that of the node's container runtime, which knows the images and containers of all pods
there. On a rented machine it is that of the docker that runs this job. Containers that the job starts by it are not the
job's own: they have no part in its limits, and are not stopped when it ends.

Nothing to do where the job only builds images. Where it starts containers, let it stop them as well.""",
    bad=volume("hostPath: {path: /var/run/docker.sock}"),
    good=volume("emptyDir: {}"),
    path="job.yaml",
)

PODS_AS_MACHINES = Code(
    id="FC357",
    name="pods-as-machines",
    severity="note",
    kind="placing",
    title="{items}",
    explain="""\
A cluster starts the pods of a Job one by one, wherever there is room. Here pods that are numbered and all run at once
are the machines of one bid, which start together or not at all; so are the equal pods of a job without `completions`.
All other completions are tasks, each of which is a bid of its own; `parallelism` bounds how many run at once.

Nothing to do, unless the pods must not be apart: then number them (`completionMode: Indexed`) and let as many run at
once as there are.""",
    bad=workers(),
    good=GOOD,
    path="job.yaml",
)

DEFAULT_RESTARTS = Code(
    id="FC358",
    name="default-restarts",
    severity="note",
    kind="placing",
    title="no `backoffLimit`: a failing job starts again up to {items} times, as in a cluster",
    explain="""\
Without `backoffLimit` a Job counts to six: with `restartPolicy: Never` seven pods in all, with `OnFailure` six runs,
since it ends as the sixth restart begins. Here each attempt runs on the machine that is paid for.

Write `backoffLimit: 0` for a job that is not to be repeated.""",
    bad=GOOD.replace("  backoffLimit: 0\n", ""),
    good=GOOD,
    path="job.yaml",
)

SERVICE_ACCOUNT = Code(
    id="FC359",
    name="service-account",
    severity="warning",
    title="the rights of the service account `{name}` do not come with the job",
    explain="""\
In a cluster a service account lets a pod call the cluster's API, and often a cloud's storage as well (workload
identity). A rented machine has neither: programs that rely on it fail.

Deliver credentials as secrets instead (`valueFrom.secretKeyRef`), and take the account out when the job needs none.""",
    bad=pod("      serviceAccountName: trainer\n"),
    good=GOOD,
    path="job.yaml",
)

RESTARTS_WITHOUT_LIMIT = Code(
    id="FC390",
    name="restarts-without-limit",
    severity="warning",
    title="a failing job starts again without end, until somebody ends it: {items}",
    explain="""\
The controllers of some kinds let the node start a failed container again as often as it fails: that of PyTorchJob where
nothing or `OnFailure` is written, that of Volcano for pods that may start again by themselves. Nothing ends a job that
can never succeed but its time limit, or you.

Write a limit: `runPolicy.backoffLimit` of a PyTorchJob, `restartPolicy: Never` and a policy with `maxRetry` in a job of
Volcano; or a time limit (`activeDeadlineSeconds`, `--time`).""",
    bad=_TORCH,
    good=_TORCH.replace("spec:\n", "spec:\n  runPolicy: {backoffLimit: 2}\n", 1),
    path="job.yaml",
)
