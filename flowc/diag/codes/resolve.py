"""FC6xx: choosing the machine (instance types, GPU models, regions, the catalog)."""

from __future__ import annotations

from flowc.diag.code import Code

_EXCLUDING = """\
name: t
instance_type: 8xh100
max_run_time_hours: 1
constraints: {{exclude_regions: ["{}"]}}
command: nvidia-smi
"""
_GOOD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8\n#SBATCH --time=1:00:00\nnvidia-smi\n"

INSTANCE_TYPE_UNREADABLE = Code(
    id="FC601",
    name="instance-type-unreadable",
    severity="error",
    title="invalid instance type `{text}`: {reason}",
    explain="""\
An instance type names a GPU family and how many GPUs one machine has: `8xh100`, or in full
`h100-80gb.sxm.8x`. A bare family such as `a100` stands for its usual machine, and an id (`it_…`) is passed on
as it stands.

Write the count first, once, and an `x` between count and family. The help line lists what is sold of that
family.""",
    bad=(_GOOD, ("--instance-type=a100x8",)),
    good=(_GOOD, ("--instance-type=8xa100",)),
)

INSTANCE_TYPE_NOT_SOLD = Code(
    id="FC602",
    name="instance-type-not-sold",
    severity="error",
    title="no machine `{text}` is sold: {sold}",
    explain="""\
The name is well-formed, but the catalog offers no such machine: the provider sells each GPU family in a few
counts only. A name is taken literally, so nothing else is rented in its place.

Take one of the machines that the message lists, or drop the name and ask for GPUs by number: then the
smallest machine that holds them is taken.""",
    bad=(_GOOD, ("--instance-type=4xh100",)),
    good=(_GOOD, ("--instance-type=8xh100",)),
)

INSTANCE_TYPE_MEANS = Code(
    id="FC603",
    name="instance-type-means",
    severity="note",
    kind="placing",
    title="`{text}` means `{type}`: {gpus} on each machine",
    explain="""\
A family alone does not say how many GPUs a machine has, and this family is sold in several counts. The name
stands for the machine that the message names, unless the job itself says how many GPUs it wants.

Write the count to be sure: `8xh100`.""",
    bad=("#!/bin/bash\n#SBATCH --time=1:00:00\nnvidia-smi\n", ("--instance-type=h100",)),
    good=("#!/bin/bash\n#SBATCH --time=1:00:00\nnvidia-smi\n", ("--instance-type=8xh100",)),
)

GPU_MODEL_UNKNOWN = Code(
    id="FC604",
    name="gpu-model-unknown",
    severity="error",
    title="unknown GPU model `{word}`",
    explain="""\
Slurm sites choose the names of their GPUs themselves, and this one names no model that flowc knows. Renting a
machine with another GPU in its place would be a guess.

Write the model's own name, such as `h100` or `a100`, or leave the model out and take the cheapest machine
that fits.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:h1000:1\n#SBATCH --time=1:00:00\nnvidia-smi\n",
    good=_GOOD,
)

GPU_MODEL_NOT_SOLD = Code(
    id="FC605",
    name="gpu-model-not-sold",
    severity="error",
    kind="placing",
    title="no machine with {model} GPUs is sold: {sold}",
    explain="""\
The job asks for a GPU model that the provider does not rent out. Memory, speed and what software runs differ
from model to model, so none is put in its place unasked.

Name a model that is sold in the script, or choose a machine with `--instance-type`, which wins over the
script. `--move` takes the cheapest that is at least as capable; a line of the profile does for all jobs, such as
`gpus: {v100: a100}`, or `{v100: any}`.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:v100:1\n#SBATCH --time=1:00:00\nnvidia-smi\n",
    good=_GOOD,
)

