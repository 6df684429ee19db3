"""FC20x to FC22x: task YAML, and the command line as a job of its own."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "name: train\ninstance_type: 8xh100\nmax_run_time_hours: 1\n"
_GOOD = _HEAD + "command: python train.py\n"
_PATH = "job.yaml"

TASK_EMPTY = Code(
    id="FC200",
    name="task-empty",
    severity="error",
    title="the file holds no task",
    explain="""\
There is nothing in the file but comments and blank lines.

Write a task: what to run (`command`) and on what (`instance_type`).""",
    bad=("# a task to be\n", ("--from", "task-yaml")),
    good=_GOOD,
    path=_PATH,
)

TASK_NOT_A_MAPPING = Code(
    id="FC201",
    name="task-not-a-mapping",
    severity="error",
    title="a {what} stands where a task is expected",
    explain="""\
A task is a mapping: lines of the form `key: value` at the start of the line.

Several tasks in one file are separated by lines that hold `---` and nothing else.""",
    bad=("- command: python train.py\n  instance_type: 8xh100\n", ("--from", "task-yaml")),
    good=_GOOD,
    path=_PATH,
)

TASK_APPROXIMATED = Code(
    id="FC202",
    name="task-approximated",
    severity="warning",
    kind="placing",
    title="`{path}` is only approximated: {reason}",
    explain="""\
The job gets something that is close to what the key asks for, but not the same.

Check that the job can do with it.""",
    bad=_GOOD + "allocation_mode: auto\n",
    good=_GOOD,
    path=_PATH,
)

TASK_IGNORED = Code(
    id="FC203",
    name="task-ignored",
    severity="warning",
    kind="placing",
    title="`{path}` has no effect: {reason}",
    explain="""\
The key asks for something that this job cannot have, or that means nothing when a job is compiled.

Take it out once you have seen that the job does without.""",
    bad=_GOOD + "unique_name: true\n",
    good=_GOOD,
    path=_PATH,
)

TASK_REFUSED = Code(
    id="FC204",
    name="task-refused",
    severity="error",
    title="`{path}` cannot be had: {reason}",
    explain="""\
The key asks for something that a bid cannot do, and the job would not be the same without it.

Do as the message says, or take the key out.""",
    bad=_GOOD + "constraints: {compliance: [soc2]}\n",
    good=_GOOD,
    path=_PATH,
)

MACHINE_GIVEN_TWICE = Code(
    id="FC205",
    name="machine-given-twice",
    severity="error",
    title="`instance_type` and `min_gpu_memory_gb` both say which machine is wanted",
    explain="""\
`instance_type` names a machine; `min_gpu_memory_gb` leaves the choice open to the cheapest that has enough GPU memory.
Together they may contradict each other.

Keep one of them.""",
    bad=_GOOD + "min_gpu_memory_gb: 80\n",
    good=_GOOD,
    path=_PATH,
)

MACHINE_MISSING = Code(
    id="FC206",
    name="machine-missing",
    severity="error",
    title="the task does not say on what it is to run",
    explain="""\
Machines differ in price by a factor of a hundred, so none is rented by guess.

Name one (`instance_type: 8xh100`), say how much memory a GPU must have (`min_gpu_memory_gb: 80`), or, for a job
without GPU, what the machine must have (`min_cpus: 16`, `min_memory_gb: 64`). `--instance-type` does as well.""",
    bad="name: train\ncommand: python train.py\nmax_run_time_hours: 1\n",
    good=_GOOD,
    path=_PATH,
)

COMMAND_GIVEN_TWICE = Code(
    id="FC207",
    name="command-given-twice",
    severity="error",
    title="`{key}` and `{other}` both say what is run",
    explain="""\
A task runs one thing: `command`, `shell` or `script`. Earlier tools took one of them and dropped the others in silence.

Keep one of them; several commands may stand in one `script`.""",
    bad=_GOOD + "script: echo hello\n",
    good=_GOOD,
    path=_PATH,
)

TASK_WITHOUT_COMMAND = Code(
    id="FC208",
    name="task-without-command",
    severity="error",
    title="the task does not say what is run",
    explain="""\
Without a command a rented machine would wait, and cost money, until somebody ends it. Some earlier tools did that.

Add `command: python train.py`. Where a machine to log in to is what you want, say so: `command: sleep infinity`, with a
limit by `max_run_time_hours`.""",
    bad=_HEAD,
    good=_GOOD,
    path=_PATH,
)

LIMITS_CONTRADICT = Code(
    id="FC209",
    name="limits-contradict",
    severity="error",
    title="`{low}` is {least}, more than `{high}`, which is {most}",
    explain="""\
The first of the two values is a lower bound for the second: the least time cannot exceed the time limit, the time limit
not the deadline, the first wait not the longest.

Change one of them.""",
    bad=_GOOD + "min_run_time_hours: 2\n",
    good=_GOOD + "deadline_hours: 2\n",
    path=_PATH,
)

VOLUME_EXISTS = Code(
    id="FC210",
    name="volume-exists",
    severity="error",
    title="`{key}` is for a new volume, and `volume_id` names one that is there",
    explain="""\
Speed is chosen when a volume is made and stays. An id always belongs to a volume that exists.

