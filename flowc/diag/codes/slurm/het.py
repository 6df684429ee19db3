"""FC194 and FC195: het jobs whose steps run over their components."""

from __future__ import annotations

from flowc.diag.code import Code

_BOTH = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 -N1 --time=10\n#SBATCH hetjob\n#SBATCH {} -N2\n{}"

HET_JOINED = Code(
    id="FC194",
    name="het-joined",
    severity="note",
    kind="placing",
    title="the {count} components of this job become one bid of {nodes} x {type}, since its steps run over them",
    explain="""\
The text names other components than the first (`srun --het-group`, `srun A : B`, SLURM_*_HET_GROUP_*). A step runs on
machines of one bid only, so all components are one bid: its first machines are those of component 0, where the script
runs, the next ones those of component 1. Each component would have got this type by itself, so it costs what separate
bids would.

Nothing to do. A het job without such steps has a bid for each component.""",
    bad=_BOTH.format("--gpus-per-node=h100:8", "srun --het-group=0,1 hostname\n"),
    good=_BOTH.format("--gpus-per-node=h100:8", "srun hostname\n"),
)

HET_NOT_JOINED = Code(
    id="FC195",
    name="het-not-joined",
    severity="error",
    title="steps run over the components of this job, which cannot be one bid: {why}",
    explain="""\
The text names other components than the first (`srun --het-group`, `srun A : B`, SLURM_*_HET_GROUP_*). A step runs on
machines of one bid only, and a bid has machines of one type. Here the components would get different ones: one type for
all would put a component on a dearer machine than it asks for, which is not done without a word.

Name a type that holds all of them with `-i`: then the job is one bid of it. Or let the script run on its own component
alone, without such steps: then each component has a bid of its own.""",
    bad=_BOTH.format("--gpus-per-node=a100:1", "srun --het-group=0 ./a : --het-group=1 ./b\n"),
    good=_BOTH.format("--gpus-per-node=h100:8", "srun --het-group=0 ./a : --het-group=1 ./b\n"),
)
