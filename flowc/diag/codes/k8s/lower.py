"""FC330 to FC343: what becomes of a manifest's fields, variables and commands on a rented machine."""

from __future__ import annotations

from flowc.diag.code import Code

GOOD = """\
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
_POD = "      restartPolicy: Never\n"
SELECTOR = "      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}\n"
_ENV = "        env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: token}}}]\n"


def container(text: str) -> str:
    """The good job with more in its container."""
    return GOOD + text


def pod(text: str) -> str:
    return GOOD.replace(_POD, _POD + text)


def volume(source: str) -> str:
    """The good job with a volume at /data."""
    return pod(f"      volumes: [{{name: data, {source}}}]\n") + (
        "        volumeMounts: [{name: data, mountPath: /data}]\n"
    )


def workers(text: str = "") -> str:
    """The good job on two machines."""
    return GOOD.replace("  backoffLimit: 0\n", f"  backoffLimit: 0\n  completions: 2\n  parallelism: 2\n{text}")


_INDEXED = workers("  completionMode: Indexed\n")

CLUSTER_FIELDS = Code(
    id="FC330",
    name="cluster-fields",
    severity="note",
    kind="placing",
    title="no effect outside the cluster: {items}",
    explain="""\
These fields and labels speak of the old cluster's queues, nodes and services. They have no counterpart on machines that
are rented for one job, and leaving them out changes neither what the job computes nor what it costs.

Nothing to do. `report.txt` (from `compile -o DIR`) says of each field what became of it.""",
    bad=pod("      priorityClassName: urgent\n"),
    good=GOOD,
    path="job.yaml",
)

FIELD_APPROXIMATED = Code(
    id="FC331",
    name="field-approximated",
    severity="note",
    kind="placing",
    title="`{path}` is kept in part: {reason}",
    explain="""\
The field has a meaning here, but not exactly the one that it has in a cluster. The job runs with what comes nearest,
which the message names.

Read whether that is enough for this job; where it is not, change the manifest.""",
    bad=pod("      terminationGracePeriodSeconds: 3600\n"),
    good=pod("      terminationGracePeriodSeconds: 120\n"),
    path="job.yaml",
)

FIELD_IGNORED = Code(
    id="FC332",
    name="field-ignored",
    severity="warning",
    kind="placing",
    title="`{path}` is ignored: {reason}",
    explain="""\
The field has no counterpart here, and the job may rely on what it did. It is left out, and the job runs without it.

Take the field out when the job does not need it; otherwise do by other means what the message names.""",
    bad=container("        startupProbe: {exec: {command: [test, -e, /ready]}}\n"),
    good=GOOD,
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
    bad=pod("      nodeName: node-17\n"),
    good=GOOD,
    path="job.yaml",
)

SECRETS_TO_DELIVER = Code(
    id="FC334",
    name="secrets-to-deliver",
    severity="note",
    kind="secrets",
    title="values to be delivered under these names: {items}",
    explain="""\
Secrets never go into a request or a startup script, which every member of the project can read: not even when their
values stand in the manifest. The machine waits for them, by name; the message says which value belongs to which name.

Deliver each value under its name, as the message about awaited secrets says.""",
    bad=container(_ENV) + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: hub}\nstringData: {token: abc}\n",
    good=container(_ENV),
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

Add the Secret to the file, or name a file that has it (`--with FILE`), with its keys (the values are never sent, they
may be left empty), or name the variables on the command line: `--secret NAME`.""",
    bad=container("        envFrom: [{secretRef: {name: hub}}]\n"),
    good=(container("        envFrom: [{secretRef: {name: hub}}]\n"), ("--secret", "HF_TOKEN")),
    path="job.yaml",
)

