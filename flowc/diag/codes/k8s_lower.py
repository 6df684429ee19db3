"""FC33x to FC35x: what a rented machine does with a manifest in another way than a cluster, or cannot do."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
      containers:
      - name: main
        image: python:3.12
        command: [python, train.py]
        resources: {limits: {nvidia.com/gpu: 8}}
"""
_COMMAND = "        command: [python, train.py]\n"
_GPUS = "nvidia.com/gpu: 8"
_POD = "      restartPolicy: Never\n"
_SELECTOR = "      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}\n"
_ENV = "        env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: token}}}]\n"


def _container(text: str) -> str:
    """The good job with more in its container."""
    return _GOOD + text


def _pod(text: str) -> str:
    return _GOOD.replace(_POD, _POD + text)


def _volume(source: str) -> str:
    """The good job with a volume at /data."""
    return _pod(f"      volumes: [{{name: data, {source}}}]\n") + (
        "        volumeMounts: [{name: data, mountPath: /data}]\n"
    )


def _workers(text: str = "") -> str:
    """The good job on two machines."""
    return _GOOD.replace("  backoffLimit: 0\n", f"  backoffLimit: 0\n  completions: 2\n  parallelism: 2\n{text}")


_INDEXED = _workers("  completionMode: Indexed\n")

CLUSTER_FIELDS = Code(
    id="FC330",
    name="cluster-fields",
    severity="note",
    title="no effect outside the cluster: {items}",
    explain="""\
These fields and labels speak of the old cluster's queues, nodes and services. They have no counterpart on machines that
are rented for one job, and leaving them out changes neither what the job computes nor what it costs.

Nothing to do. `report.txt` (from `compile -o DIR`) says of each field what became of it.""",
    bad=_pod("      priorityClassName: urgent\n"),
    good=_GOOD,
    path="job.yaml",
)

FIELD_APPROXIMATED = Code(
    id="FC331",
    name="field-approximated",
    severity="note",
    title="`{path}` is kept in part: {reason}",
    explain="""\
The field has a meaning here, but not exactly the one that it has in a cluster. The job runs with what comes nearest,
which the message names.

Read whether that is enough for this job; where it is not, change the manifest.""",
    bad=_pod("      terminationGracePeriodSeconds: 3600\n"),
    good=_pod("      terminationGracePeriodSeconds: 120\n"),
    path="job.yaml",
)

FIELD_IGNORED = Code(
    id="FC332",
    name="field-ignored",
    severity="warning",
    title="`{path}` is ignored: {reason}",
    explain="""\
The field has no counterpart here, and the job may rely on what it did. It is left out, and the job runs without it.

Take the field out when the job does not need it; otherwise do by other means what the message names.""",
    bad="""\
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata:
  name: train
spec:
  failurePolicy: {maxRestarts: 3}
  replicatedJobs:
  - name: main
    template:
      spec:
        backoffLimit: 0
        template:
          spec:
            restartPolicy: Never
            nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
            containers:
            - name: main
              image: python:3.12
              command: [python, train.py]
              resources: {limits: {nvidia.com/gpu: 8}}
""",
    good=_GOOD,
    path="job.yaml",
)

FIELD_REFUSED = Code(
    id="FC333",
    name="field-refused",
    severity="error",
    title="`{path}` cannot be kept: {reason}",
    explain="""\
Without what this field asks for, the job would not do what it did in the cluster, or would cost money for nothing. So
no request is made.

Take the field out, or replace it by what the message names.""",
    bad=_pod("      nodeName: node-17\n"),
    good=_GOOD,
    path="job.yaml",
)

SECRETS_TO_DELIVER = Code(
    id="FC334",
    name="secrets-to-deliver",
    severity="note",
    title="values to be delivered under these names: {items}",
    explain="""\
Secrets never go into a request or a startup script, which every member of the project can read: not even when their
values stand in the manifest. The machine waits for them, by name; the message says which value belongs to which name.

Deliver each value under its name, as the message about awaited secrets says.""",
    bad=_container(_ENV) + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: hub}\nstringData: {token: abc}\n",
    good=_container(_ENV),
    path="job.yaml",
)

SECRET_MISSING = Code(
    id="FC335",
    name="secret-missing",
    severity="error",
    title="the Secret `{name}` is not in this file, so its keys are not known",
    explain="""\
All keys of a Secret are asked for at once, as variables or as files. Outside the cluster nobody knows which keys that
are, and a job without them would fail on a machine that is paid for.

Add the Secret to the file, with its keys (the values are never sent, they may be left empty), or name the variables on
the command line: `--secret NAME`.""",
    bad=_container("        envFrom: [{secretRef: {name: hub}}]\n"),
    good=(_container("        envFrom: [{secretRef: {name: hub}}]\n"), ("--secret", "HF_TOKEN")),
    path="job.yaml",
)

