"""FC840 to FC857: what the texts of a job count on that is on a cluster alone, or nowhere."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"

CODE_NOT_BROUGHT = Code(
    id="FC840",
    name="code-not-brought",
    severity="note",
    kind="lacking",
    title="nothing here brings {files} to the machine",
    explain="""\
On a cluster a job begins in the folder where it was submitted, with all that is in it. A rented machine begins with an
empty folder: a program that lay beside the script is not there, and the job ends in its first second.

Submit with `--code .`, which brings the folder, or `--code git`, which clones it at this commit. Or let the script
fetch what it runs: `git clone URL . `. Nothing is said where a text fetches anything or runs in an image, of what
stands behind a `cd`, nor of files below what the job mounts.""",
    bad=_HEAD + "python train.py\n",
    good=_HEAD + "git clone https://github.com/karpathy/nanoGPT .\npython train.py\n",
)

VARIABLE_FROM_ELSEWHERE = Code(
    id="FC841",
    name="variable-from-elsewhere",
    severity="warning",
    kind="lacking",
    title="nothing here sets `{variable}`: it is empty on the machine",
    explain="""\
`sbatch` gives a job all variables of whoever submits it, those of ~/.bashrc too. A rented machine has none of them:
what the script reads is empty there, in silence. Nothing is said of a variable that the script sets, asks for
(`-n "$X"`), only says (`echo`) or has a default for (`${X:-1}`), nor behind a line that reads another file or loads a
module that is missing here, which may set it. What takes a module's place, the image or a line of a profile, sets none.

Set it in the script, give it by `--env NAME=VALUE` (`--secret NAME` for keys), or write it into the profile's
`variables`.""",
    bad=_HEAD + "nvidia-smi -L >$RESULTS/gpus\n",
    good=_HEAD + "RESULTS=/tmp\nnvidia-smi -L >$RESULTS/gpus\n",
)

SECRET_IN_SCRIPT = Code(
    id="FC842",
    name="secret-in-script",
    severity="warning",
    title="{what} stands in the script",
    explain="""\
The text of a job goes with the bid. Whoever is a member of the project can read it there, and it lies on the machine's
disk; in a repository it is open to all who can read that.

Take it out of the file, and have a new one made where it has been shared. `--secret NAME` brings the value over SSH, to
a file that only root reads, and the job finds it in the variable.""",
    bad=_HEAD + "export WANDB_API_KEY=8f14e45fceea167a5a36dedd4bea2543aa01b9c7\nnvidia-smi\n",
    good=_HEAD + "nvidia-smi\n",
)

NETWORK_OF_CLUSTER = Code(
    id="FC843",
    name="network-of-cluster",
    severity="warning",
    title="`{variable}={value}` names a network of the old cluster",
    explain="""\
Interfaces and cards have other names on other machines. NCCL and Gloo end with an error where none has the name that
they are given, on a single machine too; others fall back to the slowest way.

Leave it out: the libraries find the interfaces of the machine themselves. `NCCL_SOCKET_IFNAME=^lo,docker` only excludes
some, and is good anywhere.""",
    bad=_HEAD + "export NCCL_SOCKET_IFNAME=ib0\nnvidia-smi\n",
    good=_HEAD + "export NCCL_SOCKET_IFNAME=^lo,docker\nnvidia-smi\n",
)

EXPANDS_EARLY = Code(
    id="FC844",
    name="expands-early",
    severity="warning",
    title="`{variable}` is replaced while the script is written, before it has a value",
    explain="""\
The shell puts values in place of variables in a here-document whose word has no quotes. One that only the written
script sets has none by then, so nothing stands in its place there.

Put the word in quotes, `<<'EOF'`, so that the text is written as it stands; or write `\\$NAME` for those that the
script itself is to read.""",
    bad=_HEAD + "cat >run.sh <<EOF\n#!/bin/bash\nfor gpu in 0 1; do nvidia-smi -i $gpu; done\nEOF\nbash run.sh\n",
    good=_HEAD + "cat >run.sh <<'EOF'\n#!/bin/bash\nfor gpu in 0 1; do nvidia-smi -i $gpu; done\nEOF\nbash run.sh\n",
)

STATUS_OF_PIPE = Code(
    id="FC845",
    name="status-of-pipe",
    severity="note",
    title="where `{program}` fails, the job counts as completed: its exit status is that of `{reader}`",
    explain="""\
The exit status of a job is that of its last command, and of a pipe that of the last program in it. What waits for the
job to succeed (`--dependency=afterok`, `flowc wait`), or starts it again where it failed, takes a failure for a
success.

