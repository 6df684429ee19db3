"""Jobs of each format with a text of the user's in every field that is free: which fields there are, and where the text
must arrive as it is."""

from __future__ import annotations

from typing import Any

import yaml

from flowc import catalog, pipeline
from flowc.cli.arguments import UsageError, parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.detect import detect
from flowc.diag.sink import Sink
from flowc.inputs import Flags, Inputs
from flowc.ir.unit import Unit
from flowc.override import run as override
from flowc.passes.base import Context
from flowc.record import Record
from flowc.source import Source


class Field(Record):
    """A field of a format. `path` is its place in the document (the last part may be `KEY`: the text is a key, too), an
    option of sbatch or a flag, or a word of flowc's command line, where `{}` is the value; `before` stands in front of
    the text, `seen` says what word reaches a program (`{}` is the value), None where nothing on the machine asks for
    it."""

    path: tuple[str | int, ...]
    before: str = ""
    seen: str | None = None


class Format(Record):
    name: str
    base: str
    fields: tuple[Field, ...]
    flags: tuple[str, ...] = ()  # of a command line, whose command is `base`


# What the body of a job without an image does: it says what it was given. The folder of the test comes in at FOLDER.
DUMP = '{ printf \'%s\\0\' "$PWD" "$@"; env -0; } >FOLDER/dump\n'

SBATCH = "#!/bin/bash\n#SBATCH --gpus=h100:8\n" + DUMP
SLURM = Format(
    name="slurm",
    base=SBATCH,
    fields=(
        Field(path=("--job-name",), seen="SLURM_JOB_NAME={}"),
        Field(path=("--comment",)),
        Field(path=("--account",), seen="SLURM_JOB_ACCOUNT={}"),
        Field(path=("--wckey",)),
        Field(path=("--mail-user",)),
        Field(path=("--output",), before="o"),
        Field(path=("--error",), before="e"),
        Field(path=("--chdir",), before="/workspace/c", seen="{}"),
        Field(path=("env", "V"), seen="V={}"),
    ),
)