CONFIG_MAP_MISSING = Code(
    id="FC336",
    name="config-map-missing",
    severity="error",
    title="the ConfigMap `{name}` is not in this file",
    explain="""\
The job takes settings or files from a ConfigMap that lies in the cluster, where nothing can be read from here.

Append the ConfigMap to the file, separated by `---`; `kubectl get configmap NAME -o yaml` prints it. Variables may be
given on the command line instead: `--env NAME=VALUE`.""",
    bad=_container("        envFrom: [{configMapRef: {name: settings}}]\n"),
    good=_container("        envFrom: [{configMapRef: {name: settings}}]\n")
    + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {EPOCHS: '3'}\n",
    path="job.yaml",
)

KEY_OF_COMPANION = Code(
    id="FC337",
    name="key-of-companion",
    severity="error",
    title="the {kind} `{name}` in this file has no key `{key}`",
    explain="""\
In the cluster the pod would not start: its container waits in CreateContainerConfigError until the key is there.

Correct the name of the key, or add it to the object.""",
    bad=_container(
        "        env: [{name: EPOCHS, valueFrom: {configMapKeyRef: {name: settings, key: epoch}}}]\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {epochs: '3'}\n"
    ),
    good=_container(
        "        env: [{name: EPOCHS, valueFrom: {configMapKeyRef: {name: settings, key: epochs}}}]\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {epochs: '3'}\n"
    ),
    path="job.yaml",
)

KEYS_UNKNOWN = Code(
    id="FC338",
    name="keys-unknown",
    severity="warning",
    title="of {items} the job gets only what the command line names",
    explain="""\
The object is not in the file, so its keys are not known; the variables that the command line gives take its place.

See that these are all that the job reads. With the object in the file nothing can be forgotten.""",
    bad=(_container("        envFrom: [{configMapRef: {name: settings}}]\n"), ("--env", "EPOCHS=3")),
    good=_GOOD,
    path="job.yaml",
)

LEFT_OUT_OF_ENVIRONMENT = Code(
    id="FC339",
    name="left-out-of-environment",
    severity="note",
    title="not in the job's environment: {items}",
    explain="""\
An optional key of an object that is not in this file is left out, as the cluster does where there is no such object. A
key of a ConfigMap or Secret that is no name for a variable (`app.conf`) cannot be read by a shell and is left out too.

Nothing to do, if the job does without. Otherwise add the object to the file, or give the value: `--secret NAME` or
`--env NAME=VALUE`.""",
    bad=_container(_ENV.replace("key: token", "key: token, optional: true")),
    good=_container(_ENV),
    path="job.yaml",
)

PLAIN_SECRET = Code(
    id="FC340",
    name="plain-secret",
    severity="warning",
    title="readable by everybody in the project: {items}",
    explain="""\
The value stands in the manifest as plain text, so it becomes part of the startup script, which is stored with the bid
and which all members of the provider's project can read.

Take it from a Secret (`valueFrom.secretKeyRef`): then only its name is sent.""",
    bad=_container("        env: [{name: API_TOKEN, value: abc123}]\n"),
    good=_container(_ENV),
    path="job.yaml",
)

EXPANSION_ON_MACHINE = Code(
    id="FC341",
    name="expansion-on-machine",
    severity="note",
    title="known only on the machine: {items}; /bin/sh of the image puts them in",
    explain="""\
`$(NAME)` in a command is replaced before the program starts. Addresses and secrets are not known when the manifest is
compiled, so the container starts with its /bin/sh, which replaces them and then becomes the program.

Nothing to do, as long as the image has a /bin/sh. A program that reads the variable itself needs none.""",
    bad=_container(
        "        args: ['--ip=$(IP)']\n        env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]\n"
    ),
    good=_container("        args: ['--seed=$(SEED)']\n        env: [{name: SEED, value: '7'}]\n"),
    path="job.yaml",
)

EXPANSION_IMPOSSIBLE = Code(
    id="FC342",
    name="expansion-impossible",
    severity="error",
    title="`$({name})` cannot be put in: {reason}",
    explain="""\
The value is known only on the machine, where a shell has to put it into the command. For that the command must be
known (the image's own entrypoint is not, before the image is there), and the variable's name must be one that a shell
can read.

Write the command that the image starts as `command`, or read the variable in the program.""",
    bad=_GOOD.replace(
        _COMMAND,
        "        args: ['--ip=$(IP)']\n        env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]\n",
    ),
    good=_container("        args: ['--seed=$(SEED)']\n        env: [{name: SEED, value: '7'}]\n"),
    path="job.yaml",
)

POD_NAMES = Code(
    id="FC343",
    name="pod-names",
    severity="warning",
    title="no machine answers to {items}",
    explain="""\
A headless service of the cluster gives each pod a name. Here the name of the first pod (index 0) becomes the address of
the first machine, wherever it stands in a command or variable; other pods have no names.

Let the programs meet at the first one, as torchrun and its like do.""",
    bad=_INDEXED + "        args: [--peer=train-1.workers]\n      subdomain: workers\n",
    good=_INDEXED,
    path="job.yaml",
)

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
    bad=_container("      - {name: log, image: 'busybox:1.36', command: [tail, -F, /dev/null]}\n"),
    good=_GOOD,
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
    bad=_container("      - {name: more, image: 'python:3.12', resources: {limits: {nvidia.com/gpu: 1}}}\n"),
    good=_GOOD,
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
    bad=_GOOD.replace(_GPUS, "nvidia.com/mig-1g.10gb: 1"),
    good=_GOOD,
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
    bad=_GOOD.replace(_GPUS, "amd.com/gpu: 8").replace(_SELECTOR, ""),
    good=_GOOD,
    path="job.yaml",
)