Take the key out, or give a `name` in place of the id to have a volume made.""",
    bad=_GOOD + "volumes: [{volume_id: vol_abc123, mount_path: /data, iops: 3000}]\n",
    good=_GOOD + "volumes: [{volume_id: vol_abc123, mount_path: /data}]\n",
    path=_PATH,
)

VOLUME_WITHOUT_NAME = Code(
    id="FC211",
    name="volume-without-name",
    severity="warning",
    title="a volume without a name is called `{name}`",
    explain="""\
A volume outlives its task, costs money as long as it is there, and is found again by its name only. Earlier tools made
one up that changed with each run.

Give it a name.""",
    bad=_GOOD + "volumes: [{size_gb: 10, mount_path: /data}]\n",
    good=_GOOD + "volumes: [{name: corpus, size_gb: 10, mount_path: /data}]\n",
    path=_PATH,
)

VOLUME_PATH_OPEN = Code(
    id="FC212",
    name="volume-path-open",
    severity="note",
    title="the volume `{name}` is found at {path}",
    explain="""\
No `mount_path` is given, so the volume goes where recent releases of the format put it. The first release put it at
/data.

Add `mount_path` where the command expects the volume elsewhere.""",
    bad=_GOOD + "volumes: [{name: corpus, size_gb: 10}]\n",
    good=_GOOD + "volumes: [{name: corpus, size_gb: 10, mount_path: /data}]\n",
    path=_PATH,
)

SOURCE_UNUSABLE = Code(
    id="FC213",
    name="source-unusable",
    severity="error",
    title="nothing can be mounted at {target}: {reason}",
    explain="""\
What a task finds at a path is a bucket (`s3://`, `gs://`, …), a volume (`volume://NAME` or its bare name), a git
repository, an NFS export (`nfs://HOST/PATH`) or a path of this machine (`./data`, `/data`, `~/data`).

A startup script can be read by everybody in the project, so a source may hold no password and no token.""",
    bad=_GOOD + "data: {/data: 'ftp://host/data'}\n",
    good=_GOOD,
    path=_PATH,
)

SECRET_IN_FILE = Code(
    id="FC214",
    name="secret-in-file",
    severity="warning",
    title="the value of `{name}` looks like a secret and would be readable by everybody in the project",
    explain="""\
A startup script is stored with the bid, and all members of the provider's project can read it, variables included.

Take it out of the file, and name it with `--secret NAME`: then only the name is stored, and the value is delivered
after boot. If it was a real secret, and the file was shared, replace it.""",
    bad=_GOOD + "env: {API_TOKEN: abc}\n",
    good=_GOOD,
    path=_PATH,
)

REGION_CONTRADICTS = Code(
    id="FC215",
    name="region-contradicts",
    severity="error",
    title="`constraints.{key}` leaves no room for {what}",
    explain="""\
The regions that the task names, and those that its constraints allow, have none in common; or a pattern stands for no
region that is known.

Change one of them; `*` in a pattern stands for any text: `us-*`.""",
    bad=_GOOD + "region: us-central1-b\nconstraints: {regions: [eu-central1-a]}\n",
    good=_GOOD + "region: us-central1-b\nconstraints: {regions: [us-*]}\n",
    path=_PATH,
)

RESERVATION_NOT_NAMED = Code(
    id="FC216",
    name="reservation-not-named",
    severity="error",
    title="`{key}: {value}` needs a reservation, and `reservation_id` names none",
    explain="""\
A reservation is paid up front, for all of its hours. None is bought by compiling a job.

Buy one, and name it with `reservation_id`; or write `allocation_mode: spot`.""",
    bad=_GOOD + "allocation_mode: reserved\n",
    good=_GOOD,
    path=_PATH,
)

FILE_PATH_FORM = Code(
    id="FC217",
    name="file-path-form",
    severity="error",
    title="`{path}` is no path below the working directory: it holds `{part}`",
    explain="""\
Files of `runtime_files` are written below the working directory, and nowhere else.

Write the path as it is seen from there, without `.`, `..` and doubled slashes.""",
    bad=_GOOD + "runtime_files: {../run.json: '{}'}\n",
    good=_GOOD,
    path=_PATH,
)

VARIABLE_NOT_FILLED_IN = Code(
    id="FC218",
    name="variable-not-filled-in",
    severity="warning",
    title="`{path}` holds `{variable}`, which stays as it stands",
    explain="""\
Values of `env` are texts. No variable of the machine at which the task is compiled is put into them, and none of the
machine that runs it: the job would see the dollar sign and the name.

Give the value itself, or the name alone with `--secret NAME`, or set the variable in the command, where a shell fills
it in.""",
    bad=_GOOD + "env: {RUN: '${RUN_NAME}'}\n",
    good=_GOOD + "env: {RUN: first}\n",
    path=_PATH,
)

PROGRAM_WITH_BLANKS = Code(
    id="FC219",
    name="program-with-blanks",
    severity="warning",
    title="the list has the program run that is called `{name}`, blanks and all",
    explain="""\
A list is a program and its arguments, a word each. No shell splits its items, and they are not lines that are run one
after the other.

Write a line for the shell as a text (`command: python train.py`), several lines as a block (`command: |`), or each word
as an item of its own.""",
    bad=_HEAD + "command: ['python train.py']\n",
    good=_HEAD + "command: [python, train.py]\n",
    path=_PATH,
)