CONFIG_MAP_MISSING = Code(
    id="FC336",
    name="config-map-missing",
    severity="error",
    title="the ConfigMap `{name}` is not in this file",
    explain="""\
The job takes settings or files from a ConfigMap that lies in the cluster, where nothing can be read from here.

Write what `kubectl get configmap NAME -o yaml` prints into a file, and name it: `--with FILE`. Variables may be given
on the command line instead: `--env NAME=VALUE`.""",
    bad=container("        envFrom: [{configMapRef: {name: settings}}]\n"),
    good=container("        envFrom: [{configMapRef: {name: settings}}]\n")
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
    bad=container(
        "        env: [{name: EPOCHS, valueFrom: {configMapKeyRef: {name: settings, key: epoch}}}]\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {epochs: '3'}\n"
    ),
    good=container(
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
    bad=(container("        envFrom: [{configMapRef: {name: settings}}]\n"), ("--env", "EPOCHS=3")),
    good=GOOD,
    path="job.yaml",
)

_MOUNTED = """\
        args: [--token-file=/hub/token]
        volumeMounts: [{name: hub, mountPath: /hub}]
      volumes:
      - name: hub
        secret: {secretName: hub}
"""
KEYS_BY_NAME = Code(
    id="FC394",
    name="keys-by-name",
    severity="warning",
    title="only the keys that the pod names are its files: {items}",
    explain="""\
The Secret is not in the file, so its keys are not known. Those are taken whose files a mount, a command or a variable
names; a file that only the image's programs look for would not be there.

See that these are all that the job reads, or name a file that has the Secret (`--with FILE`): its keys are enough.""",
    bad=container(_MOUNTED),
    good=container(_MOUNTED.replace("hub}\n", "hub, items: [{key: token, path: token}]}\n")),
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
    bad=container(_ENV.replace("key: token", "key: token, optional: true")),
    good=container(_ENV),
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
    bad=container("        env: [{name: API_TOKEN, value: abc123}]\n"),
    good=container(_ENV),
    path="job.yaml",
)

EXPANSION_ON_MACHINE = Code(
    id="FC341",
    name="expansion-on-machine",
    severity="note",
    title="known only on the machine: {items}; /bin/sh of the image puts them in",
    explain="""\
`$(NAME)` in a command is replaced before the program starts. Addresses and secrets are not known when the manifest is
compiled, so the container starts with its /bin/sh, which replaces them and then becomes the program. Where the manifest
has no `command`, that is what the image starts by itself: the machine asks the image for it.

Nothing to do, as long as the image has a /bin/sh. A program that reads the variable itself needs none.""",
    bad=container(
        "        args: ['--ip=$(IP)']\n        env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]\n"
    ),
    good=container("        args: ['--seed=$(SEED)']\n        env: [{name: SEED, value: '7'}]\n"),
    path="job.yaml",
)

# FC342, `expansion-impossible`, is given no more: the machine asks the image what it starts.

IMAGE_NOT_PULLED = Code(
    id="FC388",
    name="image-not-pulled",
    severity="warning",
    title="never pulled, so that no new machine has it: {items}",
    explain="""\
`imagePullPolicy: Never` is for images that lie on the nodes of a cluster already, as those that were built there or
loaded into kind or minikube. A rented machine is new, and the container cannot start.

Push the image to a registry and take the policy out, or write `IfNotPresent`; `--move` does the latter.""",
    bad=container("        imagePullPolicy: Never\n"),
    good=container("        imagePullPolicy: IfNotPresent\n"),
    path="job.yaml",
)

REFERENCE_STAYS = Code(
    id="FC389",
    name="reference-stays",
    severity="warning",
    title="nothing that stands before sets it, so it stays as it is: {items}",
    explain="""\
`$(NAME)` is replaced in commands and in values of variables where a variable of this name is set: by `env` before it,
by `envFrom`, by the kind's controller. Any other stays, and the program gets these characters. In a cluster
each Service sets variables as well (`REDIS_SERVICE_HOST`); here there are none. Kustomize's `vars` are put in by
`kustomize build`.

Set the variable: `--env NAME=VALUE`, or an item of `env` before the one that names it.""",
    bad=container("        args: ['--host=$(REDIS_SERVICE_HOST)']\n        env: [{name: SEED, value: '7'}]\n"),
    good=container("        args: ['--seed=$(SEED)']\n        env: [{name: SEED, value: '7'}]\n"),
    path="job.yaml",
)

POD_NAMES = Code(
    id="FC343",
    name="pod-names",
    severity="warning",
    title="no machine answers to {items}",
    explain="""\
A headless service of the cluster gives each pod a name. Here the name of the first pod (index 0) becomes the address of
the first machine, wherever it stands in a command or variable; other pods have no names, and services of the cluster
(`rdzvHost: etcd`, `http://mlflow:5000`, `redis.prod.svc`) are not there, nor is its own registry of images.

Let the programs meet at the first one, as torchrun and its like do. Of a service of the cluster name an address that
other networks reach (`hostAliases` gives it to the same name), of a registry one that a machine can pull from.""",
    bad=_INDEXED + "        args: [--peer=train-1.workers]\n      subdomain: workers\n",
    good=_INDEXED,
    path="job.yaml",
)
