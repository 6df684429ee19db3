"""Documents that say as much as their format can: for the formats whose tests have no example of each field."""

from __future__ import annotations

FOUNDRY = {
    "machine": """\
name: train
project_name: research
ssh_key_name: laptop
task_management: {priority: high}
resources_specification:
  fcp_instance: h100.8x.SXM5.IB
  num_instances: 2
  num_gpus: 8
  cluster_id: us-central1-b
  internode_interconnect: IB_1600
ports: [8080, "6006-6008", {external: 8441, internal: 8001, protocol: tcp}]
persistent_storage:
  create: {volume_name: data, storage_type: nfs, size: 100, size_unit: gb, mount_point: /data, disk_interface: File}
startup_script: |
  nvidia-smi
version: 1.2
""",
    "container": """\
name: train
project_name: research
ssh_key_name: laptop
task_management: {utility_threshold_price: 17.92}
resources_specification: {num_gpus: 4, gpu_type: h100, resources: {vCPU: 16, RAM: 64}}
num_instances: 1
persistent_storage:
  attach: {volume_name: data, region_id: us-central2-a, disk_interface: Block}
  mount_dir: /data
ephemeral_storage_config: {mounts: {/dev/nvme0n1: /scratch}}
container_image: {image_name: "ubuntu:24.04", run_options: ["--init", "--cpus=4"]}
""",
    "mount-point": """\
name: train
project_name: research
ssh_key_name: laptop
task_management: {num_instances: 2}
resources_specification: {num_gpus: 8, gpu_type: h100}
resources: {vCPU: 16, RAM: 64}
persistent_storage: {attach: {volume_name: data, mount_point: /here, storage_type: nfs}}
startup_script: nvidia-smi
""",
    "options-as-text": """\
name: train
project_name: research
ssh_key_name: laptop
resources_specification: {fcp_instance: a100.1x.SXM4.IB}
container_image: {image_name: "ubuntu:24.04", run_options: "--init --cpus=4"}
startup_script: echo before
""",
}

# Beside the examples of single fields: what stands well with other things only.
# Read with `--move` alone.
_BEFORE = """\
apiVersion: kubeflow.org/v1alpha1
kind: MPIJob
metadata: {name: m}
spec:
  SPEC
  template: {spec: {containers: [{name: m, image: "m:1", command: [mpirun, a]RESOURCES}]}}
"""
K8S_MOVED = {
    name: _BEFORE.replace("SPEC", "\n  ".join(said)).replace("RESOURCES", asked)
    for name, said, asked in (
        ("gpus", ("gpus: 16", "gpusPerNode: 4", "activeDeadlineSeconds: 60", "ttlSecondsAfterFinished: 9"), ""),
        ("units", ("processingUnits: 8", "processingUnitsPerNode: 4", "processingResourceType: cpu"), ""),
        ("replicas", ("replicas: 2", "slotsPerWorker: 3"), ", resources: {limits: {nvidia.com/gpu: 8}}"),
    )
}
K8S = {
    "mpi": """\
apiVersion: kubeflow.org/v1alpha2
kind: MPIJob
metadata: {name: m}
spec:
  slotsPerWorker: 8
  runLauncherAsWorker: false
  mpiImplementation: OpenMPI
  activeDeadlineSeconds: 60
  backoffLimit: 1
  ttlSecondsAfterFinished: 9
  mpiReplicaSpecs:
    Launcher: {replicas: 1, template: {spec: {containers: [{name: m, image: "m:1", command: [mpirun, a]}]}}}
    Worker: {replicas: 2, template: {spec: {containers: [{name: m, image: "m:1"}]}}}
""",
    "jax": """\
apiVersion: kubeflow.org/v1
kind: JAXJob
metadata: {name: j}
spec:
  jaxReplicaSpecs:
    Worker: {replicas: 2, template: {spec: {containers: [{name: jax, image: "j:1", command: [python, a.py]}]}}}
""",
    "pod": """\
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  restartPolicy: Never
  os: {name: linux}
  runtimeClassName: nvidia
  hostNetwork: true
  containers:
  - name: main
    image: "img:1"
    securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
    startupProbe: {httpGet: {path: /up, port: 80, host: h, scheme: HTTP, httpHeaders: [{name: a, value: b}]}}
    livenessProbe: {tcpSocket: {port: 80, host: h}}
    lifecycle: {postStart: {httpGet: {path: /up, port: 80}}, preStop: {tcpSocket: {port: 80}}}
    volumeMounts: [{name: h, mountPath: /h}, {name: c, mountPath: /c}]
  volumes:
  - {name: h, hostPath: {path: /mnt/h, type: DirectoryOrCreate}}
  - {name: c, persistentVolumeClaim: {claimName: data}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], volumeMode: Filesystem, resources: {requests: {storage: 10Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec: {clusterIP: None}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
type: Opaque
stringData: {a: b}
""",
    "job": """\
apiVersion: batch/v1
kind: Job
metadata: {name: one}
spec:
  managedBy: kubernetes.io/job-controller
  completions: 2
  parallelism: 2
  completionMode: Indexed
  scheduling: {schedulingPolicy: {gang: {minCount: 2}}}
  podFailurePolicy:
    rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}]
  template:
    spec:
      restartPolicy: Never
      securityContext: {runAsNonRoot: true, runAsUser: 1000}
      containers:
      - name: main
        image: "img:1"
        livenessProbe: {grpc: {port: 80, service: a}}
        envFrom: [{secretRef: {name: s}}]
        env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: a, optional: true}}}]
---
apiVersion: v1
kind: Secret
metadata: {name: s}
type: Opaque
stringData: {a: b}
""",
}
SKYPILOT = {
    "places": "resources: {cloud: mithril, region: us-central2-a, accelerators: H100:8}\nrun: hostname\n",
    "zone": "resources: {cloud: mithril, zone: us-central2-a, accelerators: H100:8}\nrun: hostname\n",
    "cost": "resources: {max_hourly_cost: 40.5, accelerators: H100:8}\nrun: hostname\n",
    "storage": "file_mounts: {/data: {name: bucket, store: s3, mode: COPY}}\nrun: hostname\n",
}
_HEAD = "min_gpu_memory_gb: 80\ncommand: hostname\n"
TASKS = {
    "region": _HEAD + "region: us-central2-a\nname: b\n",
    "regions": _HEAD + "constraints: {regions: [us-central2-a, us-central1-b], exclude_regions: [us-central3-*]}\n",
}