Write `set -o pipefail` above it.""",
    bad=_HEAD + "date\nnvidia-smi -q | tee gpus.txt\n",
    good=_HEAD + "set -o pipefail\ndate\nnvidia-smi -q | tee gpus.txt\n",
)

PREPARED_ON_ONE_MACHINE = Code(
    id="FC847",
    name="prepared-on-one-machine",
    severity="warning",
    kind="lacking",
    title="`{command}` runs on the first of {nodes} machines, and a step behind it needs what it makes on all",
    explain="""\
On a cluster all nodes see the same home folder: what a script clones or installs is there for each of its tasks. Rented
machines share no folder. The script runs on the first of them, so the others have neither the code nor the packages,
and the step fails there while all machines are paid.

Let a step prepare each machine: `srun --ntasks-per-node=1 git clone …`, with `pip install` likewise; or take an image
that has all of it; or mount a volume that they share.""",
    bad="#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --nodes=2 --time=10\ngit clone https://github.com/karpathy/nanoGPT\n"
    "srun python nanoGPT/train.py\n",
    good="#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --nodes=2 --time=10\n"
    "srun --ntasks-per-node=1 git clone https://github.com/karpathy/nanoGPT\nsrun python nanoGPT/train.py\n",
)

INDEX_NOT_READ = Code(
    id="FC848",
    name="index-not-read",
    severity="note",
    title="nothing in the script reads SLURM_ARRAY_TASK_ID: all {tasks} tasks do the same",
    explain="""\
The tasks of an array differ in their index alone. A script that never reads it does the same work as often as there are
tasks, and each of them is paid. Where only a program asks for the index, which no text shows, all is well.

Use `$SLURM_ARRAY_TASK_ID` for what differs, or leave out `--array`. Nothing is said where files are run, and of arrays
whose tasks run one behind the other (`%1`).""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=1-3\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=1-3\necho $SLURM_ARRAY_TASK_ID\n",
)

STATUS_NEVER_SEEN = Code(
    id="FC849",
    name="status-never-seen",
    severity="note",
    title="`$?` is always 0 here: where `{program}` fails, `set -e` has ended the script before",
    explain="""\
With `set -e` a command that fails ends the script at once. What stands behind it to look at its status, with a message,
a second attempt or the results that are to be saved, only ever sees success.

Let the same line ask: `if ! python train.py; then`, or `status=0; python train.py || status=$?`. Nothing is said where
a text turns `set -e` off anywhere, nor in functions.""",
    bad=_HEAD + "set -e\nnvidia-smi -q >gpus.txt\nif [ $? -ne 0 ]; then\n    echo failed\nfi\n",
    good=_HEAD + "set -e\nif ! nvidia-smi -q >gpus.txt; then\n    echo failed\nfi\n",
)

COUNTING_ENDS = Code(
    id="FC856",
    name="counting-ends",
    severity="warning",
    title="`{text}` ends the script while `{variable}` is 0: its status is 1 then, and `set -e` is on",
    explain="""\
The status of `((…))` and `let` is 1 where the value is 0, and the value of `n++` is what `n` was before. The first time
that such a line counts from 0, `set -e` takes it for a failure and ends the script without a word.

An assignment has no such status: `n=$((n + 1))`.""",
    bad=_HEAD + "set -e\nn=0\nfor each in a b; do\n    ((n++))\ndone\nnvidia-smi\n",
    good=_HEAD + "set -e\nn=0\nfor each in a b; do\n    n=$((n + 1))\ndone\nnvidia-smi\n",
)

WHEELS_OF_CLUSTER = Code(
    id="FC857",
    name="wheels-of-cluster",
    severity="warning",
    title="`--no-index` keeps pip from finding {package}: the wheels that it is to take were the cluster's",
    explain="""\
Some clusters build packages of Python themselves, and name the folder in a configuration of pip. With `--no-index` pip
looks nowhere else. A rented machine has no such folder, so pip ends with an error, and the job with it or soon after.

Leave the option out, and pip takes the packages from PyPI; where versions end in the cluster's name
(`torch==2.1.0+computecanada`) leave that out too. Nothing is said where the text names a folder of wheels
(`--find-links`), where a failure is met (`||`), nor of pip and setuptools themselves, which are there.""",
    bad=_HEAD + "python3 -m venv env\nenv/bin/pip install --no-index numpy\nenv/bin/python -c 'import numpy'\n",
    good=_HEAD + "python3 -m venv env\nenv/bin/pip install numpy\nenv/bin/python -c 'import numpy'\n",
)
