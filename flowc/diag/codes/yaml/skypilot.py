"""FC36x and FC37x: SkyPilot tasks."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "name: train\nresources:\n  accelerators: H100:8\nrun: python train.py\n"
_PATH = "job.yaml"


def _with(line: str) -> str:
    return _GOOD.replace("  accelerators: H100:8\n", f"  accelerators: H100:8\n  {line}\n")


def _accelerators(text: str) -> str:
    return _GOOD.replace("H100:8", text)


SKYPILOT_APPROXIMATED = Code(
    id="FC360",
    name="skypilot-approximated",
    severity="warning",
    title="`{path}` is only approximated: {reason}",
    explain="""\
The task gets something that is close to what the key asks for, but not the same.

Check that the task can do with it.""",
    bad=_with("max_hourly_cost: 40"),
    good=_GOOD + "config:\n  mithril:\n    limit_price: 40\n",
    path=_PATH,
)

SKYPILOT_IGNORED = Code(
    id="FC361",
    name="skypilot-ignored",
    severity="warning",
    title="`{path}` has no effect: {reason}",
    explain="""\
The key asks for something that a bid has no word for and that the task can do without.

Take it out once you have seen that it is not missed.""",
    bad=_with("priority: 10"),
    good=_GOOD,
    path=_PATH,
)

SKYPILOT_REFUSED = Code(
    id="FC362",
    name="skypilot-refused",
    severity="error",
    title="`{path}` cannot be had: {reason}",
    explain="""\
The key asks for something that one task on rented machines cannot be or have: a service that answers requests, a disk
of another cloud, a TPU.

Do as the message says, or run this file where it was written for.""",
    bad=_GOOD + "service:\n  readiness_probe: /health\n  replicas: 1\n",
    good=_GOOD,
    path=_PATH,
)

ACCELERATORS = Code(
    id="FC363",
    name="accelerators",
    severity="error",
    title="`{text}` is no accelerator: {reason}",
    explain="""\
Accelerators are a name and a count: `H100:8`; a mapping `{{H100: 8}}`; several of them as alternatives: a mapping or
a set (`{{H100: 8, A100: 8}}`, any of them will do) or a list (`[H100:8, A100-80GB:8]`, in this order); or a size:
`80GB+`.

SkyPilot reads `8xH100` as a GPU of that name and finds none.""",
    bad=_accelerators("8xH100"),
    good=_GOOD,
    path=_PATH,
)

OTHER_CLOUD = Code(
    id="FC364",
    name="other-cloud",
    severity="error",
    title="the task is pinned to `{place}`: flowc bids at Mithril only",
    explain="""\
`infra`, `cloud`, `region` and `zone` say where SkyPilot may run the task, and this task may not run where flowc bids.
Targets that bid nowhere, such as `--emit cloud-init`, take it as it is.

Take the key out, or write `infra: mithril` (or `mithril/REGION`); `--region` and `--instance-type` overrule the file.
Check what else in it belongs to the other cloud: buckets, images, instance types.""",
    bad=_with("infra: aws/us-east-1"),
    good=_with("infra: mithril"),
    path=_PATH,
)

CHOICES_DROPPED = Code(
    id="FC365",
    name="choices-dropped",
    severity="note",
    kind="placing",
    title="{count} of {total} alternatives lie on other clouds ({clouds}) and are left out",
    explain="""\
The task lists several places where it may run. flowc bids at Mithril, so only the alternatives that may run there
count.

Nothing needs to be done.""",
    bad=_with("any_of: [{infra: aws}, {infra: mithril}]"),
    good=_GOOD,
    path=_PATH,
)

SKYPILOT_CONFLICT = Code(
    id="FC366",
    name="skypilot-conflict",
    severity="error",
    title="{what}",
    explain="""\
Two keys cannot stand together: they say the same thing twice, or different things about one matter.

Keep one of them.""",
    bad=_with("infra: mithril\n  region: us-central2-a"),
    good=_with("infra: mithril/us-central2-a"),
    path=_PATH,
)

A100_MEANS_40_GB = Code(
    id="FC367",
    name="a100-means-40-gb",
    severity="note",
    kind="placing",
    title="`A100` is the part with 40 GB in SkyPilot's catalogs; the machines here have 80 GB",
    explain="""\
SkyPilot tells `A100` (40 GB) from `A100-80GB`. Only the larger part is sold here, and it holds what runs on the
smaller.

Write `A100-80GB` to say that the larger one is meant.""",
    bad=_accelerators("A100:8"),
    good=_accelerators("A100-80GB:8"),
    path=_PATH,
)

SKYPILOT_NOTHING_TO_RUN = Code(
    id="FC368",
    name="skypilot-nothing-to-run",
    severity="error",
    title="the task runs nothing: `run` is missing",
    explain="""\
