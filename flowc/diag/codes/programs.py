"""FC8xx: programs that a job calls and the machine may not have."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
_TWO = "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=h100:8 --time=10\n"

COMMAND_MISSING = Code(
    id="FC804",
    name="command-missing",
    severity="warning",
    kind="lacking",
    title="the job calls {commands}, which the machine does not have",
    explain="""\
A cluster's nodes have programs that a rented machine has not. The startup script of a Slurm job brings `srun`,
`scontrol`, `squeue`, `sacct`, `scancel`, `sinfo`, `sbcast` and `module`; what asks for another program fails with
"command not found", and with `set -e` so does the job. Jobs in other formats have no Slurm at all, and what a batch
script runs in a container has none. Nor has the provider's image conda, an MPI (`mpirun`, `mpicc`), R, Java, CMake,
ffmpeg, GNU parallel or samtools: `conda activate` finds neither the program nor the environment. Nothing is said of
these where the text, or the `setup` before it, installs them, loads a module or sets a path first; nor of what a
container's image may have.

Leave the call out, install the program in the script, or say in the profile what brings it (`programs:`). For
`apptainer`, `singularity` and the like, give the image to the job: `--image`. A script that calls `srun` keeps it
without `--image`: `srun --container-image=IMAGE` runs the command in the image, on all machines.""",
    bad=_HEAD + "apptainer exec image.sif python train.py\n",
    good=_HEAD + "srun python train.py\n",
)

INTERPRETER_MISSING = Code(
    id="FC805",
    name="interpreter-missing",
    severity="warning",
    title="the machine may not have the script's interpreter: {reason}",
    explain="""\
A script is started by the program that its first line names. The provider's image is a plain Ubuntu: it has sh, bash,
perl and python3 in /bin and /usr/bin, and the startup script installs what Ubuntu has a package for (csh, tcsh, zsh,
ksh, Rscript and some more). Where the program is missing, the job ends at once with status 127, on a machine that costs
money.

Name an interpreter that is there, or one that the job's own image brings.""",
    bad="#!/usr/bin/julia\n#SBATCH --gpus=h100:8 --time=10\nprintln(1)\n",
    good="#!/usr/bin/env bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
)

NODES_NOT_JOINED = Code(
    id="FC806",
    name="nodes-not-joined",
    severity="warning",
    title="the script runs on the first of {nodes} machines, and nothing in it starts programs on the others",
    explain="""\
As under Slurm, the script runs on the first node only; `srun` and `mpirun` reach the others, and the startup script
brings what they need. No such call is in the text, so the other machines would only cost money. (SSH does not reach
them: they share no keys.)

Start the program with `srun`, or ask for one machine (`--nodes=1`, `-N 1` on flowc's command line). Where another
script makes the call, say so: `--with-commands srun`.""",
    bad=(_TWO + "python train.py\n", ("--budget", "99")),
    good=_TWO + "srun python train.py\n",
)

MODULE_MISSING = Code(
    id="FC812",
    name="module-missing",
    severity="warning",
    kind="lacking",
    title="the machine has nothing in place of module {modules}",
    explain="""\
A rented machine has no environment modules. The startup script brings a `module` that does nothing for what the image
has (Python, CUDA, git) or the job has installed; for anything else it writes a line to the job's output that names the
module and the line of the script, and goes on with status 0. The job then fails where it calls what is not there.

Install the software in the script before it is used, or run the job in an image that has it: `--image`.""",
    bad=_HEAD + "module load gromacs/2023.1\n./run.sh\n",
    good=_HEAD + "module load cuda/12.2\n./run.sh\n",
)

