"""FC7xx: what the job may cost."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8\n#SBATCH --time=1:00:00\nnvidia-smi\n"
_ENDLESS = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8\nnvidia-smi\n"

BUDGET_EXCEEDED = Code(
    id="FC701",
    name="budget-exceeded",
    severity="error",
    title="may cost ${worst}, the budget is ${budget}: {arithmetic}",
    explain="""\
The worst case is the limit price on every machine for the whole time limit: for every task of an array, every component
of a heterogeneous job, every document, and all files that one `flowc compile` is given. (`flowc check` looks at each
file by itself.) The auction usually asks less, but never more, so a budget that is below it cannot be promised.
The time limit ends the job; what ends the bill is the end of the bid, which `flowc submit` sees to with the job, and
nobody after a compile alone.

Lower the limit price (`--max-price-per-hour`), the time limit, the number of machines, or raise the
budget.""",
    bad=(_GOOD, ("--budget=10",)),
    good=(_GOOD, ("--budget=100",)),
    money=True,
)

BUDGET_UNBOUNDED = Code(
    id="FC702",
    name="budget-unbounded",
    severity="error",
    title="a budget of ${budget} cannot be promised {why}",
    explain="""\
Without a time limit the job may run, and cost, for ever. So it may where its own text starts it anew:
`scontrol requeue` begins the time limit again each time, as under Slurm. With a time limit the budget holds where the
bid is ended with its job: `flowc submit` does that, a compile alone does not.

Give the job a time limit: `#SBATCH --time=4:00:00` or the flag `--time`; with `--no-requeue` the text cannot start the
job anew.""",
    bad=(_ENDLESS, ("--budget=100",)),
    good=(_GOOD, ("--budget=100",)),
    money=True,
)

COST_UNBOUNDED = Code(
    id="FC703",
    name="cost-unbounded",
    severity="note",
    kind="placing",
    title="{why}: the job may run without end, at up to ${limit} an hour",
    explain="""\
A cluster puts a limit on jobs that name none. Rented machines are paid until somebody ends their bid: `flowc submit`
does with the job, so a job without end has a bill without end. A time limit is no such end where the job's own text has
it started anew (`scontrol requeue`), which begins the limit again, as under Slurm.

Give the job a time limit: `#SBATCH --time=4:00:00` or the flag `--time`; with `--no-requeue` the text cannot start the
job anew.""",
    bad=_ENDLESS,
    good=_GOOD,
    money=True,
)

CAP_BELOW_MINIMUM = Code(
    id="FC704",
    name="cap-below-minimum",
    severity="error",
    title="`{type}` is not sold below ${minimum} an hour, the limit price is ${limit}",
    explain="""\
Each machine has a minimum price, and the provider refuses bids below it. Prices are for a whole machine with
all its GPUs, for one hour.

Raise `--max-price-per-hour`, choose a machine with fewer GPUs, or leave the limit to the price table.""",
    bad=(_GOOD, ("--max-price-per-hour=2",)),
    good=(_GOOD, ("--max-price-per-hour=20",)),
    money=True,
)

LIMIT_BELOW_MARKET = Code(
    id="FC705",
    name="limit-below-market",
    severity="warning",
    title="the limit price of ${limit} is below the market price of `{type}` on {as_of}, ${market} an hour",
    explain="""\
A bid below the market price waits until the price has fallen. That may be what you want for work that is in
no hurry, but the job may never start.

Raise `--max-price-per-hour` above the market price; what is paid is the market price, not the limit.""",
    bad=(_GOOD, ("--max-price-per-hour=9",)),
    good=(_GOOD, ("--max-price-per-hour=20",)),
    money=True,
)

CAP_ROUNDED = Code(
    id="FC706",
    name="cap-rounded",
    severity="note",
    kind="placing",
    title="prices have whole cents: ${asked} becomes ${limit}",
    explain="""\
The provider takes limit prices in dollars and cents. More places are cut off, so that the limit is never
above what was asked for.

Write at most two places after the point.""",
    bad=(_GOOD, ("--max-price-per-hour=20.125",)),
    good=(_GOOD, ("--max-price-per-hour=20.12",)),
    money=True,
)

COST_MULTIPLIED = Code(
    id="FC707",
    name="cost-multiplied",
    severity="note",
    kind="placing",
    title="may cost up to ${worst} in all: {arithmetic}",
    explain="""\
Each task of an array, each component of a heterogeneous job and each document is a bid of its own, and each node of a
job a machine of its own: the limit price is paid for all of them. What stands here is the worst case, when every
machine runs at the limit price until the time limit, and each bid is ended with its job.

Give `--budget` to refuse a job that may cost more than that, a shorter `--time`, or a lower `--max-price-per-hour`.""",
    bad="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=1-4\nnvidia-smi\n",
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
    money=True,
)

BILL_GOES_ON = Code(
    id="FC708",
    name="bill-goes-on",
    severity="note",
    title="nothing ends the bid when the job has ended: whoever places it pays until it is ended",
    explain="""\