With SkyPilot a task without `run` is a cluster to log in to, which stays until it is stopped. A bid for machines that
do nothing costs money until somebody ends it.

Add `run`. To hold a machine for logging in, say so: `run: sleep infinity`.""",
    bad=_GOOD.replace("run: python train.py\n", "setup: pip install torch\n"),
    good=_GOOD,
    path=_PATH,
)

VM_IMAGE = Code(
    id="FC369",
    name="vm-image",
    severity="error",
    title="`{image}` is an image of another cloud's machines",
    explain="""\
The provider's machines start from its own image. Containers do run on them: `image_id: docker:IMAGE`.

Use a container image, or take the key out and install what is missing in `setup`.""",
    bad=_with("image_id: ami-0123456789abcdef0"),
    good=_with("image_id: docker:ubuntu:22.04"),
    path=_PATH,
)

SKYPILOT_PORT = Code(
    id="FC370",
    name="skypilot-port",
    severity="error",
    title="`{text}` is no port: {reason}",
    explain="""\
`ports` takes a port, a range, or a list of them: `8080`, `6006-6010`, `[8080, 6006-6010]`.

Ports go from 1 to 65535.""",
    bad=_with("ports: 6010-6006"),
    good=_with("ports: 6006-6010"),
    path=_PATH,
)

SKYPILOT_MOUNT = Code(
    id="FC371",
    name="skypilot-mount",
    severity="error",
    title="`{path}` cannot be mounted: {reason}",
    explain="""\
`file_mounts` maps a path on the machine to a local path, a bucket's URI, or a storage with `source`. `volumes` maps a
path to the name of a volume.

Targets are absolute or begin with `~/`.""",
    bad=_GOOD + "file_mounts:\n  /data:\n    name: my-bucket\n",
    good=_GOOD + "file_mounts:\n  /data: s3://my-bucket/data\n",
    path=_PATH,
)

SKYPILOT_ENV_SECRET = Code(
    id="FC372",
    name="skypilot-env-secret",
    severity="warning",
    title="`{name}` looks like a secret and would be readable by everybody in the project",
    explain="""\
A startup script is stored with the bid, and all members of the provider's project can read it, the values of `envs`
included. The values of `secrets` are not part of it: they are delivered to the machine when it runs.

Move the variable from `envs` to `secrets`.""",
    bad=_GOOD + "envs:\n  HF_TOKEN: hf_abc\n",
    good=_GOOD + "secrets:\n  HF_TOKEN: hf_abc\n",
    path=_PATH,
)

SKYPILOT_EMPTY_ENV = Code(
    id="FC373",
    name="skypilot-empty-env",
    severity="error",
    title="the variable `{name}` has no value in the file",
    explain="""\
Tasks leave variables empty that are given when the task is launched (`sky launch --env NAME=VALUE`), and SkyPilot
refuses to start without them.

Give the value with `--env NAME=VALUE`; pass a secret with `--secret NAME`. An empty text is written `""`.""",
    bad=_GOOD + "envs:\n  MODEL:\n",
    good=_GOOD + "envs:\n  MODEL: llama\n",
    path=_PATH,
)

# FC374 is not used again: it said of pipelines what FC803 says.

SKYPILOT_SECRET_VALUE = Code(
    id="FC375",
    name="skypilot-secret-value",
    severity="note",
    title="no value of {names} is part of the bid: it is delivered after boot",
    explain="""\
All members of the provider's project can read a startup script, so values of `secrets` never stand in it. The task
waits for them on the machine.

Nothing needs to be done here; `report.txt` names the secrets that must be delivered.""",
    bad=_GOOD + "secrets:\n  HF_TOKEN: hf_abc\n",
    good=_GOOD + "secrets:\n  HF_TOKEN:\n",
    path=_PATH,
)

IMAGE_WITHOUT_DOCKER = Code(
    id="FC376",
    name="image-without-docker",
    severity="error",
    title="`{image}` lacks `docker:`: SkyPilot takes it for an image of machines",
    explain="""\
`image_id` names an image of another cloud's machines unless it begins with `docker:`. This one has the form of a
container's image: on Kubernetes and RunPod, whose machines are containers, SkyPilot takes it as one, and so does
`--move`.

Write `image_id: docker:IMAGE`.""",
    bad=_with("image_id: rocm/pytorch:latest"),
    good=_with("image_id: docker:rocm/pytorch:latest"),
    path=_PATH,
)

ENV_NOT_EXPANDED = Code(
    id="FC377",
    name="env-not-expanded",
    severity="warning",
    title="`{name}` gets this text as it stands: `{other}` is not expanded in `envs`",
    explain="""\