# Options of sbatch, with what stands before them, and another value of the same kind.
SLURM = (
    ("--array=1-4%2", "", ("--array=1-4%3", "--array=1-5%2")),
    ("--begin=2030-01-20T12:00:00", "", ("--begin=2031-01-20T12:00:00",)),
    ("--chdir=/data/run", "", ("--chdir=/data/other",)),
    ("--constraint=a100", "--gpus=1", ("--constraint=h100",)),
    ("--container-env=A", "--container-image=ubuntu", ()),
    ("--container-image=ubuntu", "", ("--container-image=debian",)),
    ("--container-mounts=/a:/b", "--container-image=ubuntu", ("--container-mounts=/a:/c",)),
    ("--container-readonly", "--container-image=ubuntu", ("--comment=x",)),
    ("--container-remap-root", "--container-image=ubuntu", ()),
    ("--container-workdir=/w", "--container-image=ubuntu", ("--container-workdir=/v",)),
    ("--container-writable", "--container-image=ubuntu", ()),
    ("--cores-per-socket=8", "-N1 --sockets-per-node=2", ("--cores-per-socket=80",)),
    ("--cpus-per-gpu=8", "--gpus=2", ("--cpus-per-gpu=80",)),
    ("--cpus-per-task=8", "", ("--cpus-per-task=9",)),
    ("--deadline=2030-01-20T12:00:00", "", ("--deadline=2031-01-20T12:00:00",)),
    ("--dependency=afterok:12", "", ("--dependency=afterok:13",)),
    ("--kill-on-invalid-dep=yes", "--dependency=afterok:12", ("--kill-on-invalid-dep=no",)),
    ("--distribution=cyclic", "", ("--distribution=plane=2",)),
    ("--error=e.txt", "", ("--error=f.txt",)),
    ("--exclusive", "", ("--exclusive=user",)),
    ("--export=A=1", "", ("--export=A=2", "--export=NONE")),
    ("--extra-node-info=2:8:1", "", ("--extra-node-info=2:80:1",)),
    ("--gpus=h100:8", "", ("--gpus=a100:8", "--gpus=h100:1")),
    ("--gpus-per-node=4", "", ("--gpus-per-node=5",)),
    ("--gpus-per-socket=2", "--sockets-per-node=2", ("--gpus-per-socket=3",)),
    ("--gpu-bind=single:1", "-n2 --gres=gpu:2", ("--gpu-bind=none",)),
    ("--gpus-per-task=1", "-n2", ("--gpus-per-task=2",)),
    ("--gres=gpu:2", "", ("--gres=gpu:3",)),
    ("--ignore-pbs", "", ()),
    ("--input=in.txt", "", ("--input=on.txt",)),
    ("--job-name=train", "", ("--job-name=test",)),
    ("--mail-type=END", "", ("--mail-type=FAIL",)),
    ("--mail-user=a@example.org", "", ("--mail-user=b@example.org",)),
    ("--mem=4G", "", ("--mem=900G",)),
    ("--mem-per-cpu=4G", "-c8", ("--mem-per-cpu=100G",)),
    ("--mem-per-gpu=4G", "--gpus=1", ("--mem-per-gpu=500G",)),
    ("--mincpus=8", "", ("--mincpus=100",)),
    ("--no-requeue", "", ("--requeue",)),
    ("--no-container-entrypoint", "--container-image=ubuntu", ()),
    ("--no-container-mount-home", "--container-image=ubuntu", ()),
    ("--nodes=2", "", ("--nodes=3",)),
    ("--ntasks=4", "", ("--ntasks=5",)),
    ("--ntasks-per-gpu=2", "--gpus=2", ("--ntasks-per-gpu=3",)),
    ("--ntasks-per-node=4", "", ("--ntasks-per-node=5",)),
    ("--ntasks-per-tres=2", "--gpus=2", ("--ntasks-per-tres=3",)),
    ("--open-mode=append", "-o x.txt", ("--open-mode=truncate",)),
    ("--output=o.txt", "", ("--output=p.txt",)),
    ("--overcommit", "-n4", ("--comment=x",)),
    ("--reboot", "", ()),
    ("--requeue", "", ("--no-requeue",)),
    ("--signal=B:USR1@120", "", ("--signal=B:USR2@120", "--signal=B:USR1@240", "--signal=USR1@120")),
    ("--sockets-per-node=2", "-N1 --cores-per-socket=8", ("--sockets-per-node=20",)),
    ("--threads-per-core=2", "-N1 --sockets-per-node=2 --cores-per-socket=8", ("--threads-per-core=20",)),
    ("--time=10", "", ("--time=11",)),
    ("--time-min=10", "", ("--time-min=11",)),
    ("--tmp=10G", "", ("--tmp=90000G",)),
    ("--tres-per-task=gres/gpu=1", "-n2", ("--tres-per-task=gres/gpu=2",)),
    ("--use-min-nodes", "", ()),
    ("--wrap=hostname", "", ()),
)
# What a rented machine does anyway, or what only says how the file is read.
AS_IT_IS = {
    "--container-env=A": "a job's variables always win over the image's",
    "--container-remap-root": "docker's containers are root's",
    "--container-writable": "docker's containers are writable",
    "--no-container-entrypoint": "the script stands in the entrypoint's place anyway",
    "--no-container-mount-home": "no home is mounted anyway",
    "--ignore-pbs": "the file is read without #PBS lines, of which it has none",
    "--reboot": "a machine is freshly booted",
    "--use-min-nodes": "as few machines as the resources need, anyway",
    "--wrap=hostname": "in a file it is dropped, and said to be",
}

