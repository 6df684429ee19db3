"""FC316 to FC329: Kubernetes objects as a whole: kinds that are not known, are no jobs or cannot be run."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.diag.codes.k8s.fields import GOOD

_PATH = "job.yaml"
_CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: train
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
""" + "".join(f"    {line}\n" for line in GOOD[GOOD.index("  backoffLimit") :].splitlines())
_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  A: b\n"

KIND_MISSING = Code(
    id="FC316",
    name="kind-missing",
    severity="error",
    title="`{key}` is missing: every object says what it is with apiVersion and kind",
    explain="""\
An object in a manifest is known by its apiVersion and kind alone. A document without them is often a leftover, or a
`---` too many.

Write `apiVersion: batch/v1` and `kind: Job` at its top.""",
    bad=GOOD.replace("kind: Job\n", ""),
    good=GOOD,
    path=_PATH,
)

KIND_UNKNOWN = Code(
    id="FC317",
    name="kind-unknown",
    severity="error",
    title='no matches for kind "{kind}" in version "{version}"',
    explain="""\
There is no such kind of object in this version of the API, or none that flowc knows. Both are matched letter for
letter: a Job is `kind: Job` in `apiVersion: batch/v1`.

Correct them; take objects that are no jobs out of the file.""",
    bad=GOOD.replace("kind: Job\n", "kind: Jobs\n"),
    good=GOOD,
    path=_PATH,
)

NOT_A_BATCH_JOB = Code(
    id="FC318",
    name="not-a-batch-job",
    severity="error",
    title="{kind} is no batch job: {reason}",
    explain="""\
flowc runs what ends: a Job, a Pod, and what other controllers make of them. Services that stay up, and jobs that a
controller in a cluster has to run, have no equivalent.

Write what is to be computed as a Job, and keep the rest in a file of its own.""",
    bad=GOOD.replace("kind: Job\n", "kind: Deployment\n").replace("batch/v1", "apps/v1"),
    good=GOOD,
    path=_PATH,
)

CRON_JOB = Code(
    id="FC319",
    name="cron-job",
    severity="error",
    title="a CronJob starts jobs on a schedule, a bid is placed once",
    explain="""\
The provider has no schedules. A bid that is placed now would run once and be taken for a job that runs every night.

`--once` runs the job of its jobTemplate once, now; `--move` does so too, and tells that the schedule is left out. For a
schedule, call `flowc` from cron, CI or the like.""",
    bad=_CRON,
    good=(_CRON, ("--once",)),
    path=_PATH,
)

SCHEDULE_IGNORED = Code(
    id="FC320",
    name="schedule-ignored",
    severity="note",
    title="the schedule `{schedule}` is left out, the job runs once",
    explain="""\
With `--once` the job of a CronJob is run once, now. Its schedule, its suspend and its history limits have no effect.

Nothing needs doing.""",
    bad=(_CRON, ("--once",)),
    good=GOOD,
    path=_PATH,
)

JOB_MISSING = Code(
    id="FC321",
    name="job-missing",
    severity="error",
    title="the file holds no job: {found}",
    explain="""\
ConfigMaps, Secrets, claims and the like are read where a job in the same file refers to them. Alone they run nothing.

Put the Job into the same file, documents separated by `---`.""",
    bad=_CONFIG,
    good=GOOD,
    path=_PATH,
)

OBJECT_LEFT_OUT = Code(
    id="FC322",
    name="object-left-out",
    severity="warning",
    title="the {kind} `{name}` is left out: {reason}",
    explain="""\
The file holds an object that flowc does not know, beside a job. A cluster may need it for the job; on machines of the
provider nobody is there to read it.

Check that the job runs without it. In a file of its own it disturbs nobody.""",
    bad=GOOD + "---\napiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n",
    good=GOOD,
    path=_PATH,
)

DUPLICATE_OBJECT = Code(
    id="FC323",
    name="duplicate-object",
    severity="error",
    title="a {kind} `{name}` stands in the file twice",
    explain="""\
Kind, namespace and name tell objects apart. The cluster would take the second for a change of the first.

Rename one of them.""",
    bad=f"{_CONFIG}---\n{_CONFIG}---\n{GOOD}",
    good=GOOD,
    path=_PATH,
)

NOT_AN_OBJECT = Code(
    id="FC324",
    name="not-an-object",
    severity="error",
    title="the document is a {what}, expected an object with apiVersion and kind",
    explain="""\
Every document of a manifest is one object. Several of them are separated by `---`, or stand in `items` of a List.

Write them so.""",
    bad=GOOD + "---\n- apiVersion: v1\n",
    good=GOOD,
    path=_PATH,
)

OLD_API_VERSION = Code(
    id="FC325",
    name="old-api-version",
    severity="error",
    title='no matches for kind "{kind}" in version "{version}": that version is gone',
    explain="""\
Versions of the API are given up after a while: CronJob in batch/v1beta1 since Kubernetes 1.25. A cluster of today
refuses the file.

Write the version that the help names; the fields are the same.""",
    bad=GOOD.replace("batch/v1", "batch/v1beta1"),
    good=GOOD,
    path=_PATH,
)

DUPLICATE_VARIABLE = Code(
    id="FC326",
    name="duplicate-variable",
    severity="warning",
    title='{path}: the variable "{value}" is given twice, the last one counts',
    explain="""\
The API server takes a name that stands twice in a list of variables, and warns; the last one wins.

Take the other one out.""",
    bad=GOOD.rstrip("\n") + "\n        env:\n        - {name: A, value: b}\n        - {name: A, value: c}\n",
    good=GOOD,
    path=_PATH,
)

COMMAND_IN_ONE_WORD = Code(
    id="FC327",
    name="command-in-one-word",
    severity="warning",
    title='{path}: the program is called "{value}", blanks included',
    explain="""\
No shell takes a command apart: the first word of `command` is the name of a program, all of it. A container with such
a command ends with `no such file or directory`.

Write each word as an item of its own, or call a shell: `["sh", "-c", "python train.py"]`.""",
    bad=GOOD.replace("[python, train.py]", '["python train.py"]'),
    good=GOOD,
    path=_PATH,
)

NOT_ONE_GANG = Code(
    id="FC328",
    name="not-one-gang",
    severity="error",
    title="{path}: {found}, expected {expected}",
    explain="""\
The machines of one bid are all the same, and run the same image. The tasks of a Volcano Job, the jobs of a JobSet and
the replicas of a PyTorchJob or TFJob can be run so: they may differ in `command`, `args` and `env`, and ask for less
than one of them does; so may the launcher of an MPIJob and its workers, in whose container on the first machine it
runs. What has different images, or is to run one after the other, cannot.

Write one Job for each, or one program that looks at its rank.""",
    bad="""\
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata:
  name: train
spec:
  tasks:
  - {name: a, replicas: 1, template: {spec: {restartPolicy: Never, containers: [{name: a, image: busybox}]}}}
  - {name: b, replicas: 1, template: {spec: {restartPolicy: Never, containers: [{name: b, image: nginx}]}}}
""",
    good=GOOD,
    path=_PATH,
)

SECRET_DATA = Code(
    id="FC329",
    name="secret-data",
    severity="error",
    title="`{path}.{key}` is {found}, expected {expected}",
    explain="""\
Values of a Secret are text: in `stringData` as they are, in `data` in base64. Messages never show them.

Put values in quotes; write plain ones below `stringData`.""",
    bad="apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  A: 1\n---\n" + GOOD,
    good=GOOD,
    path=_PATH,
)