TASK = Format(
    name="task-yaml",
    base=f"""\
instance_type: 8xh100
data_mounts: [{{source: s3://bucket/x, target: /mnt/s}}, {{source: https://host/a.git, target: /mnt/g}}]
command: |
  {DUMP}""",
    fields=(
        Field(path=("name",)),
        Field(path=("env", "V"), seen="V={}"),
        Field(path=("working_dir",), before="/workspace/w", seen="{}"),
        Field(path=("runtime_files", "KEY"), before="f"),
        Field(path=("data_mounts", 0, "source"), before="s3://"),
        Field(path=("data_mounts", 0, "target"), before="/mnt/t", seen="{}"),
        Field(path=("data_mounts", 1, "source"), before="https://host/a.git#v"),
        Field(path=("volumes", 0, "mount_path"), before="/mnt/m", seen="{}"),
        Field(path=("volumes", 0, "name"), before="vol"),
        Field(path=("ssh_keys", 0)),
        Field(path=("reservation_id",)),
    ),
)
ARGV = Format(
    name="task-yaml",
    base="instance_type: 8xh100\ncommand: [show, one, two]\nimage: img\n",
    fields=(
        Field(path=("command", 1), seen="{}"),
        Field(path=("command", 2), before="-", seen="{}"),
        Field(path=("env", "V"), seen="V={}"),
        Field(path=("working_dir",), before="/w", seen="{}"),
        Field(path=("volumes", 0, "mount_path"), before="/m"),
    ),
)
FOUNDRY = Format(
    name="foundry-yaml",
    base=f"""\
name: x
project_name: p
ssh_key_name: k
task_management: {{priority: low}}
resources_specification: {{fcp_instance: h100.8x.SXM5.IB, num_instances: 1, cluster_id: us-central1-b}}
persistent_storage:
  create: {{volume_name: v, storage_type: block, size: 1, mount_point: /mnt/v, region_id: us-central1-b}}
startup_script: |
  {DUMP}
version: 1.2
""",
    fields=(
        Field(path=("name",)),
        Field(path=("project_name",)),
        Field(path=("ssh_key_name",)),
        Field(path=("persistent_storage", "create", "volume_name"), before="v"),
        Field(path=("persistent_storage", "create", "mount_point"), before="/mnt/m", seen="{}"),
    ),
)
K8S = Format(
    name="k8s",
    base="""\
apiVersion: batch/v1
kind: Job
metadata: {name: job, labels: {a: b}, annotations: {a: b}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - {name: first, image: img, command: [show, x], env: [{name: I, value: x}]}
      containers:
      - name: main
        image: img
        command: [show]
        args: [one, two]
        env: [{name: V, value: x}]
        resources: {limits: {nvidia.com/gpu: 8}}
        volumeMounts:
        - {name: host, mountPath: /host}
        - {name: files, mountPath: /files}
        - {name: share, mountPath: /share}
      volumes:
      - {name: host, hostPath: {path: /mnt/h}}
      - {name: files, configMap: {name: files}}
      - {name: share, nfs: {server: h, path: /p}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: files}
data: {key: value}
""",
    fields=(
        *(
            Field(path=("spec", "template", "spec", "containers", 0, *path), before=before, seen=seen)
            for path, before, seen in (
                (("name",), "", None),
                (("image",), "img:", None),
                (("command", 0), "show", "{}"),
                (("args", 0), "", "{}"),
                (("args", 1), "-", "{}"),
                (("env", 0, "value"), "", "V={}"),
                (("workingDir",), "/w", "{}"),
                (("volumeMounts", 0, "mountPath"), "/host", None),
                (("volumeMounts", 0, "subPath"), "s", None),
                (("livenessProbe", "exec", "command", 0), "show", None),
                (("lifecycle", "preStop", "exec", "command", 0), "show", None),
            )
        ),
        Field(path=("metadata", "labels", "KEY")),
        Field(path=("metadata", "annotations", "KEY")),
        Field(path=("metadata", "name")),
        Field(path=("spec", "template", "spec", "hostname")),
        Field(path=("spec", "template", "spec", "initContainers", 0, "command", 1), seen="{}"),
        Field(path=("spec", "template", "spec", "initContainers", 0, "env", 0, "value"), seen="I={}"),
        Field(path=("spec", "template", "spec", "volumes", 0, "hostPath", "path"), before="/mnt/h"),
        Field(path=("spec", "template", "spec", "volumes", 2, "nfs", "server")),
        Field(path=("spec", "template", "spec", "volumes", 2, "nfs", "path"), before="/p"),
        Field(path=("second", "data", "key"), seen=None),
    ),
)
SKYPILOT = Format(
    name="skypilot",
    base=f"resources: {{accelerators: H100:8}}\nsetup: 'true'\nrun: |\n  {DUMP}",
    fields=(
        Field(path=("name",)),
        Field(path=("envs", "V"), seen="V={}"),
        Field(path=("workdir",)),
        Field(path=("file_mounts", "KEY"), before="/mnt/k"),
        Field(path=("file_mounts", "/mnt/b"), before="s3://"),
        Field(path=("volumes", "KEY"), before="/mnt/v"),
        Field(path=("resources", "labels", "KEY")),
        Field(path=("resources", "image_id"), before="docker:"),
    ),
)
# Every job flag, with the next. What is refused whatever it says is there too: should it be taken one day, it is tried.
COMMAND_LINE = Format(
    name="command-line",
    base=DUMP,
    flags=("--instance-type=8xh100",),
    fields=(
        Field(path=("--name={}",)),
        Field(path=("--env=V={}",), seen="V={}"),
        Field(path=("--env={}=v",), before="W"),
        Field(path=("--mount=/mnt/k={}",), before="s3://"),
        Field(path=("--mount=/mnt/g={}",), before="https://host/a.git#v"),
        Field(path=("--mount={}=s3://bucket/x",), before="/mnt/t", seen="{}"),
        Field(path=("--mount={}",), before="gs://"),
        Field(path=("--secret={}",), before="9"),
        Field(path=("--project={}",)),
        Field(path=("--ssh-key={}",)),
        Field(path=("--region={}",), before="us-central1-"),
        Field(path=("--port={}",), before="8080:"),
        Field(path=("--with-commands={}",), before="srun,"),
        Field(path=("--fill=NAME={}",)),
        Field(path=("--fill-from={}",)),
        Field(path=("--move",)),
        Field(path=("--optimize={}",)),
        Field(path=("--with={}",)),
        *(Field(path=(f"--set={key}={{}}",)) for key in ("working_dir", "env.X", "runtime_files.f", "volumes")),
        *(Field(path=(f"--{name}={{}}",)) for name in ("instance-type", "num-instances", "time", "priority", "body")),
        *(Field(path=(f"--{name}={{}}",)) for name in ("max-price-per-hour", "budget")),
    ),
)
CONTAINED = Format(
    name="command-line",
    base="show",
    flags=("--instance-type=8xh100", "--image=img"),
    fields=(
        Field(path=("--image={}",), before="img:"),
        Field(path=("--pull-secret={}",), before="9="),
        Field(path=("--env=V={}",), seen="V={}"),
        Field(path=("--mount={}=s3://bucket/x",), before="/mnt/m"),
        Field(path=("--mount=/mnt/k={}",), before="s3://"),
        Field(path=("--set=working_dir={}",), before="/w"),
    ),
)
FORMATS = {"slurm": SLURM, "task": TASK, "argv": ARGV, "foundry": FOUNDRY, "k8s": K8S, "skypilot": SKYPILOT}
FORMATS |= {"command-line": COMMAND_LINE, "command-line-image": CONTAINED}