COMMAND_REFUSED = Code(
    id="FC813",
    name="command-refused",
    severity="warning",
    title="the job calls {commands}, which takes no jobs on the machine",
    explain="""\
There is no queue behind a rented machine, and a machine should hold no key that could place bids. So `sbatch` and
`salloc` say that and fail, and with `set -e` so does the job. Some programs call them unseen: Snakemake and Nextflow
with their executors for Slurm, SLURMCluster of dask_jobqueue, submitit.

Submit the second job yourself, with `flowc submit second.sbatch --after afterok:FIRST`, which places it when the first
has ended well. A script that does nothing but submit others belongs on your own computer: there `flowc sbatch` takes
sbatch's command line and prints what sbatch prints (`flowc sbatch --help`).

A job that submits itself again, to go on after its time limit, needs a longer limit instead: it is started again after
the machine was taken away.""",
    bad=_HEAD + "python train.py && sbatch next.sbatch\n",
    good=_HEAD + "python train.py && python next.py\n",
)

INTERPRETER_INSTALLED = Code(
    id="FC814",
    name="interpreter-installed",
    severity="note",
    kind="lacking",
    title="the machine installs Ubuntu's package `{package}` for `{program}`, where the image has none",
    explain="""\
The first line of the script names a program that a plain Ubuntu does not have. The startup script installs its package
before the job starts; that takes some seconds, and needs the archive to be reachable.

Nothing to do. A script for bash or Python 3 starts without it.""",
    bad="#!/bin/tcsh\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
)

SSH_BETWEEN_NODES = Code(
    id="FC817",
    name="ssh-between-nodes",
    severity="warning",
    title="{commands} does not reach the job's other machines: they share no keys",
    explain="""\
On a cluster the nodes of a job often trust each other. The machines of a bid do not: each has the keys of the
project's people, and none of its own. So SSH asks for a password that nobody has, and fails; so do `pdsh`, `clush` and
launchers that use SSH (`deepspeed --hostfile`; outside of Slurm `mpirun --hostfile` too).

Start the command with `srun`: it reaches all machines, or with `--nodelist` one of them. Files are written on each
machine by a step there. Jobs of other formats run their text on each machine: start each machine's part there, by the
number of its node, as `torchrun --node-rank` and `deepspeed --no_ssh --node_rank` do.""",
    bad=(_TWO + "for n in $(scontrol show hostnames); do ssh $n hostname; done\nsrun hostname\n", ("--budget", "99")),
    good=_TWO + "for n in $(scontrol show hostnames); do srun -N1 -n1 -w $n hostname; done\n",
)

IMAGE_IN_FILE = Code(
    id="FC818",
    name="image-in-file",
    severity="warning",
    title="`{image}` is no image of a registry, and steps here run in such alone",
    explain="""\
Under Slurm the Pyxis plugin runs a step in an image of a registry, or in a squashfs file of enroot (`.sqsh`) on the
cluster's file system. Here docker takes its place: it pulls images and reads no such files, so the step fails with a
message. Where docker answers `enroot`, so do files and containers that the text does not make.

Push the image to a registry and name it: `--container-image=ghcr.io#owner/name:tag`. Or say in the profile which image
stands in the place of the file or the container (`images`).""",
    bad=_HEAD + "srun --container-image=/scratch/torch.sqsh python train.py\n",
    good=_HEAD + "srun --container-image=nvcr.io#nvidia/pytorch:24.05-py3 python train.py\n",
)

CLUSTER_PATH = Code(
    id="FC820",
    name="cluster-path",
    severity="warning",
    kind="lacking",
    title="the machine has nothing of {whose} file systems: {paths}",
    explain="""\
A rented machine has its own disk and nothing else: no `/home/$USER`, no `/scratch`, no shared file system, and a new
home folder: no `~/miniconda3`. What the script reads there is missing, `cd` to it fails, and an environment that it
activates from there is not found. What it writes there stays on this machine, if the folder can be made at all.

Bring the data: `--mount /scratch/data=s3://bucket/data` for a bucket, `--mount /scratch/data=volume://name` for a
volume. Or write where it is on the machine: relative paths are below the working directory, `/workspace`. Of what the
job mounts, makes (`mkdir`, `git clone`, a download), asks for first (`[ -d`) or only writes down nothing is said.""",
    bad=_HEAD + "cd /scratch/me/project\npython train.py\n",
    good=(_HEAD + "cd /scratch/me/project\npython train.py\n", ("--mount", "/scratch/me=s3://bucket/me")),
)

