"""The options that several commands share."""

from __future__ import annotations

from flowc.cli.table import COMMAND_LINE, Option
from flowc.frontends import FRONTENDS
from flowc.inputs import SLURM_RELEASES

_JOB = "job flags (they win over the file)"
JOB_OPTIONS = (
    Option(name="--name", short="-n", metavar="NAME", help="name of the job", group=_JOB),
    Option(
        name="--instance-type",
        short="-i",
        metavar="TYPE",
        values="machines",
        help="machine to bid for, such as 8xh100",
        group=_JOB,
    ),
    Option(name="--num-instances", short="-N", metavar="N", kind="integer", help="number of machines", group=_JOB),
    Option(name="--region", short="-r", metavar="REGION", values="regions", help="where the job may run", group=_JOB),
    Option(
        name="--max-price-per-hour",
        short="-m",
        metavar="USD",
        help="highest price of one machine for one hour",
        group=_JOB,
    ),
    Option(name="--budget", metavar="USD", help="refuse a job that could cost more in all", group=_JOB),
    Option(name="--time", metavar="TIME", help="time limit, as sbatch writes it: 90, 1:30:00, 2-12", group=_JOB),
    Option(
        name="--env",
        metavar="KEY=VALUE",
        kind="pair",
        repeat=True,
        help="environment variable of the job",
        group=_JOB,
    ),
    Option(name="--project", metavar="NAME", help="project that pays (default: MITHRIL_PROJECT)", group=_JOB),
    Option(
        name="--ssh-key",
        metavar="NAME",
        repeat=True,
        help="SSH key that may log in (default: MITHRIL_SSH_KEYS)",
        group=_JOB,
    ),
    Option(
        name="--priority",
        metavar="LEVEL",
        values="levels",
        help="how high to bid when no price is given: low, med, high",
        group=_JOB,
    ),
    Option(name="--image", metavar="IMAGE", help="container image that the job runs in", group=_JOB),
    Option(
        name="--secret",
        metavar="KEY",
        repeat=True,
        help="variable whose value is delivered after boot, never with the bid",
        group=_JOB,
    ),
    Option(
        name="--pull-secret",
        metavar="NAME",
        repeat=True,
        help="login for the image's registry: NAME_USERNAME, NAME_PASSWORD, NAME_SERVER, or docker's config.json",
        group=_JOB,
    ),
    Option(
        name="--mount",
        metavar="[TARGET=]SOURCE",
        repeat=True,
        help="bucket, volume, git repository or path the job finds at TARGET",
        group=_JOB,
    ),
    Option(name="--port", metavar="[EXT:]INT", repeat=True, help="port to reach the job at: 8080, 80:8080", group=_JOB),
    Option(
        name="--body",
        metavar="HOW",
        choices=("script", "ssh"),
        help="how the script comes to the machine: in the startup script (default), or copied over SSH",
        group=_JOB,
    ),
    Option(
        name="--with-commands",
        metavar="NAME,…",
        repeat=True,
        help="commands to bring though the script shows no call: srun, module, …",
        group=_JOB,
    ),
    Option(
        name="--set",
        metavar="PATH=VALUE",
        kind="pair",
        repeat=True,
        help="a place in the YAML document, such as resources.cpus=8+",
        group=_JOB,
    ),
    Option(
        name="--move",
        help="what pins the job to another cloud or cluster is left out, and told; GPUs not sold become others",
        group=_JOB,
    ),
    Option(
        name="--optimize",
        metavar="WHAT",
        choices=("cost",),
        help="cost: take what costs least, on fewer machines too where the job does not count on its nodes",
        group=_JOB,
    ),
    Option(
        name="--with",
        metavar="FILE",
        kind="file",
        repeat=True,
        help="further Kubernetes objects that the job refers to: ConfigMaps, Secrets, claims",
        group=_JOB,
    ),
    Option(
        name="--fill",
        metavar="NAME=VALUE",
        kind="pair",
        repeat=True,
        help="value of a placeholder: ${NAME}, $NAME, {{ NAME }} or <NAME>",
        group=_JOB,
    ),
    Option(
        name="--fill-from",
        metavar="FILE",
        kind="file",
        repeat=True,
        help="values of placeholders, a NAME=VALUE a line; --fill wins",
        group=_JOB,
    ),
)

# For the commands that submit, and so copy by themselves what is to be copied.
SUBMITTED_JOB_OPTIONS = tuple(
    option.replace(
        choices=("auto", *option.choices),
        help="how the script comes to the machine: with the bid, over SSH, or as it fits (default)",
    )
    if option.name == "--body"
    else option
    for option in JOB_OPTIONS
)

COMMAND_OPTION = Option(
    name="--command",
    short="-c",
    metavar="COMMAND",
    help="the job is this command, there is no SOURCE",
)

_READ = "how the source is read"
JUDGE = Option(
    name="--judge",
    metavar="NAME,…",
    values="judges",
    repeat=True,
    help="ask these about the texts of the jobs too: bash (-n), shellcheck, python",
)
SOURCE_OPTIONS = (
    Option(
        name="--from",
        metavar="FORMAT",
        choices=tuple(entry.name for entry in FRONTENDS if entry.name != COMMAND_LINE),
        help="the source's format",
        group=_READ,
    ),
    Option(
        name="--slurm-version",
        metavar="VERSION",
        choices=SLURM_RELEASES,
        help="the release whose rules hold (default: 22.05)",
        group=_READ,
    ),
    Option(
        name="--catalog",
        metavar="FILE",
        kind="file",
        help="catalog of machines and prices to use",
        group=_READ,
    ),
    Option(
        name="--profile",
        metavar="FILE",
        kind="file",
        help="what the cluster had for every job (default: .flowc/profile.yaml, found upwards)",
        group=_READ,
    ),
    Option(name="--once", help="run the job of a CronJob once, now", group=_READ),
    Option(name="--allow-unknown", help="unknown keys of a YAML file are warnings", group=_READ),
    Option(name="--strict", help="treat warnings as errors", group=_READ),
)