SkyPilot quotes the values of `envs`, so that neither variables of your machine nor those of the task are put into them.
A key that reads `${{API_KEY}}` fails much later, as a wrong key.

Give the value with `--env`, a secret with `--secret`, or build the value in `run`.""",
    bad=_GOOD + "envs:\n  WANDB_API_KEY: ${WANDB_API_KEY}\n",
    good=_GOOD + "secrets:\n  WANDB_API_KEY:\n",
    path=_PATH,
)

DOCKER_LOGIN = Code(
    id="FC378",
    name="docker-login",
    severity="note",
    title="the login for the registry is delivered as the secret `{name}`: the text of docker's config.json",
    explain="""\
SKYPILOT_DOCKER_USERNAME, _PASSWORD and _SERVER are a login for a private registry. None of them reaches the startup
script or the task: the machine waits for one secret, SKYPILOT_DOCKER, and logs in with it.

`flowc submit` makes it of the three: user and registry as the task says them, else, and the password always, as its own
environment has them (`export SKYPILOT_DOCKER_PASSWORD=…`): a file is read by others too. Else deliver what
`docker login` has written to ~/.docker/config.json, with `auths` and the registry in it.""",
    bad=_with("image_id: docker:registry.example.com/train:1")
    + "secrets:\n  SKYPILOT_DOCKER_USERNAME:\n  SKYPILOT_DOCKER_PASSWORD:\n  SKYPILOT_DOCKER_SERVER:\n",
    good=_with("image_id: docker:registry.example.com/train:1"),
    path=_PATH,
)

SKYPILOT_JOB_GROUP = Code(
    id="FC379",
    name="skypilot-job-group",
    severity="warning",
    title="{count} tasks of a group become {count} bids, which start one by one and find no other by its name",
    explain="""\
With `execution: parallel` SkyPilot starts all tasks together, in one place, and gives them names by which they reach
each other. Here each task is a bid of its own: it starts when it wins, wherever that is.

Tasks that work together are better one task with `num_nodes`, where each node looks at SKYPILOT_NODE_RANK.""",
    bad="name: group\nexecution: parallel\n---\n" + _GOOD + "---\n" + _GOOD.replace("train", "eval"),
    good=_GOOD,
    path=_PATH,
)

PLACE_OVERRULED = Code(
    id="FC380",
    name="place-overruled",
    severity="note",
    title="the task is pinned to `{place}`, and `{flag}` overrules that",
    explain="""\
The command line says where the task runs, so that what the file says of it does not count.

Check what else in the file belongs to the other cloud: buckets, images, instance types.""",
    bad=(_with("infra: aws"), ("--region", "us-central1-b")),
    good=(_with("infra: mithril"), ("--region", "us-central1-b")),
    path=_PATH,
)

PROGRAM_INSTALLED = Code(
    id="FC382",
    name="program-installed",
    severity="note",
    title="the {place} gets {what} before the setup, as SkyPilot's do",
    explain="""\
SkyPilot installs some programs on each machine, and its tasks may call them. The machine of a bid has them not; where
a task calls one and neither its setup nor an image brings it, the machine installs it first: `uv` in its newest
version, `conda` as Miniforge with Python 3.10 in `~/miniconda3`, its base environment active in `setup` and `run`, and
`docker` with what gives containers the GPUs. In a container (`image_id: docker:…`) there are also `curl`, `wget`,
`rsync`, `patch` and `pip` from Debian's packages, apt's lists and `sudo` as a function of root's shells; conda's base
environment is not active there, and what the image has stays.
Most versions of SkyPilot install Miniconda there, whose packages come from Anaconda's channels, which have terms of
their own; those of Miniforge come from conda-forge.

Nothing to do. For a version of your own, install it in `setup`.""",
    bad=_GOOD.replace("run: python train.py", "run: uv run train.py"),
    good=_GOOD,
    path=_PATH,
)

SKYPILOT_VARIABLE_NOT_SET = Code(
    id="FC383",
    name="skypilot-variable-not-set",
    severity="warning",
    title="nothing sets {items}",
    explain="""\
The task reads a variable of SkyPilot's that its machines have elsewhere (the name of a job group, the address of an
API server), or that no version sets. Here it is empty.

Give it with `envs` or `--env NAME=VALUE`, or a default where it is read: `${NAME:-default}`.""",
    bad=_GOOD.replace("train.py", "train.py --group $SKYPILOT_JOBGROUP_NAME"),
    good=_GOOD.replace("train.py", "train.py --node $SKYPILOT_NODE_RANK"),
    path=_PATH,
)
