"""FC395 to FC399: what of the other cluster does not come with a job that `--move` brings."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.diag.codes.k8s.lower import container

VARIABLES_NOT_BROUGHT = Code(
    id="FC395",
    name="variables-not-brought",
    severity="warning",
    kind="lacking",
    title="the job has no variables that lie in the other cluster: {items}",
    explain="""\
A ConfigMap or Secret of the cluster gives the job variables. With `--move` the job comes without them; without the
flag that is an error.

See whether the job can do without. Otherwise name a file that has the object (`--with FILE`), or give the variables:
`--env NAME=VALUE`, `--secret NAME`.""",
    bad=(container("        envFrom: [{configMapRef: {name: settings}}]\n"), ("--move",)),
    good=(container("        envFrom: [{configMapRef: {name: settings}}]\n"), ("--move", "--env", "EPOCHS=3")),
    path="job.yaml",
)

_SECRETS = """\
        volumeMounts: [{name: keys, mountPath: /keys}]
      volumes: [{name: keys, secret: {secretName: keys}}]
"""
FILES_NOT_BROUGHT = Code(
    id="FC399",
    name="files-not-brought",
    severity="warning",
    kind="lacking",
    title="the job finds no files of Secrets that lie in the other cluster: {items}",
    explain="""\
A volume has the files of a Secret of the cluster, and nothing of the manifest says how they are called. With `--move`
none of them is there; without the flag that is an error.

See whether the job can do without. Otherwise name a file that has the Secret (`--with FILE`, its keys are enough), or
list its keys below `items`: their values are delivered after boot then.""",
    bad=(container(_SECRETS), ("--move",)),
    good=(container(_SECRETS.replace("secretName: keys", "secretName: keys, optional: true")), ("--move",)),
    path="job.yaml",
)

_TRAINED = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: train
spec:
  runtimeRef:
    name: {name}
  trainer:
    image: ghcr.io/acme/train:1.0
    command: [torchrun, train.py]
    numNodes: 2
    resourcesPerNode: {{limits: {{nvidia.com/h100: 8}}}}
"""
RUNTIME_MISSING = Code(
    id="FC397",
    name="runtime-missing",
    severity="error",
    title="the runtime `{name}` is not in this file: what its pods are is not known",
    explain="""\
A TrainJob says what its trainer starts, its runtime what the pods are: their containers, volumes and limits. flowc
knows the runtimes that Kubeflow's trainer brings (`torch-distributed`, `jax-distributed`, `xgboost-distributed`);
others live in the cluster.

Put the ClusterTrainingRuntime or TrainingRuntime into the file, or name one that has it (`--with FILE`). Where the
trainer names an image, `--move` makes the pods of the trainer alone, and tells (FC398).""",
    bad=_TRAINED.format(name="our-own"),
    good=_TRAINED.format(name="torch-distributed"),
    path="job.yaml",
)

RUNTIME_NOT_BROUGHT = Code(
    id="FC398",
    name="runtime-not-brought",
    severity="warning",
    kind="lacking",
    title="the runtime `{name}` lies in the other cluster: the pods are the trainer's alone, with the variables of a "
    "runtime for `{policy}`",
    explain="""\
With `--move` a TrainJob whose runtime is not known comes with what it says itself: image, command, variables and
machines. Volumes, init containers and limits of the runtime are missing, and which variables it gives (`PET_…`,
`JAX_…`, `DMLC_…`) is taken from its name.

See what the runtime brings, and name a file that has it: `--with FILE`, with what
`kubectl get clustertrainingruntime NAME -o yaml` prints.""",
    bad=(_TRAINED.format(name="our-own"), ("--move",)),
    good=(_TRAINED.format(name="torch-distributed"), ("--move",)),
    path="job.yaml",
)

_CONFIGURED = """\
        volumeMounts: [{name: settings, mountPath: /settings}]
      volumes: [{name: settings, configMap: {name: settings}}]
"""
FILES_TO_BRING = Code(
    id="FC396",
    name="files-to-bring",
    severity="warning",
    kind="lacking",
    title="files of ConfigMaps that lie in the other cluster are brought from folders of their names: {items}",
    explain="""\
With `--move` the job waits for the files of a ConfigMap that is not in the manifest, as for any folder of the
submitter: they are to lie in a folder of its name, where the job is submitted, as the volume would have them.

Make the folder, or write what `kubectl get configmap NAME -o yaml` prints into a file and name it: `--with FILE`.""",
    bad=(container(_CONFIGURED), ("--move",)),
    good=(
        container(_CONFIGURED) + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n",
        ("--move",),
    ),
    path="job.yaml",
)
