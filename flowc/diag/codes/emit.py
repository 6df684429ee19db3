"""FC8xx: putting the job into the target's form."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8\n#SBATCH --time=1:00:00\nnvidia-smi\n"
_TASK = "name: train\ncommand: python train.py\ninstance_type: h100\nmax_run_time_hours: 1\n"

STARTUP_SCRIPT_TOO_LARGE = Code(
    id="FC801",
    name="startup-script-too-large",
    severity="error",
    title="the startup script has {size} bytes after compression, at most {limit} fit",
    explain="""\
The provider takes startup scripts of at most 10,000 characters. The job's own text is compressed together
with the few sections that run it, and what goes beyond the limit is nearly always data inside the script: a
long here-document, an encoded archive, a table.

`flowc submit` sends over SSH what does not fit. It is an error of `check` and `compile` all the same: they speak of the
request alone, which whoever else sends it cannot send. There put such data where the job can fetch it (a bucket, a
repository, a volume), or write `--body ssh`: what does not fit is then no part of the startup script and is copied over
SSH once the machine is there. `report.txt` (from `compile -o DIR`) shows what each part takes.""",
    # Digits without a pattern, which no compressor makes shorter than half.
    bad=lambda: f"#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\ndecode <<<{3**60000:x}\n",
    good=_GOOD,
)

COMMENTS_LEFT_OUT = Code(
    id="FC860",
    name="comments-left-out",
    severity="note",
    kind="placing",
    title="the startup script has no room for the comments of the job's text: the machine gets it without them",
    explain="""\
The provider takes startup scripts of at most 10,000 characters. Where that is too few, the comments of the text (and of
`setup`) stay behind, its `#SBATCH` lines among them, which are read before. All else is as it was written, and each
line has its number, so that messages of the shell name the same ones. It is not done to a text that may read itself
(`$0`, BASH_SOURCE), shows what it reads (`set -v`), or is for another program than bash or sh.

Nothing to do. `--body ssh` copies the text as it is once the machine is there.""",
    bad=lambda: f"#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n# {3**40000:x}\nnvidia-smi\n",
    good=_GOOD,
)

NAME_CHANGED = Code(
    id="FC802",
    name="name-changed",
    severity="note",
    kind="placing",
    title="the bid is named `{name}`: `{asked}` is no name that the provider takes",
    explain="""\
Names of bids consist of small letters, digits and dashes, begin with a letter, and have at most 60
characters. Slurm takes any text. The job itself still sees the name as it was written.

Nothing to do, unless you look for the bid by its name.""",
    bad="#!/bin/bash\n#SBATCH --job-name=7b/tune --gpus=h100:8 --time=10\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --job-name=my-job --gpus=h100:8 --time=10\nnvidia-smi\n",
)

ORDER_KEPT_BY_SUBMIT = Code(
    id="FC846",
    name="order-kept-by-submit",
    severity="note",
    kind="placing",
    title="`{what}` is kept by `flowc submit`: {consequence}",
    explain="""\
A bid on the spot market knows no other bids. What is to wait, for other jobs or since only so many tasks of an array
may run at once, is held back by `flowc submit`: it, or whoever looks next (`flowc wait`, `list`, `status`, `watch`),
places a bid when its turn has come. Who sends the request by other means places the second when the first is done.

`--dependency` may name what it waits for: a task, a submission or a job's name, besides the number that SLURM_JOB_ID
had. Slurm itself takes numbers alone: where a script has to run on both, say `flowc submit --after afterok:NAME`.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --dependency=singleton\nnvidia-smi\n",
    good=_GOOD,
)

NOT_IN_BID = Code(
    id="FC803",
    name="not-in-bid",
    severity="warning",
    title="a bid cannot say `{what}`: {consequence}",
    explain="""\
A bid on the spot market has a machine, a count, a price and a script. It knows no start time, no reservation and no
network of its own, so what the job says about these is not part of the request.

The message says what happens in its place. Where that is not enough, do it by other means: submit later, or choose
another machine.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --begin=now+1hour\nnvidia-smi\n",
    good=_GOOD,
)

FILES_NOT_CARRIED = Code(
    id="FC807",
    name="files-not-carried",
    severity="note",
    title="the job waits for `{source}` to be at `{target}`: a bid carries no files",
    explain="""\
A bid has a startup script of at most 10,000 bytes and no place for files. `flowc submit` brings them over SSH once the
machine is there; the job starts when all are there, and fails when nothing has come for 30 minutes.

Nothing to do where flowc submits the job. By hand: `request.json` says under `deliver` which `tree` goes to which
`path`; when all of it is there, make the file that is named as its `marker`. Or let the job fetch what it needs, from a
bucket, a repository or a volume.""",
    path="job.yaml",
    bad=_TASK + "data_mounts:\n  - {source: ./data, target: /data}\n",
    good=_TASK + "data_mounts:\n  - {source: s3://bucket/data, target: /data}\n",
)

PORT_NOT_OPENED = Code(
    id="FC808",
    name="port-not-opened",
    severity="warning",
    title="port {port} stays closed: {reason}",
    explain="""\
The provider closes all ports of a machine but those that its own tool opens, one by one: TCP ports from 1024 on.

Say a higher port as the external one (`8080:80`): what comes in there is led to the port inside. SSH tunnels reach the
other ports.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython serve.py\n", ("--port", "80")),
    good=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython serve.py\n", ("--port", "8080:80")),
)