A bid is paid for as long as it lives, however long ago its job has ended, and a request by itself ends nothing. The
worst case of a report, and a budget, hold where the bid is ended with its job. Said once of all that is compiled.

`flowc submit` places the bid and ends it with the job; with `--release machine` the machine does so itself, when nobody
looks any more. Who sends the request in another way ends the bid himself.""",
    bad=_GOOD,
    good=(_GOOD, ("--emit=script",)),
    money=True,
)

POLICY_EXCEEDED = Code(
    id="FC709",
    name="policy-exceeded",
    severity="error",
    title="{what}; the policy allows {most} ({origin})",
    explain="""\
The section `policy` of the settings says what may be spent: `per_job`, `per_hour` and `per_month` in USD, and `gpus` at
a time. It stands in the user's file, in the project's (`[policy]` of .flowc.toml, `[tool.flowc.policy]` of
pyproject.toml) and in variables such as FLOW_POLICY_PER_JOB; of all that say it the strictest holds, and no flag wins
over it. What counts is the worst case, as of a budget. A month is a calendar month (UTC), with all that was submitted
in it from here.

Lower the limit price (`--max-price-per-hour`), the time limit or the number of machines, or have the policy
changed.""",
    bad=_GOOD,
    good=_GOOD.replace("1:00:00", "5"),
    money=True,
)

POLICY_UNBOUNDED = Code(
    id="FC710",
    name="policy-unbounded",
    severity="error",
    title="the policy allows ${most} {per} ({origin}), which cannot be promised {why}",
    explain="""\
What a job may cost is its limit price over its time limit. Without a time limit, or where the job's own text starts it
anew (`scontrol requeue`), it may run, and cost, for ever, so a policy about the cost of a job or a month cannot be
kept.

Give the job a time limit: `#SBATCH --time=4:00:00` or the flag `--time`; with `--no-requeue` the text cannot start the
job anew.""",
    bad=_ENDLESS,
    good=_GOOD.replace("1:00:00", "5"),
    money=True,
)

POLICY_MACHINE = Code(
    id="FC711",
    name="policy-machine",
    severity="error",
    title="`{type}` in {region} is not allowed: the policy has {allowed} ({origin})",
    explain="""\
The section `policy` of the settings names the regions and the instance types that may be rented, as names or globs;
all files that say so must allow a machine. Where a job leaves a choice, what is allowed is taken; where it asks for
something else, or nothing that is allowed fits, it is refused.

Choose a machine that is allowed (`--instance-type`, `--region`), or have the policy changed.""",
    bad=_GOOD.replace("h100", "h200"),
    good=_GOOD,
    money=True,
)

_SPREAD = """\
#!/bin/bash
#SBATCH --nodes=4 --ntasks=8 --gpus-per-node=h100:2 --time=1:00:00
srun python train.py{}
"""

COST_OPTIMIZED = Code(
    id="FC712",
    name="cost-optimized",
    severity="note",
    title="{now} in place of {before}, as `--optimize cost` says: {price}; it would be {instead}",
    explain="""\
`--optimize cost` takes what costs least of all machines that the job allows, by the catalog's prices, and never for
higher limits in all. A Slurm job on several nodes is packed on fewer machines where nothing in its options and its text
is about single nodes; all that Slurm tells it (`SLURM_NNODES`, `SLURM_TASKS_PER_NODE` …) is then what Slurm would tell
a job that asks for so few.

Nothing to do. Without the flag the job runs as it is written.""",
    bad=(_SPREAD.format(""), ("--optimize=cost",)),
    good=_SPREAD.format(""),
    money=True,
)

NOT_PACKED = Code(
    id="FC713",
    name="not-packed",
    severity="note",
    title="fewer machines would cost less, but the job may count on its nodes: {reason}; it would be {cheaper}",
    explain="""\
`--optimize cost` packs a job only where no option, no variable and no command of its text is about single nodes. What
is not known to be harmless binds it: `--ntasks-per-node`, `SLURM_NODEID`, `srun -N`, `MASTER_ADDR`, ports, `/tmp`, a
command beside `srun`, a text that cannot be seen.

If the job does not count on its nodes, write it for fewer: `--nodes=1 --gpus-per-node=8` in place of four nodes with
two GPUs each.""",
    bad=(_SPREAD.format(" --rank $SLURM_NODEID"), ("--optimize=cost", "--instance-type=8xh100")),
    good=(_SPREAD.format(""), ("--optimize=cost",)),
    money=True,
)

CATALOG_COPY_DAMAGED = Code(
    id="FC714",
    name="catalog-copy-damaged",
    severity="warning",
    title="your copy of the catalog is left aside, prices are those of {as_of}: {reason}",
    explain="""\
`flowc catalog refresh` keeps a copy of what the provider sells, by which jobs are compiled. It cannot be read, or is no
catalog any more, so the catalog that comes with flowc holds: its machines may be gone, and its prices old.

`flowc catalog refresh` makes the copy anew.""",
    bad=_GOOD.replace("1:00:00", "2:00:00"),
    good=_GOOD,
)
