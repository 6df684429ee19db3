"""FC45x: job flags of the command line that cannot be used."""

from __future__ import annotations

from flowc.diag.code import Code

_JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n"
_GOOD = ("#!/bin/bash\n#SBATCH --gpus=h100:8\nnvidia-smi\n", ("--time", "1h30m", "--priority", "low"))

FLAG_VALUE = Code(
    id="FC450",
    name="flag-value",
    severity="error",
    title="`{flag}` got `{value}`, expected {expected}",
    explain="""\
A job flag on flowc's command line wins over the file, so its value is checked like one that stands in the file.

Prices and budgets are US dollars: `12.50`. Durations are `90` (minutes), `1:30:00`, `1-12:00` as for sbatch, or
numbers with units: `1h30m`, `2d`. Variables are `NAME=VALUE`.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("--time", "soon")),
    good=_GOOD,
)

ENV_SECRET = Code(
    id="FC451",
    name="env-secret",
    severity="warning",
    title="`{name}` looks like a secret and would be readable by everybody in the project",
    explain="""\
A startup script is stored with the bid, and all members of the provider's project can read it, variables included.

Name it with `--secret NAME` instead: then only the name is stored, and the value is delivered after boot.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("--env", "API_TOKEN=abc")),
    good=_GOOD,
)

UNUSABLE_MOUNT = Code(
    id="FC452",
    name="unusable-mount",
    severity="error",
    title="`--mount` cannot be used: {reason}",
    explain="""\
What a job finds at a path is a bucket (`s3://`, `gs://`, …), a volume (`volume://NAME` or its bare name), a git
repository, an NFS export (`nfs://HOST/PATH`) or a path of this machine (`./data`, `/data`, `~/data`).

Write `--mount TARGET=SOURCE`, with TARGET an absolute path or one below `~/`; without one, a bucket goes to /data, a
volume to /volumes/NAME, all else below /mnt. A startup script can be read by everybody in the project, so a URL may
hold no password and no token.""",
    bad=(_JOB, ("--mount", "ftp://host/data")),
    good=(_JOB, ("--env", "DATA=s3://bucket/data")),
)

FLAGS_CONFLICT = Code(
    id="FC453",
    name="flags-conflict",
    severity="error",
    title="{what} is given twice, as `{first}` and as `{second}`",
    explain="""\
Two flags want the same place, and only one of them can have it. Unlike other flags, those that may be repeated do not
let the last one win, since both were meant.

Leave one out, or give one another place: `--mount /other=SOURCE`, `--port 9000:8080`.""",
    bad=(_JOB, ("--mount", "s3://first", "--mount", "s3://second")),
    good=_JOB,
)

SET_WITHOUT_DOCUMENT = Code(
    id="FC454",
    name="set-without-document",
    severity="error",
    title="`--set` needs a YAML document, and this is a batch script",
    explain="""\
`--set PATH=VALUE` puts a value into a YAML document before it is read. A batch script has options instead of keys.

Give sbatch's own options after `--`: they win over those in the script.""",
    bad=(_JOB, ("--set", "resources.cpus=8")),
    good=(_JOB, ("--", "--cpus-per-task=8")),
)

SBATCH_OPTIONS_ELSEWHERE = Code(
    id="FC455",
    name="sbatch-options-elsewhere",
    severity="error",
    title="what follows `--` are sbatch's options, and this is no batch script",
    explain="""\
`--` begins sbatch's own command line, which wins over the directives in a batch script. A job in another format has no
use for it, and flowc drops nothing in silence.

Use job flags (`flowc compile --help`), `--set PATH=VALUE` for a value in a YAML file, or write the words into the
command itself.""",
    bad=("command: nvidia-smi\ninstance_type: 8xh100\nmax_run_time_hours: 1\n", ("--", "--nodes=2")),
    good=("command: nvidia-smi\ninstance_type: 8xh100\nmax_run_time_hours: 1\n", ("-N", "2")),
    path="job.yaml",
)

LEFT_OUT = Code(
    id="FC456",
    name="left-out",
    severity="note",
    title="`{path}` is left out: {reason}",
    explain="""\
`--move` brings a job here that was written for another cloud or cluster: what would keep it there, and says nothing of
what the job does, is told and left out. Without the flag it is an error.

Look whether the job counts on it: a machine's own image, a disk or a runtime of the other place may hold what it
needs.""",
    bad=("resources:\n  accelerators: H100:8\n  image_id: ami-0123456789\nrun: nvidia-smi\n", ("--move",)),
    good=("resources:\n  accelerators: H100:8\nrun: nvidia-smi\n", ("--move",)),
    path="job.yaml",
)

MANIFEST_WITHOUT_USE = Code(
    id="FC457",
    name="manifest-without-use",
    severity="error",
    title="`--with` names Kubernetes objects, and this is no Kubernetes file",
    explain="""\
`--with FILE` gives the ConfigMaps, Secrets, claims, volumes and Services to which a Kubernetes job refers. Jobs of
other formats refer to none.

Take the flag out; `--mount` brings files to a job of any format.""",
    bad=(_JOB, ("--with", "/dev/null")),
    good=_JOB,
)