ENVIRONMENT_MISSING = Code(
    id="FC823",
    name="environment-missing",
    severity="warning",
    title="the job's conda has no environment `{name}`",
    explain="""\
A line of the profile brings conda, or the machine installs it as SkyPilot's do. It is new on each machine, and what
users made in it elsewhere is not in it: `conda activate NAME` fails, `source activate NAME` too, and the job goes on
without the environment's programs. So does one that is entered by its path (`conda activate /proj/env`). Of what the
job makes itself (`conda create -n NAME`, `conda env create`) and of `base` nothing is said.

Say in the profile what it is (`conda:`), make it in the script first (`conda create -n NAME …`, `conda env create -n
NAME -f environment.yml`), or give the job an image that has its programs.""",
    bad=(
        _HEAD + "module load anaconda3\nconda activate train\npython train.py\n",
        ("--profile=corpus/slurm/profile-conda/profile.yaml",),
    ),
    good=(
        _HEAD + "module load anaconda3\nconda create -y -n train python=3.12\nconda activate train\npython train.py\n",
        ("--profile=corpus/slurm/profile-conda/profile.yaml",),
    ),
)

VENV_MISSING = Code(
    id="FC861",
    name="venv-missing",
    severity="warning",
    title="the virtual environment `{path}` is not on the machine",
    explain="""\
A virtual environment of Python is a folder that somebody made once on the cluster, with what `pip install` put into it.
A rented machine has none: `source PATH/bin/activate` fails, the job goes on with the machine's own Python, and the
first import of a package ends it. Code that is brought to the machine does not bring it: an environment holds the paths
of the computer on which it was made. Nothing is said of one that the text may make first (`python3 -m venv PATH`,
`virtualenv`, `uv venv`, a script that it runs) or that may come with what it fetches.

Say in the profile what is in it: `venvs: {PATH: requirements.txt}`, or `{pip: [torch, numpy==1.26], python: "3.11"}`.
It is then made at the same place on each machine, before the job. Or make it in the script, or in `setup`.""",
    bad=_HEAD + "source ~/venvs/train/bin/activate\nnvidia-smi\n",
    good=_HEAD + "python3 -m venv ~/venvs/train\nsource ~/venvs/train/bin/activate\npip install torch\nnvidia-smi\n",
)

BASH_IN_SH = Code(
    id="FC833",
    name="bash-in-sh",
    severity="warning",
    title="`/bin/sh` does not understand `{word}`: {effect}",
    explain="""\
On the provider's image, an Ubuntu, `/bin/sh` is dash; on many clusters it is bash under another name. What only bash
knows (`[[ ]]`, `source`, arrays, `&>`, `{1..3}`, `set -o pipefail`) dash refuses, or reads in another way without a
word: `a &> b` starts `a` in the background.

Begin the script with `#!/bin/bash`.""",
    bad=_HEAD.replace("bash", "sh") + "python train.py &> train.log\n",
    good=_HEAD + "python train.py &> train.log\n",
)

FILE_NOT_SHARED = Code(
    id="FC834",
    name="file-not-shared",
    severity="note",
    title="the {nodes} machines share no folder: a program on another one does not see `{file}`",
    explain="""\
On a cluster the working folder is the same on all nodes, so programs may meet in a file: one writes its address, the
others wait until it is there. Rented machines have disks of their own. A file that is written on one of them never
comes to the others, and what waits for it there waits until the time limit.

Give the job a volume of the kind `file` and put the file there, or let the programs meet at an address:
`MASTER_ADDR=$(scontrol show hostnames | head -n 1)`.""",
    bad=_TWO + "srun dask scheduler --scheduler-file meet.json\n",
    good=_TWO + "srun dask worker tcp://$(scontrol show hostnames | head -n 1):8786\n",
)
