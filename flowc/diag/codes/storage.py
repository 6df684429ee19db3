"""FC52x: volumes and mounts, whatever format they are asked for in."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "name: t\ninstance_type: 8xh100\nmax_run_time_hours: 1\ncommand: nvidia-smi\n"
_FOUNDRY = """\
name: t
project_name: p
ssh_key_name: k
resources_specification: {{fcp_instance: h100.8x.SXM5.IB}}
persistent_storage: {{create: {{volume_name: data, size: 10, mount_point: {}}}}}
startup_script: nvidia-smi
"""
_GOOD = _HEAD + "volumes:\n  - {name: data, size_gb: 100, mount_path: /volumes/data}\n"


def _many(count: int) -> str:
    rows = (f"  - {{name: data-{n}, size_gb: 1, mount_path: /volumes/data-{n}}}\n" for n in range(count))
    return _HEAD + "volumes:\n" + "".join(rows)


def _too_many() -> str:
    return _many(21)


BLOCK_VOLUME_ON_SEVERAL = Code(
    id="FC520",
    name="block-volume-on-several",
    severity="error",
    title="volume `{name}` is a block volume, which one machine can attach, not {machines}",
    explain="""\
A block volume is a disk: two machines that write to it at the same time destroy what is on it, and the provider
attaches it to one only. A file volume is shared by all machines of a bid.

Write `interface: file` for the volume, or run the job on one machine (an array: one task at a time, `%1`).""",
    bad=_GOOD + "num_instances: 2\n",
    good=_GOOD,
    path="job.yaml",
)

VOLUME_NAME = Code(
    id="FC521",
    name="volume-name",
    severity="error",
    title="`{name}` is no name of a volume",
    explain="""\
The provider's volumes have names of at most 64 lower-case letters, digits and dashes, which begin with a letter and do
not end in a dash.

Rename the volume; the help line has the nearest name that is allowed.""",
    bad=_HEAD + "volumes:\n  - {name: 4data, size_gb: 100, mount_path: /volumes/data}\n",
    good=_GOOD,
    path="job.yaml",
)

VOLUME_SIZE = Code(
    id="FC522",
    name="volume-size",
    severity="error",
    title="a volume of {size}: a {interface} volume has at most {most} GiB, and not less than a byte",
    explain="""\
A region has a ceiling for one volume, and the shares that several machines use together have a lower one.

Make the volume smaller, spread the data over several volumes, or keep it in a bucket.""",
    bad=_HEAD
    + "num_instances: 2\nvolumes:\n  - {name: data, size_gb: 17000, interface: file, mount_path: /volumes/data}\n",
    good=_GOOD,
    path="job.yaml",
)

TOO_MANY_VOLUMES = Code(
    id="FC523",
    name="too-many-volumes",
    severity="error",
    title="{count} volumes, at most {limit} are attached to a machine",
    explain="""\
Every volume is a device of its own on each machine of the job, and there is room for twenty.

Put what belongs together into one volume, with a folder for each part.""",
    bad=_too_many,
    good=_GOOD,
    path="job.yaml",
)

MOUNT_TARGET_FORM = Code(
    id="FC524",
    name="mount-target-form",
    severity="error",
    title="nothing can be mounted at `{target}`: {reason}",
    explain="""\
Where a volume, a bucket or a folder is to be found must be the same for every program of the job, so it is an absolute
path, or one in the home of the user that runs the job (`~/data`). Docker takes no path with a colon.

Write the path in full: `/data`, `/mnt/models`.""",
    bad=(_FOUNDRY.format("/data/../x"), ("--time", "1h")),
    good=(_FOUNDRY.format("/data/x"), ("--time", "1h")),
    path="job.yaml",
)

MOUNT_TARGET_RESERVED = Code(
    id="FC525",
    name="mount-target-reserved",
    severity="error",
    title="nothing may be mounted at `{target}`: {whose} would lose what it needs there",
    explain="""\
What is mounted at a folder hides what was in it. Without `/etc`, `/usr`, `/dev` and the like nothing runs any more, and
without its own folder below `/var/lib/foundry` the job itself is lost.

Mount it at a folder of its own: `/data`, `/mnt/NAME`, `/volumes/NAME`.""",
    bad=_HEAD + "volumes:\n  - {name: data, size_gb: 100, mount_path: /var/lib/foundry}\n",
    good=_GOOD,
    path="job.yaml",
)

MOUNT_TARGET_TWICE = Code(
    id="FC526",
    name="mount-target-twice",
    severity="error",
    title="two things are to be mounted at `{target}`",
    explain="""\
The second one would hide the first, and which is the second depends on the order in which they come up.

Give each a folder of its own.""",
    bad=_GOOD + "  - {name: more, size_gb: 100, mount_path: /volumes/data}\n",
    good=_GOOD + "  - {name: more, size_gb: 100, mount_path: /volumes/more}\n",
    path="job.yaml",
)

MOUNT_TARGETS_NESTED = Code(
    id="FC527",
    name="mount-targets-nested",
    severity="error",
    title="`{inner}` lies inside `{outer}`, where something else is mounted",
    explain="""\
To mount one thing inside another a folder must be made in the outer one: in the persistent volume or the bucket itself,
where it stays; and if the outer one comes up last, the inner one is hidden.

Mount them side by side: `/volumes/data` and `/volumes/models`.""",
    bad=_GOOD + "  - {name: more, size_gb: 100, mount_path: /volumes/data/more}\n",
    good=_GOOD + "  - {name: more, size_gb: 100, mount_path: /volumes/more}\n",
    path="job.yaml",
)


DISK_UNKNOWN = Code(
    id="FC627",
    name="disk-unknown",
    severity="warning",
    kind="placing",
    title="the job asks for {need} of local disk; how much `{type}` has is not known",
    explain="""\
The provider does not say how large the local disk of this machine is. The job is sent all the same: where the disk is
too small, it fails as soon as the disk is full.

Mount a volume for what is large (`--mount PATH=volume://NAME`), or choose a machine whose disk is known.""",
    bad="#!/bin/bash\n#SBATCH --gpus-per-node=b200:8 --tmp=1T\n#SBATCH --time=1:00:00\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --tmp=1T\n#SBATCH --time=1:00:00\nnvidia-smi\n",
)