GPUS_STAY_IDLE = Code(
    id="FC606",
    name="gpus-stay-idle",
    severity="warning",
    kind="placing",
    title="{idle} of {gpus} GPUs of `{type}` stay idle: no machine that fits has just {asked} ({price})",
    explain="""\
Machines are sold with fixed numbers of GPUs. The job gets the smallest one that holds what it asks for and
sees only as many GPUs as it asked for, but all of them are paid.

Use all GPUs of the machine, or choose a family that is sold in the count you need.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:h100:4\n#SBATCH --time=1:00:00\nnvidia-smi\n",
    good=_GOOD,
    money=True,
)

GPU_NOT_ASKED = Code(
    id="FC607",
    name="gpu-not-asked",
    severity="warning",
    kind="placing",
    title="no number of GPUs asked for: `{type}` is the cheapest machine that fits, its {fate} ({price})",
    explain="""\
The provider's machines without GPU take no startup script, so a job that needs only CPUs and memory runs on
the cheapest machine with GPUs that has enough of both.

If the job uses GPUs after all, ask for them (`--gpus=1`). If it does not, running it elsewhere may cost
less. Naming the machine with `--instance-type` says that you mean it.""",
    bad="#!/bin/bash\n#SBATCH --ntasks=4 --nodes=1\n#SBATCH --time=1:00:00\n./simulate\n",
    good=_GOOD,
    money=True,
)

GPU_MODEL_OPEN = Code(
    id="FC608",
    name="gpu-model-open",
    severity="warning",
    kind="placing",
    title="{given}: `{type}` is the cheapest machine that fits ({price})",
    explain="""\
The job says how many GPUs it wants but not which, so the cheapest machine that fits is taken. Prices change,
and with them the choice; memory and speed of GPUs differ a lot.

Name the model (`--gres=gpu:h100:8`) or the machine (`--instance-type=8xh100`).""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:8\n#SBATCH --time=1:00:00\nnvidia-smi\n",
    good=_GOOD,
    money=True,
)

REGION_UNKNOWN = Code(
    id="FC609",
    name="region-unknown",
    severity="warning",
    title="region `{region}` is not in the catalog of {as_of}",
    explain="""\
The name has the form of a region, but the catalog does not know it. It may be new, or misspelt. The bid is
made for it, with prices unknown, and whether the machine is there turns out when the job is submitted.

Check the spelling against the list in the help line.""",
    bad=(_GOOD, ("--region=us-central9-a",)),
    good=(_GOOD, ("--region=us-central2-a",)),
)

NOT_IN_REGION = Code(
    id="FC610",
    name="not-in-region",
    severity="error",
    title="no machine that fits is offered in {region}: {elsewhere}",
    explain="""\
Each region has its own machines. What the job needs is sold, but not in the region that was asked for.

Take one of the regions that the message lists, or leave the region open.""",
    bad=(_GOOD, ("--region=us-central3-a",)),
    good=(_GOOD, ("--region=us-central2-a",)),
)

MORE_THAN_SOLD = Code(
    id="FC611",
    name="more-than-sold",
    severity="error",
    kind="placing",
    title="the job asks for {need}; {largest}",
    explain="""\
No machine that is sold holds what the job asks for on one node. Slurm clusters often have larger or
differently balanced nodes than the machines that are rented out.

Ask for less on each node: fewer tasks per node, more nodes, less memory. The message names the resource that
is short and the machine that has most of it.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:h100:16\n#SBATCH --time=1:00:00\nnvidia-smi\n",
    good=_GOOD,
)

CATALOG_UNREADABLE = Code(
    id="FC612",
    name="catalog-unreadable",
    severity="error",
    title="cannot read the catalog `{path}`: {reason}",
    explain="""\
`--catalog` names a file with instance types, regions and prices, in JSON or YAML, to be used in place of the
catalog that comes with flowc.

See that the file is there and is what its name says. Where it is the copy that `flowc catalog refresh` has written,
another refresh makes it anew.""",
    bad=(_GOOD, ("--catalog=no-such-catalog.json",)),
    good=_GOOD,
)

CATALOG_MISTAKE = Code(
    id="FC613",
    name="catalog-mistake",
    severity="error",
    title="`{path}` is no catalog: {place}: {reason}",
    explain="""\
The file can be read but does not have the form of a catalog: `as_of` (a date), `regions`, and
`instance_types` with name, family, GPUs, memory, CPUs and offers. Money is decimal text such as "12.03", in
USD per instance-hour.

Mend the field that the message names; flowc/data/catalog.yaml shows the whole form.""",
    bad=(_GOOD, ("--catalog=/dev/null",)),
    good=_GOOD,
)

GPU_SLICE = Code(
    id="FC614",
    name="gpu-slice",
    severity="warning",
    title="`{word}` is a slice of a GPU; each becomes a whole {whole}",
    explain="""\
Some clusters cut a GPU into slices (MIG) and hand these out one by one. Rented machines come with whole GPUs,
so the job gets a whole one for each slice, with more memory, and pays for it.

Name the GPU itself (`h100`) when that is what you want.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:nvidia_h100_80gb_hbm3_3g.40gb:1 --time=10\nnvidia-smi\n",
    good=_GOOD,
)