def put(document: Any, path: tuple[str | int, ...], value: str) -> None:
    """Put a value at its place; what is missing on the way is made, and a list grows by what stands in it already."""
    *way, last = path
    for part, following in zip(way, path[1:], strict=True):
        if isinstance(part, int):
            while len(document) <= part:
                document.append(dict(document[-1]) if document else {})
        elif part not in document:
            document[part] = [] if isinstance(following, int) else {}
        document = document[part]
    if isinstance(last, int):
        document[last:] = [value, *document[last + 1 :]]
    elif last == "KEY":
        document[value] = "v"
    else:
        document[last] = value


def units(form: Format, values: dict[Field, str], folder: str) -> list[Unit] | None:
    """The planned jobs of a format with these values in their fields; None where flowc refuses them."""
    base = form.base.replace("FOLDER", folder)
    if form.name == "command-line":
        return _told(base, *form.flags, *(str(each.path[0]).replace("{}", value) for each, value in values.items()))
    args: list[str] = []
    flags: dict[str, Any] = {}
    if form.name == "slurm":
        for each, value in values.items():
            if each.path[0] == "env":
                flags["env"] = ((str(each.path[1]), value),)
            else:
                args.append(f"{each.path[0]}={value}")
    else:
        documents = list(yaml.safe_load_all(base))
        for each, value in values.items():
            second = each.path[0] == "second"
            put(documents[second], each.path[second:], value)
        base = yaml.safe_dump_all(documents, sort_keys=False)
    inputs = Inputs(args=tuple(args), flags=Flags(**flags))
    return planned(Source("job", base), inputs, form.name)


def _told(command: str, *flags: str) -> list[Unit] | None:
    """The job of a whole command line of `flowc compile`."""
    argv = ["compile", *flags, f"--command={command}"]
    try:
        inputs = gather(parse(COMPILE, argv[1:]), argv, {})
    except UsageError:
        return None
    assert inputs.command is not None
    return planned(inputs.command.source, inputs, "command-line")


def planned(source: Source, inputs: Inputs, frontend: str) -> list[Unit] | None:
    sink = Sink()
    entry = detect(source, inputs, frontend, sink)
    if entry is None:
        return None
    front = entry.load()
    tree = front.read(source, inputs, sink)
    if tree is None or sink.failed:
        return None
    found = override(front.lower(tree, inputs, sink), inputs, sink)
    table = catalog.load(None, sink)
    if sink.failed or table is None:
        return None
    found = pipeline.run(found, Context(catalog=table), sink)
    return None if sink.failed else list(found)
