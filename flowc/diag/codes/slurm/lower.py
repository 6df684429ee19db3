"""FC18x and FC19x: what becomes of the options of a batch script (reported while lowering)."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8\n#SBATCH --time=1:00:00\nnvidia-smi\n"

CLUSTER_OPTIONS = Code(
    id="FC180",
    name="cluster-options",
    severity="note",
    kind="placing",
    title="no effect outside the cluster: {options}",
    explain="""\
These options speak of the old cluster's queue, accounting or node layout. They have no counterpart on machines that are
rented for one job, and leaving them out changes neither what the job computes nor what it costs.

Nothing to do. `report.txt` (from `compile -o DIR`) says of each option what stands in its place.""",
    bad="#!/bin/bash\n#SBATCH --partition=gpu --gpus=h100:8 --time=10\nnvidia-smi\n",
    good=_GOOD,
)

OPTION_APPROXIMATED = Code(
    id="FC181",
    name="option-approximated",
    severity="note",
    kind="placing",
    title="`{option}` is kept in part: {reason}",
    explain="""\
The option has a meaning here, but not exactly the one that it has under Slurm. The job runs with what comes nearest,
which the message names.

Read whether that is enough for this job; where it is not, give the resources in another way.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --export=ALL\nnvidia-smi\n",
    good=_GOOD,
)

OPTION_IGNORED = Code(
    id="FC182",
    name="option-ignored",
    severity="warning",
    kind="placing",
    title="`{option}` is ignored: {reason}",
    explain="""\
The option has no counterpart here, and the job may rely on what it did. It is left out, and the job runs without it.

Take the option out of the script when the job does not need it; otherwise do by other means what the message names.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --licenses=matlab:1\nnvidia-smi\n",
    good=_GOOD,
)

OPTION_REFUSED = Code(
    id="FC183",
    name="option-refused",
    severity="error",
    title="`{option}` cannot be kept: {reason}",
    explain="""\
Without what this option asks for, the job would not do what it did under Slurm, or would cost money for nothing. So no
request is made.

Take the option out, or replace it by what the message names.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --hold\nnvidia-smi\n",
    good=_GOOD,
)

TWO_GPU_MODELS = Code(
    id="FC184",
    name="two-gpu-models",
    severity="error",
    title="two GPU models on one node: {models}",
    explain="""\
A Slurm node may hold GPUs of several models, and `--gres=gpu:a100:2,gpu:h100:1` asks for both on every node. A rented
machine has GPUs of one model only. A model in `--constraint` counts as well: `-C a100 --gres=gpu:h100:2` is a request
that no node can meet.

Ask for one model, or split the job.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:a100:2,gpu:h100:1 --time=10\nnvidia-smi\n",
    good=_GOOD,
)

GRES_IGNORED = Code(
    id="FC185",
    name="gres-ignored",
    severity="warning",
    title="`{item}` in `--gres` is ignored: {reason}",
    explain="""\
`--gres` may name any resource that a site has declared: licences, network cards, local disk. Only GPUs are known
outside that site.

Local disk is there on every machine; for anything else see that the job can do without it.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:h100:8,lscratch:100 --time=10\nnvidia-smi\n",
    good=_GOOD,
)

GPU_SHARE = Code(
    id="FC186",
    name="gpu-share",
    severity="warning",
    title="`{item}` asks for a part of a GPU; the job gets a whole one",
    explain="""\
Shards and MPS shares divide one GPU among several jobs. A rented machine has no other jobs, so the job gets a whole GPU
and pays for it.

Nothing to do, if that is what you want.""",
    bad=("#!/bin/bash\n#SBATCH --gres=shard:4 --time=10\nnvidia-smi\n", ("-i", "1xh100")),
    good=_GOOD,
)

EXPORT_UNSET = Code(
    id="FC187",
    name="export-unset",
    severity="warning",
    title="`--export` names what is not set here: {names}",
    explain="""\
`--export=NAME` copies a variable from the environment in which the job is submitted, which is the one in which flowc
runs. It is not set there, so the job will not have it; sbatch skips it in silence.

Set the variable before compiling, or give its value: `--export=NAME=value`.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --export=FLOWC_NO_SUCH_NAME\nnvidia-smi\n",
    good=_GOOD,
)

EXPORTED_SECRET = Code(
    id="FC188",
    name="exported-secret",
    severity="warning",
    title="readable by everybody in the project: {names} in `--export`",
    explain="""\
A startup script is stored with the bid, and all members of the provider's project can read it, variables included.

Do not pass secrets this way. Let the job fetch them when it runs, or log in to the service on the machine.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --export=API_TOKEN=abc\nnvidia-smi\n",
    good=_GOOD,
)

HET_JOB = Code(
    id="FC189",
    name="het-job",
    severity="warning",
    title="the {count} components of this job become {count} bids, which may start at different times",
    explain="""\
Slurm starts all components of a heterogeneous job together and runs the script on the first one; the others are reached
by `srun --het-group`. The provider knows no such bond: each component is a bid of its own, linked by name. (Where the
text has such steps all of them are one bid, see FC194.)

The script runs on component 0; the machines of the others are held until their time limit.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n#SBATCH hetjob\n#SBATCH --gpus=h100:1\nnvidia-smi\n",
    good=_GOOD,
)

MODEL_IN_PARTITION = Code(
    id="FC190",
    name="model-in-partition",
    severity="note",
    kind="placing",
    title="partition `{name}` chooses no GPU here: ask for `{model}` if that is meant",
    explain="""\
Sites often name a partition after its GPUs, and `-p gpu_h100 --gres=gpu:1` meant an H100 there. Partitions mean nothing
here, and the cheapest machine that fits is taken, whatever its GPU.

Ask for the model: `--gres=gpu:h100:1`, or `-i` on flowc's command line.""",
    bad=("#!/bin/bash\n#SBATCH --partition=h100 --gres=gpu:8 --time=10\nnvidia-smi\n", ("-i", "8xh100")),
    good=_GOOD,
)

WRAP_IN_DIRECTIVE = Code(
    id="FC191",
    name="wrap-in-directive",
    severity="warning",
    title="`--wrap` in a directive does nothing: what is run are the commands below the directives",
    explain="""\
sbatch makes a script of `--wrap=COMMAND` on its command line, where no script is named. In a directive it reads the
option and drops it without a word: the command is never run.

Write the command below the directives, on a line of its own.""",
    bad=_GOOD.replace("nvidia-smi", "#SBATCH --wrap='python train.py'\nhostname"),
    good=_GOOD,
)

_ON_DGX = "#!/bin/bash\n#SBATCH -p dgx --nodes={} --gres=gpu:8 --time=1:00:00\nsrun nvidia-smi\n"

CLUSTER_REFUSES = Code(
    id="FC193",
    name="cluster-refuses",
    severity="warning",
    title="the cluster of the profile would refuse this job: {reason}",
    explain="""\
The section `cluster` of the profile says what the old cluster had: which nodes, and what its partitions let pass. A
request that it would refuse never ran there as it stands, so this file may not be the one that did, or has a mistake
that a rented machine would not show before it is paid for.

Compare it with the job that ran. Rented machines know no partitions: if the job is meant so, nothing keeps it from
running here.""",
    bad=(_ON_DGX.format(3), ("--profile=corpus/slurm/profile-refused/profile.yaml",)),
    good=(_ON_DGX.format(2), ("--profile=corpus/slurm/profile-refused/profile.yaml",)),
)