INSTANCE_TYPE_ABRIDGED = Code(
    id="FC616",
    name="instance-type-abridged",
    severity="warning",
    title="`{text}` is an old name without socket and network: taken for `{type}`",
    explain="""\
Instance types used to be named like `h100.8x.SXM5.IB`: family, count, socket, network. With the last two left
out the name is not certain, though the family and the count leave little choice.

Write `8xh100` or the whole name.""",
    bad=(_GOOD, ("--instance-type=h100.8x",)),
    good=(_GOOD, ("--instance-type=8xh100",)),
)

INSTANCE_TYPE_WINS = Code(
    id="FC617",
    name="instance-type-wins",
    severity="warning",
    title="instance type `{text}` replaces the GPU model `{model}` that the script asks for",
    explain="""\
The script names a GPU model, and an instance type was given that has another one. The instance type wins: it
was said last and names the machine exactly.

Nothing to do if that is what you want; otherwise leave out one of the two.""",
    bad=(_GOOD, ("--instance-type=8xa100",)),
    good=(_GOOD, ("--instance-type=8xh100",)),
)

ID_NOT_IN_CATALOG = Code(
    id="FC618",
    name="id-not-in-catalog",
    severity="error",
    title="instance type `{text}` is not in the catalog of {as_of}: give {missing} with it",
    explain="""\
An id is passed on to the provider as it stands, but a bid also needs a region and a limit price. For a
machine that the catalog lists both follow from it; for an unknown one they do not.

Add `--region` and `--max-price-per-hour`, or name the machine (`8xh100`).""",
    bad=(_GOOD, ("--instance-type=it_0000000000000000",)),
    good=(
        _GOOD,
        ("--instance-type=it_0000000000000000", "--region=us-central2-a", "--max-price-per-hour=20"),
    ),
)