# Job flags: a file where one has an effect, its words, and other words.
TASK = "name: a\ninstance_type: 8xh100\ncommand: hostname\nmax_run_time_hours: 1\n"
BATCH = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=1:00:00\npython train.py\n"
PINNED = "resources:\n  infra: aws/us-east-1\n  accelerators: H100:8\nrun: nvidia-smi\n"
SPREAD = "#!/bin/bash\n#SBATCH --nodes=4 --ntasks=8 --gpus-per-node=h100:2 --time=60\nsrun python train.py\n"
FLAGS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (TASK, ("--name", "b"), ("--name", "c")),
    (TASK, ("--instance-type", "8xa100"), ("--instance-type", "4xa100")),
    (TASK, ("--num-instances", "2"), ("--num-instances", "3")),
    (TASK, ("--region", "us-central2-a"), ("--region", "us-central1-b")),
    (TASK, ("--max-price-per-hour", "20"), ("--max-price-per-hour", "21")),
    (TASK, ("--budget", "100"), ("--budget", "10")),
    (TASK, ("--time", "2h"), ("--time", "3h")),
    (TASK, ("--image", "img:1"), ("--image", "img:2")),
    (TASK, ("--env", "A=1"), ("--env", "A=2")),
    (TASK, ("--secret", "A"), ("--secret", "B")),
    (TASK, ("--pull-secret", "A", "--image", "a/b:1"), ("--pull-secret", "B", "--image", "a/b:1")),
    (TASK, ("--mount", "/a=s3://b"), ("--mount", "/a=s3://c")),
    (TASK, ("--port", "8080"), ("--port", "8081")),
    (TASK, ("--project", "p"), ("--project", "q")),
    (TASK, ("--ssh-key", "a"), ("--ssh-key", "b")),
    (TASK, ("--priority", "low"), ("--priority", "high")),
    (TASK, ("--set", "min_cpus=8"), ("--set", "min_cpus=8000")),
    (PINNED, ("--move",), ()),
    (SPREAD, ("--optimize", "cost"), ()),
    (BATCH, ("--with-commands", "srun"), ("--with-commands", "squeue")),
    (BATCH, ("--body", "ssh"), ("--body", "script")),
)
