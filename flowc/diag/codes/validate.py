"""FC5xx: bounds and conflicts that hold for jobs of every format."""

from __future__ import annotations

from flowc.diag.code import Code

_TASK = "name: t\ninstance_type: 8xh100\nmax_run_time_hours: 1\n"
_RUNS = _TASK + "command: nvidia-smi\n"
_FOUNDRY = """\
name: t
project_name: p
ssh_key_name: k
resources_specification: {fcp_instance: h100.8x.SXM5.IB}
startup_script: nvidia-smi
"""
_GOOD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8\n#SBATCH --time=1:00:00\nnvidia-smi\n"

ENVIRONMENT_TOO_LARGE = Code(
    id="FC501",
    name="environment-too-large",
    severity="error",
    title="environment of {size} bytes, at most {limit} fit",
    explain="""\
The names and values of a job's variables, with one byte each to separate and to end them, may take 4 KB
together.

Put long values into a file that the job reads, or into the script, where they are compressed.""",
    bad=(_GOOD, ("--env=LONG=" + "x" * 4096,)),
    good=(_GOOD, ("--env=SHORT=x",)),
)

ENVIRONMENT_NAME = Code(
    id="FC502",
    name="environment-name",
    severity="error",
    title="no shell can set a variable named `{name}`",
    explain="""\
A variable's name consists of letters, digits and underscores and does not begin with a digit. Under Slurm any
other name is put into the environment all the same, where no shell script can read it; here it could not even
be set.

Rename the variable.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --export=MY-NAME=1\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --export=MY_NAME=1\nnvidia-smi\n",
)

TOO_MANY_NODES = Code(
    id="FC503",
    name="too-many-nodes",
    severity="error",
    title="{nodes} nodes asked for, one bid has at most {limit}",
    explain="""\
All nodes of a job come from one bid, and the provider takes at most 256 instances in one.

Ask for fewer nodes. The tasks of a job that needs more must be split over several jobs.""",
    bad="#!/bin/bash\n#SBATCH --nodes=1024 --gpus-per-node=h100:8 --time=10\nsrun ./solve\n",
    good=_GOOD,
)

REGION_FORM = Code(
    id="FC504",
    name="region-form",
    severity="error",
    title="`{region}` is no region: expected a name such as `us-central1-a`",
    explain="""\
The provider's regions are named after part of the world, place with number, and a letter: `us-central1-a`.
Names of other clouds (`us-east-1`) mean nothing here.

Take a region from the help line, or leave it out: then the machine decides it.""",
    bad=(_GOOD, ("--region=us-east-1",)),
    good=(_GOOD, ("--region=us-central2-a",)),
)

SIGNAL_AT_ONCE = Code(
    id="FC505",
    name="signal-at-once",
    severity="warning",
    title="the signal is due {before} before a limit of {limit}: it is sent as soon as the job starts",
    explain="""\
`--signal=USR1@300` warns the job 300 seconds before its time limit. With a limit that is not longer than
that, the warning comes at the start, and a job that stops at it does nothing.

Give the job more time, or shorten the notice. A time such as `10:00` is ten minutes, not ten hours.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=5 --signal=B:USR1@600\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=60 --signal=B:USR1@600\nnvidia-smi\n",
)

LONG_JOB = Code(
    id="FC506",
    name="long-job",
    severity="note",
    kind="placing",
    title="a limit of {limit}: spot machines may be taken away meanwhile, with 5 minutes' notice",
    explain="""\
Spot machines go to the highest bids, which are compared every few minutes. The longer a job runs, the
likelier it loses its machine for a while; it starts again, from the top, when the bid wins again.

Save progress regularly and let the job continue from it. A higher `--priority` or `--max-price-per-hour`
makes losing the machine less likely.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=3-00:00:00\nnvidia-smi\n",
    good=_GOOD,
)

ARRAY_TOO_LARGE = Code(
    id="FC507",
    name="array-too-large",
    severity="error",
    title="an array of {count} tasks, at most {limit} are bid for at once",
    explain="""\
Each task of an array becomes a bid of its own. Slurm allows 1,001 tasks by default, many clusters some thousand.

Submit the array in parts (`--array=0-999`, then `--array=1000-1999`), or let one task do the work of
several.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=0-4999\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=0-49\nnvidia-smi\n",
)