GPU_OF_ANOTHER_MAKER = Code(
    id="FC619",
    name="gpu-of-another-maker",
    severity="error",
    title="`{word}` is made by {maker}: all machines that are sold have NVIDIA GPUs",
    explain="""\
The job asks for an accelerator that is not NVIDIA's. Programs for it (ROCm, XLA on TPUs, Neuron, Gaudi) do not run on
NVIDIA GPUs as they are, so none is put in its place.

Port the job to CUDA and name a GPU that is sold, or run it where such accelerators are.""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:mi300x:8 --time=10\nrocm-smi\n",
    good=_GOOD,
)

GPU_MEMORY_LARGER = Code(
    id="FC620",
    name="gpu-memory-larger",
    severity="warning",
    title="`{word}` asks for GPUs with {asked} GB, which are not sold: taken with {sold}",
    explain="""\
Some models come with different amounts of memory, at different prices. The one that the job names is not rented out;
the same model with more memory is, and runs whatever the smaller one does.

Name the GPU without its memory (`a100`) or with the memory that it is sold with (`a100-80gb`).""",
    bad="#!/bin/bash\n#SBATCH --gres=gpu:a100_40gb:1 --time=10\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gres=gpu:a100_80gb:1 --time=10\nnvidia-smi\n",
)

GPU_COUNT_OPEN = Code(
    id="FC621",
    name="gpu-count-open",
    severity="note",
    kind="placing",
    title="`{type}` is the cheapest machine with such GPUs: {gpus} ({price})",
    explain="""\
The job says what kind of GPU it needs and not how many, so the cheapest machine with such GPUs is taken; the job sees
all of them. Prices change, and with them the choice.

Name the machine (`instance_type: 8xh100`) when the number matters.""",
    bad="name: t\nmin_gpu_memory_gb: 40\nmax_run_time_hours: 1\ncommand: nvidia-smi\n",
    good="name: t\ninstance_type: 8xh100\nmax_run_time_hours: 1\ncommand: nvidia-smi\n",
    path="job.yaml",
    money=True,
)

REGION_NOT_EXCLUDED = Code(
    id="FC622",
    name="region-not-excluded",
    severity="warning",
    title="`{pattern}` excludes no region: none in the catalog of {as_of} has such a name",
    explain="""\
A region that must not be used is named in a way that fits none that is known. It may be misspelt, and then the job
could be placed where it should not.

Check the spelling against the list in the help line. Names may hold `*` and `?`: `eu-*`.""",
    bad=_EXCLUDING.format("us-est1-a"),
    good=_EXCLUDING.format("us-east1-a"),
    path="job.yaml",
)

CHOICES_PASSED_OVER = Code(
    id="FC623",
    name="choices-passed-over",
    severity="note",
    kind="placing",
    title="{count} passed over: {reasons}",
    explain="""\
The job names several kinds of machine of which any will do. Those that are not sold, or do not hold the job, were left
out; the plan (`--emit plan`) shows what became of each.

Nothing to do, unless you counted on one of them.""",
    bad="name: t\ninstance_type: [4xh100, 8xh100]\nmax_run_time_hours: 1\ncommand: nvidia-smi\n",
    good="name: t\ninstance_type: [8xh100, 8xa100]\nmax_run_time_hours: 1\ncommand: nvidia-smi\n",
    path="job.yaml",
)

CHOICES_UNAVAILABLE = Code(
    id="FC624",
    name="choices-unavailable",
    severity="error",
    title="none of {count} choices is to be had: {reasons}",
    explain="""\
The job names several kinds of machine of which any would do, and none of them is sold in the form, the count or the
region asked for, or holds what the job needs.

Add a machine from the help line to the choices.""",
    bad="name: t\ninstance_type: [4xh100, 2xh200]\nmax_run_time_hours: 1\ncommand: nvidia-smi\n",
    good="name: t\ninstance_type: [8xh100, 8xa100]\nmax_run_time_hours: 1\ncommand: nvidia-smi\n",
    path="job.yaml",
)

CHOICE_UNKNOWN = Code(
    id="FC625",
    name="choice-unknown",
    severity="warning",
    title="unknown GPU model `{word}` among the choices: it is passed over",
    explain="""\
Of several kinds of machine of which any will do, one names a GPU that flowc does not know. It may be misspelt, and then
another machine than the one you prefer is paid for.

Write the model's own name, such as `H100` or `A100`, or take it out of the choices.""",
    bad="resources:\n  any_of:\n    - accelerators: H1000:8\n    - accelerators: H100:8\nrun: nvidia-smi\n",
    good="resources:\n  any_of:\n    - accelerators: H200:8\n    - accelerators: H100:8\nrun: nvidia-smi\n",
    path="job.yaml",
)

GPU_STANDS_IN = Code(
    id="FC626",
    name="gpu-stands-in",
    severity="note",
    title="no machine with `{model}` GPUs is sold: `{type}` takes its place, {gpus} ({price})",
    explain="""\
`--move`, or a line of the profile below `gpus`, allows it: in the place of a GPU model that is not sold stands the
cheapest machine whose GPUs have at least its memory (that of the largest form, where the job does not say) and its
features, by CUDA's compute capability. Cards for computing have no video encoder and no units for ray tracing, which is
not counted; programs that were built for one compute capability alone must be built again.

Name a model that is sold to have that one. `gpus: {v100: h100}` in the profile says which one takes the place.""",
    bad=(
        "#!/bin/bash\n#SBATCH --gres=gpu:v100:1\n#SBATCH --time=1:00:00\nnvidia-smi\n",
        ("--move",),
    ),
    good=_GOOD,
)