BUCKET_UNREACHABLE = Code(
    id="FC809",
    name="bucket-unreachable",
    severity="error",
    title="a bucket of `{source}` cannot be reached from the machine: {reason}",
    explain="""\
The machine reads buckets with rclone: those of S3 and Google Cloud Storage by their names alone, and every service that
speaks S3's protocol (r2, cos, oci, nebius, cw) once it knows the service's address. Other stores need a program and
credentials of their own.

Say the address of an S3-like service in the variable `AWS_ENDPOINT_URL` of the job's environment. From other stores,
let the job itself fetch its data.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython train.py\n", ("--mount", "/data=hf://org/data")),
    good=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython train.py\n",
        ("--mount", "/data=gs://bucket/data", "--env", "GOOGLE_APPLICATION_CREDENTIALS=/root/key.json"),
    ),
)

BUCKET_WITHOUT_LOGIN = Code(
    id="FC858",
    name="bucket-without-login",
    severity="note",
    title="`{source}` is read as a public bucket: nothing gives the job `{name}`",
    explain="""\
The machine has nobody's login for buckets, where other launchers bring some: SkyPilot copies the credentials of whoever
launches to each machine. Without one a bucket that is not public cannot be mounted, which ends the job, and nothing can
be written to one that is.

Give the login as secrets: `--secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY` for S3 and what speaks as it
does; for Google Cloud Storage bring a file, and say its path in `GOOGLE_APPLICATION_CREDENTIALS`. For a public bucket
nothing is to do.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython train.py\n", ("--mount", "/data=s3://bucket/data")),
    good=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython train.py\n",
        ("--mount", "/data=s3://bucket/data", "--secret", "AWS_ACCESS_KEY_ID", "--secret", "AWS_SECRET_ACCESS_KEY"),
    ),
)

SECRETS_AWAITED = Code(
    id="FC810",
    name="secrets-awaited",
    severity="note",
    kind="secrets",
    title="the job waits for {names} in /run/flowc/secrets on each machine",
    explain="""\
Everybody in the project can read a bid and its startup script, so no secret is in them. The script waits for a file in
memory, /run/flowc/secrets, that only root can read: a line NAME='value' for each. After 30 minutes without it the job
fails. The file is gone after a reboot, and is waited for again. A name that is no variable of a shell has `_` for
each other character; credentials of a registry are the text of a docker config.json.

Nothing to do where flowc delivers them; by hand, write the file over SSH, under another name first, and move it.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython train.py\n", ("--secret", "HF_TOKEN")),
    good=_GOOD,
)

BID_STAYS = Code(
    id="FC811",
    name="bid-stays",
    severity="note",
    title="the machine shuts down when the job ends, and its bid stays open",
    explain="""\
A machine cannot end its own bid: that takes a key of the project, which no startup script should hold. So it does what
it can, and shuts down a minute after the job has ended. Whether the provider then stops to charge is not documented.

`flowc submit` ends the bid with the job, with `--release machine` from the machine itself. Who places it in another way
cancels it when the job is done.""",
    path="job.yaml",
    bad=_TASK + "terminate_on_exit: true\n",
    good=_TASK,
    money=True,
)

BODY_AWAITED = Code(
    id="FC815",
    name="body-awaited",
    severity="note",
    title="the job starts once its script ({bytes} bytes) stands at {path}",
    explain="""\
With `--body ssh` the startup script holds everything but the job's own text. The machine waits up to 30 minutes for a
file with just these bytes, which it knows by their SHA-256, and fails the job if none comes. The file outlives reboots.

Nothing to do where flowc submits the job. By hand: `compile -o DIR` writes the text to `body` and says in
`request.json`, under `deliver`, what goes where. Copy it over SSH under another name, as root, and move it.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython train.py\n", ("--body", "ssh")),
    good=_GOOD,
)

BODY_NOT_APART = Code(
    id="FC816",
    name="body-not-apart",
    severity="warning",
    title="there is no script that could be copied: the job is a plain command",
    explain="""\
`--body ssh` keeps the job's own text out of the startup script. This job has none: it is a program with arguments, or
what its image starts by itself, and both are part of the startup script.

Leave `--body ssh` out.""",
    path="job.yaml",
    bad=(_TASK.replace("python train.py", "[python, train.py]"), ("--body", "ssh")),
    good=_TASK,
)

SCRIPT_AWAITED = Code(
    id="FC822",
    name="script-awaited",
    severity="note",
    title="the job starts once its startup script ({bytes} bytes) stands at {path}: a bid has no room for it",
    explain="""\
A bid has room for 10,000 bytes of startup script, compressed. What does not fit goes over SSH as a whole: the job's own
text, its files and variables, and the small Slurm that it calls, which then knows all that it could be asked for. The
bid's script waits up to 30 minutes for just these bytes on each machine, and fails the job if none come.

Nothing to do where flowc submits the job; `--body script` forbids it. By hand: `compile -o DIR` writes the text and
says in `request.json`, under `deliver`, what goes where. Copy it over SSH under another name, as root, and move it.""",
    path="job.yaml",
    bad=lambda: (f"resources: {{accelerators: H100:8}}\nsetup: decode {3**60000:x}\nrun: 'true'\n", ("--body", "ssh")),
    good=_TASK,
)

USER_DATA_TOO_LARGE = Code(
    id="FC821",
    name="user-data-too-large",
    severity="warning",
    title="the user data has {size} bytes, and the largest clouds take {limit}",
    explain="""\
`--emit cloud-init` writes user data for a plain cloud. AWS takes 16,384 bytes of it, Azure and Google Cloud take more;
what goes beyond a cloud's limit is refused there when the machine is asked for.

Put data where the job can fetch it (a bucket, a repository), or write `--body ssh`: the job's text is then copied over
SSH once the machine is there.""",
    bad=lambda: (f"#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\ndecode <<<{3**60000:x}\n", ("--emit", "cloud-init")),
    good=(_GOOD, ("--emit", "cloud-init")),
)