ARRAY_OVER_QUOTA = Code(
    id="FC508",
    name="array-over-quota",
    severity="warning",
    title="{count} tasks may run at the same time, a project has room for {limit}",
    explain="""\
The provider lets a project run about a hundred tasks at a time. Bids beyond that may be refused.

Give the array a limit of tasks at a time: `--array=0-499%50`.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=0-499\nnvidia-smi\n", ("--budget", "9999")),
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=0-499%50\nnvidia-smi\n",
)

PORT_TWICE = Code(
    id="FC510",
    name="port-twice",
    severity="warning",
    title="port {port}/{protocol} is listed twice",
    explain="""\
The port is opened once. A second line for it does no harm, but one of the two may have been meant to be another.

Leave one out, or correct it.""",
    bad=(_FOUNDRY + "ports: [8080, 8080]\n", ("--time", "1h")),
    good=(_FOUNDRY + "ports: [8080, 8081]\n", ("--time", "1h")),
    path="job.yaml",
)

PORT_CONFLICT = Code(
    id="FC511",
    name="port-conflict",
    severity="error",
    title="port {port}/{protocol} leads to {first} and to {second}",
    explain="""\
Whoever connects to a port of the machine reaches one program. Two programs need two ports.

Give one of them another external port.""",
    bad=(
        _FOUNDRY + "ports:\n  - {external: 9000, internal: 8000}\n  - {external: 9000, internal: 8001}\n",
        ("--time", "1h"),
    ),
    good=(_FOUNDRY + "ports:\n  - {external: 9000, internal: 8000}\n", ("--time", "1h")),
    path="job.yaml",
)

NOTHING_TO_RUN = Code(
    id="FC512",
    name="nothing-to-run",
    severity="error",
    title="the job has no command and no image: there is nothing to run",
    explain="""\
A rented machine costs money from its start, so a job that would do nothing on it is not placed.

Say what to run: `command` (Flow), `run` (SkyPilot), `command` or `image` of the container (Kubernetes).""",
    bad="resources: {accelerators: H100:8}\nrun: ''\n",
    good="resources: {accelerators: H100:8}\nrun: nvidia-smi\n",
    path="job.yaml",
)

IMAGE_REFERENCE = Code(
    id="FC513",
    name="image-reference",
    severity="error",
    title="`{image}` is no container image: {reason}",
    explain="""\
An image is named like `registry.example.com:5000/team/image:tag`: the host (left out for Docker Hub), a path in lower
case, a tag after a colon or a digest after `@`. Docker refuses anything else, and would do so only on the machine, when
it is already paid for.

Write the name as `docker pull` takes it, without `docker://`.""",
    bad=_RUNS + "image: PyTorch/PyTorch:latest\n",
    good=_RUNS + "image: pytorch/pytorch:latest\n",
    path="job.yaml",
)

RUN_TIME_ORDER = Code(
    id="FC514",
    name="run-time-order",
    severity="warning",
    title="the job needs {least} at least, but is ended after {limit}",
    explain="""\
A job that is ended before the time that it needs cannot finish, and is paid all the same.

Raise the limit, or lower the least time.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=1:00:00 --time-min=2:00:00\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=2:00:00 --time-min=1:00:00\nnvidia-smi\n",
)

TOO_MANY_CHOICES = Code(
    id="FC515",
    name="too-many-choices",
    severity="error",
    title="{count} kinds of machine to choose from, at most {limit} are looked at",
    explain="""\
Each kind of machine is held against everything that is sold, so there is a limit to how many of them one job may name.

Name fewer: what matters is the GPU and how many of them; the region can be left open.""",
    bad=lambda: _RUNS.replace("8xh100", str([f"{count}xh100" for count in range(1, 202)])),
    good=_RUNS,
    path="job.yaml",
)
