"""FC25x: Foundry task YAML, v1.2."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = """\
name: train
project_name: research
ssh_key_name: laptop
task_management:
  priority: standard
resources_specification:
  fcp_instance: h100.8x.SXM5.IB
startup_script: |
  python train.py
version: 1.2
"""
_PATH = "job.yaml"
_STORAGE = "persistent_storage:\n  create: {{volume_name: data, size: 10, {}}}\n"

FOUNDRY_APPROXIMATED = Code(
    id="FC250",
    name="foundry-approximated",
    severity="warning",
    title="`{path}` is only approximated: {reason}",
    explain="""\
The job gets something that is close to what the key asks for, but not the same.

Check that the job can do with it.""",
    bad=_GOOD + "ephemeral_storage_config:\n  mounts: {/dev/nvme0n1: /scratch}\n",
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_IGNORED = Code(
    id="FC251",
    name="foundry-ignored",
    severity="warning",
    title="`{path}` has no effect: {reason}",
    explain="""\
The key asks for something that the provider of today has no word for.

Take it out once you have seen that the job does without.""",
    bad=_GOOD.replace("SXM5.IB\n", "SXM5.IB\n  advanced: {optimize: budget}\n"),
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_REFUSED = Code(
    id="FC252",
    name="foundry-refused",
    severity="error",
    title="`{path}` cannot be had: {reason}",
    explain="""\
The key asks for something that a bid cannot do, and the job would not be the same without it.

Do as the message says, or take the key out.""",
    bad=_GOOD + "container_image: {image_name: ubuntu, build_context: .}\n",
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_VERSION = Code(
    id="FC253",
    name="foundry-version",
    severity="error",
    title="the file is of version {version}, only 1.2 is read",
    explain="""\
`version` names the release of the format that the file is written in. Keys may mean something else in another one.

Set `version: 1.2` after checking the file against that release.""",
    bad=_GOOD.replace("1.2", "2.0"),
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_NO_NAME = Code(
    id="FC254",
    name="foundry-no-name",
    severity="warning",
    title="the task has no name and is called `{name}`",
    explain="""\
The old tool refused a task without a name. It is called after its file.

Add `name:` or give `--name`.""",
    bad=_GOOD.replace("name: train\n", "", 1),
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_NO_IDENTITY = Code(
    id="FC255",
    name="foundry-no-identity",
    severity="error",
    title="`{key}` is missing: it says {what}",
    explain="""\
The old tool asked for it on the terminal. flowc never asks, since a build or a hook has nobody to answer.

Add the key, or give the flag that the help names.""",
    bad=_GOOD.replace("project_name: research\n", ""),
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_PRIORITY_TIER = Code(
    id="FC256",
    name="foundry-priority-tier",
    severity="note",
    title="`critical` bids as `high` does: there is no higher tier",
    explain="""\
Today's prices by priority have three tiers: low, med and high. `standard` is med, `critical` is high.

Set `utility_threshold_price` to bid more.""",
    bad=_GOOD.replace("standard", "critical"),
    good=_GOOD,
    path=_PATH,
    money=True,
)

PRICE_PER_GPU = Code(
    id="FC257",
    name="price-per-gpu",
    severity="warning",
    title="${price} for a machine with {gpus} GPUs is far below the usual ${low}: is it meant per GPU?",
    explain="""\
The old document calls `utility_threshold_price` a price per GPU, but its own example and the old tool mean the price of
the whole machine, and so does flowc. A bid so low will hardly ever win.

If the price is meant per GPU, multiply it by the number of GPUs.""",
    bad=_GOOD.replace("  priority: standard\n", "  utility_threshold_price: 1.9\n").replace("h100.8x", "a100.2x"),
    good=_GOOD.replace("  priority: standard\n", "  utility_threshold_price: 40\n"),
    path=_PATH,
    money=True,
)

FOUNDRY_CONFLICT = Code(
    id="FC258",
    name="foundry-conflict",
    severity="error",
    title="{what}",
    explain="""\
Two keys say different things about one matter, and the old tool took one of them without a word.

Keep one of them, or make them agree.""",
    bad=_GOOD.replace("SXM5.IB\n", "SXM5.IB\n  num_gpus: 4\n"),
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_PORT = Code(
    id="FC259",
    name="foundry-port",
    severity="error",
    title="`{path}` is no port: {reason}",
    explain="""\
A port is a number from 1 to 65535, a range such as `6006-6010`, or a mapping with `external`, `internal` and maybe
`protocol`; ranges of a mapping have equal lengths.

YAML reads `22:22` as the number 1342: write `{external: 22, internal: 22}`.""",
    bad=_GOOD + "ports: [6010-6006]\n",
    good=_GOOD + "ports: [6006-6010]\n",
    path=_PATH,
)

FOUNDRY_NOTHING_TO_RUN = Code(
    id="FC260",
    name="foundry-nothing-to-run",
    severity="error",
    title="the task runs nothing: there is neither `startup_script` nor `container_image`",
    explain="""\
A machine without a task costs money until somebody ends it.

Add `startup_script`. To hold a machine for logging in, say so: `startup_script: sleep infinity`.""",
    bad=_GOOD.replace("startup_script: |\n  python train.py\n", ""),
    good=_GOOD,
    path=_PATH,
)

FOUNDRY_SCRIPT_AND_IMAGE = Code(
    id="FC261",
    name="foundry-script-and-image",
    severity="note",
    title="`startup_script` runs inside the container, before its own command",
    explain="""\
The old tool ran the startup script on the machine, beside the container. Here it prepares the container: it runs once
in it, and the image's own command starts when it has ended well.

To run only the script in the container, leave out `container_image` and call `docker run` in the script.""",
    bad=_GOOD + "container_image: {image_name: ubuntu}\n",
    good=_GOOD,
    path=_PATH,
)