NETWORK_CARD = Code(
    id="FC348",
    name="network-card",
    severity="note",
    title="network cards come with the machine: {items}",
    explain="""\
In a cluster a pod asks for the network cards that it uses. A rented machine brings its own, and the job sees them all;
whether they are InfiniBand depends on the machine.

Nothing to do. Settings for the old cluster's cards (NCCL_IB_HCA, NCCL_SOCKET_IFNAME, FI_PROVIDER) may have to go.""",
    bad=_GOOD.replace(_GPUS, f"{_GPUS}, rdma/ib: 1"),
    good=_GOOD,
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
    bad=_GOOD.replace(_GPUS, f"{_GPUS}, example.com/licence: 1"),
    good=_GOOD,
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
    bad=_pod(
        "      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [{key: cloud.google.com/gke-accelerator, operator: In, values: [nvidia-b200]}]}]}}}\n"
    ),
    good=_GOOD,
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
    bad=_pod(
        "      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [{key: nvidia.com/gpu.product, operator: NotIn, values: [Tesla-T4]}]}]}}}\n"
    ),
    good=_GOOD,
    path="job.yaml",
)

NODE_LABEL_REFUSED = Code(
    id="FC352",
    name="node-label-refused",
    severity="error",
    title="no machine has the node label `{key}` as it is asked for: {reason}",
    explain="""\
The label asks for a node that cannot be rented here: a TPU, a slice of a GPU, another operating system. The job would
not run on what is there instead.

Change the label as the message says, or take it out.""",
    bad=_GOOD.replace(_SELECTOR, "      nodeSelector: {cloud.google.com/gke-tpu-topology: 2x4}\n"),
    good=_GOOD,
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
    bad=_GOOD.replace(_SELECTOR, _SELECTOR.replace("{", "{karpenter.sh/capacity-type: on-demand, ")),
    good=_GOOD.replace(_SELECTOR, _SELECTOR.replace("{", "{karpenter.sh/capacity-type: spot, ")),
    path="job.yaml",
)

STORAGE_EXPECTED = Code(
    id="FC354",
    name="storage-expected",
    severity="warning",
    title="must be within reach of the machine, with its data: {items}",
    explain="""\
The job uses storage that is only named in this file: a claim whose volume lies in the cluster, or a server of its
network. A claim is taken for a volume of the provider with the same name; nothing copies the data there.

Make the volume with that name and put the data into it, or add the claim to the file: then an empty volume of its size
is made. Servers must be reachable over the internet.""",
    bad=_volume("persistentVolumeClaim: {claimName: imagenet}"),
    good=_volume("emptyDir: {}"),
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
    bad=_volume("persistentVolumeClaim: {claimName: out}").replace(
        "  backoffLimit: 0\n", "  backoffLimit: 0\n  completions: 2\n  parallelism: 2\n  completionMode: Indexed\n"
    )
    + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: out}\n"
    + "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}\n",
    good=_GOOD,
    path="job.yaml",
)

HOST_PATHS = Code(
    id="FC356",
    name="host-paths",
    severity="warning",
    title="a folder of the machine, empty at the start: {items}",
    explain="""\
A `hostPath` is a folder of the node on which the pod runs. The rented machine is a new one, so the folder has none of
the old node's files, and what is written there is lost with the machine.

Use a persistentVolumeClaim for data that must be there or must stay, an emptyDir for the rest.""",
    bad=_volume("hostPath: {path: /mnt/datasets}"),
    good=_volume("emptyDir: {}"),
    path="job.yaml",
)

PODS_AS_MACHINES = Code(
    id="FC357",
    name="pods-as-machines",
    severity="note",
    title="{items}",
    explain="""\
A cluster starts the pods of a Job one by one, wherever there is room. Here pods that are numbered and all run at once
are the machines of one bid, which start together or not at all; so are the equal pods of a job without `completions`.
All other completions are tasks, each of which is a bid of its own; `parallelism` bounds how many run at once.

Nothing to do, unless the pods must not be apart: then number them (`completionMode: Indexed`) and let as many run at
once as there are.""",
    bad=_workers(),
    good=_GOOD,
    path="job.yaml",
)

DEFAULT_RESTARTS = Code(
    id="FC358",
    name="default-restarts",
    severity="note",
    title="no `backoffLimit`: a failing job starts again up to {items} times, as in a cluster",
    explain="""\
Without `backoffLimit` a Job is tried seven times in all. Here each attempt runs on the machine that is paid for.

Write `backoffLimit: 0` for a job that is not to be repeated.""",
    bad=_GOOD.replace("  backoffLimit: 0\n", ""),
    good=_GOOD,
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
    bad=_pod("      serviceAccountName: trainer\n"),
    good=_GOOD,
    path="job.yaml",
)
