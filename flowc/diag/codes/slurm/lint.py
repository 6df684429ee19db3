"""FC130-FC159: what sbatch takes in silence though something else was meant (reported after reading)."""

from __future__ import annotations

from flowc.diag.code import Code


def _script(*directives: str, body: str = "hostname\n", time: str = "--time=1:00:00") -> str:
    """A job that has nothing else to be said about."""
    lines = ["--gpus=h100:8", *([time] if time else []), *directives]
    return "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines) + body


DEAD_DIRECTIVE = Code(
    id="FC130",
    name="dead-directive",
    severity="warning",
    title="Slurm never sees {which}: line {line} is the first command",
    explain="""\
sbatch reads directives only until the first line that is neither blank nor a comment. Every `#SBATCH` after it, also
in a here-document or after `module load`, is an ordinary comment: the job runs with defaults, without a word.

Move the directives to the top, right below the `#!` line.""",
    bad=_script(body="nvidia-smi\n#SBATCH --mem=8G\n./run\n"),
    good=_script("--mem=8G", body="nvidia-smi\n./run\n"),
)

COMMENTED_DIRECTIVE = Code(
    id="FC131",
    name="commented-directive",
    severity="warning",
    title="Slurm takes {which} for {comment}: a directive begins with `#SBATCH` in the first column",
    explain="""\
`# SBATCH`, `#sbatch` and an indented `#SBATCH` are comments to sbatch: the options on that line have no effect. (Two
signs, `##SBATCH`, are the usual way to switch a directive off; that is not reported.)

Write `#SBATCH` in capitals, without a blank, at the start of the line.""",
    bad=_script(body="# SBATCH --mem=8G\nnvidia-smi\n"),
    good=_script("--mem=8G", body="nvidia-smi\n"),
)

EQUALS_IN_VALUE = Code(
    id="FC132",
    name="equals-in-value",
    severity="warning",
    title="the value of `{option}` is `{value}`, the `=` included",
    explain="""\
After one letter the value follows directly or after a blank: `-p gpu`, `-pgpu`. A `=` belongs to the value, and for
names sbatch keeps it in silence: `-p=gpu` asks for a partition called `=gpu`.

Take the `=` out, or use the long name.""",
    bad=_script("-o=x.log"),
    good=_script("-o x.log"),
)

MINUTES_SECONDS = Code(
    id="FC133",
    name="minutes-seconds",
    severity="warning",
    title="`{value}` is {minutes} to Slurm, not {hours}",
    explain="""\
Two fields of a time are minutes and seconds; hours need three (`8:00:00`) or a day (`0-8`). A job that was meant to run
for eight hours is killed after eight minutes. Only what could be hours of a day, or whole days in hours, is reported:
`10:00`, `30:00` and `90:00` are commonly meant as minutes, if no comment behind them speaks of hours.

Write hours as H:MM:SS. If minutes are meant, a plain number says so: `8`.""",
    bad=_script(time="--time=8:00"),
    good=_script(time="--time=8:00:00"),
)

TASKS_PER_NODE = Code(
    id="FC134",
    name="tasks-per-node",
    severity="warning",
    title="`--{written}` is short for `--tasks-per-node`: {value} tasks on each node, not in all",
    explain="""\
There is no option `--tasks`. sbatch takes the word for an abbreviation of `--tasks-per-node`, so with several nodes the
job has more tasks than the number says.

Write `--ntasks` for tasks in all, or `--ntasks-per-node`.""",
    bad=_script("--tasks=4"),
    good=_script("--ntasks=4"),
)

ONE_DASH_NAME = Code(
    id="FC135",
    name="one-dash-name",
    severity="warning",
    title="`{written}` is read as `{letter}` with the value `{value}`",
    explain="""\
After one dash comes one letter, and the rest of the word is its value: `-output=x` sets `-o` to `utput=x`. Where the
value may be any text, sbatch accepts that in silence.

Write two dashes before a long name.""",
    bad=_script("-output=x.log"),
    good=_script("--output=x.log"),
)

PLACEHOLDER = Code(
    id="FC136",
    name="placeholder",
    severity="warning",
    title="`{text}` looks like a placeholder that was never filled in",
    explain="""\
The text looks like the gap of a template. sbatch passes a value on as it is, and a path of documentation
(`/path/to/data`) is on no machine: the job fails, waits for ever or writes to an odd place.

Fill it in, or take the option out.""",
    bad=_script("--output=<file>"),
    good=_script("--output=train.log"),
)

REPEATED_OPTION = Code(
    id="FC137",
    name="repeated-option",
    severity="warning",
    title="`--{option}` is given again on line {line}: this one is lost",
    explain="""\
Of an option given twice the last one holds, and it replaces the earlier one altogether; lists (`--gres`,
`--constraint`, `--exclude`) are not joined.

Keep one of them; join lists with commas.""",
    bad=_script("--mem=8G", "--mem=16G"),
    good=_script("--mem=16G"),
)

LINE_CUT = Code(
    id="FC138",
    name="line-cut",
    severity="warning",
    title="sbatch stops reading the line here: what follows is lost",
    explain="""\
An empty pair of quotes as a word of its own ends the line for sbatch, and so do the words `hetjob` and `packjob`. The
options behind it are not read, without a word.

Attach an empty value to its option (`--comment=""`), or put the options on lines of their own.""",
    bad=_script('--mem=8G "" -J train'),
    good=_script('--job-name="" --mem=8G'),
)

COMMENT_IN_VALUE = Code(
    id="FC139",
    name="comment-in-value",
    severity="warning",
    title="`#` begins a comment here: the value is `{value}`",
    explain="""\
In a directive an unquoted `#` ends the line, also inside a word: `--job-name=run#3` names the job `run`.

Put the value in quotes, or write a backslash before `#`.""",
    bad=_script("--job-name=run#3"),
    good=_script('--job-name="run#3"'),
)

VARIABLE_NEVER_SET = Code(
    id="FC141",
    name="variable-never-set",
    severity="warning",
    title="`{variable}` is never set with these options: {reason}",
    explain="""\
Slurm sets some variables only when the option behind them was given. The body uses one that stays empty here, which
shells expand to nothing in silence.

Give the option, or write a default: `${{NAME:-1}}`.""".replace("{{", "{").replace("}}", "}"),
    bad=_script(body="./run -n $SLURM_NTASKS\n"),
    good=_script("--ntasks=2", body="./run -n $SLURM_NTASKS\n"),
)

GPU_AS_TYPE = Code(
    id="FC142",
    name="gpu-as-type",
    severity="warning",
    title="`{value}` asks for GPUs of the type `gpu`",
    explain="""\
The values of `--gpus`, `--gpus-per-node` and their kin are COUNT or TYPE:COUNT; the word `gpu` belongs to `--gres`
only. Here it is read as the name of a GPU model, which no cluster has.

Write the count alone, or `--gres=gpu:COUNT`.""",
    bad=_script("--gpus-per-task=gpu:0"),
    good=_script("--gpus-per-task=0"),
)

LONE_CR = Code(
    id="FC143",
    name="lone-cr",
    severity="warning",
    title="a CR stands in this line",
    explain="""\
A CR that no LF follows counts as white space in a directive and as a part of the word in the body. It usually comes
from an old Macintosh file or a bad conversion; the lines of such a file are one single line to Slurm.

Replace CR by LF.""",
    bad=_script("--mem=8G\r -J train"),
    good=_script("--mem=8G"),
)

TINY_MEMORY = Code(
    id="FC144",
    name="tiny-memory",
    severity="warning",
    title="`--{option}={value}` is {mib} MiB",
    explain="""\
A bare number is MiB. With a few MiB no program starts; most likely GiB were meant.

Write the unit: `4G`.""",
    bad=_script("--mem=4"),
    good=_script("--mem=4G"),
)

DAYS_AS_MINUTES = Code(
    id="FC145",
    name="days-as-minutes",
    severity="note",
    title="`--time={value}` is {value} minutes",
    explain="""\
A bare number is minutes. This one looks like hours of whole days.

Write H:MM:SS or D-HH: `24:00:00`, `1-0`. If minutes are meant, nothing is to do.""",
    bad=_script(time="--time=24"),
    good=_script(time="--time=24:00:00"),
)

MIXED_SYSTEMS = Code(
    id="FC146",
    name="mixed-systems",
    severity="warning",
    title="sbatch reads `{magic}` lines too, after `#SBATCH` and over it: {options}",
    explain="""\
A script with directives of two batch systems is read twice: `#BSUB` or `#PBS` lines anywhere in it are translated and
win over `#SBATCH`. Values differ in meaning: `#BSUB -W 01:00` is one hour in LSF and one minute to sbatch.

Take the foreign lines out, or give `--ignore-pbs`.""",
    bad=_script("-J a", body="#PBS -N b\nhostname\n"),
    good=_script("-J a"),
)

OTHER_BATCH_SYSTEM = Code(
    id="FC155",
    name="other-batch-system",
    severity="warning",
    title="written for {system}: sbatch takes {taken} of its `{magic}` lines",
    explain="""\
The script has no `#SBATCH` line, but those of another batch system. sbatch reads lines of PBS and LSF as well as it
can, and none of others. Values differ in meaning: `#BSUB -W 01:00` is one hour in LSF and one minute to sbatch.
Variables such as PBS_O_WORKDIR or SGE_TASK_ID are not set.

Write `#SBATCH` lines for what the job needs, and Slurm's variables in the text; or give it on the command line:
`flowc check job.sh -- --gpus=h100:8 --time=1:00:00`.""",
    bad=("#!/bin/bash\n#$ -N job\n#$ -pe smp 8\nhostname\n", ("--instance-type=8xh100", "--time=1:00:00")),
    good=_script(),
)

SWALLOWED_OPTION = Code(
    id="FC147",
    name="swallowed-option",
    severity="warning",
    title="`{option}` takes the next word for its value: `{value}`",
    explain="""\
An option that needs a value takes the next word, also from the next line and also when that word looks like an option.

Give the option its value.""",
    bad=_script("--output", "--mem=8G"),
    good=_script("--output=a.log", "--mem=8G"),
)

SLURM_MAGIC = Code(
    id="FC148",
    name="slurm-magic",
    severity="warning",
    title="`#SLURM` works but is complained about: write `#SBATCH`",
    explain="""\
sbatch reads `#SLURM` like `#SBATCH`, and prints an error about it each time.

Write `#SBATCH`.""",
    bad=_script(body="#SLURM --mem=8G\nhostname\n"),
    good=_script("--mem=8G"),
)

NEGATIVE_TIME = Code(
    id="FC149",
    name="negative-time",
    severity="warning",
    title="`{value}` is no sensible time: sbatch makes `{canonical}` of it",
    explain="""\
sbatch takes a number of days below zero and wraps it around to some eight thousand years.

Write a time above zero.""",
    bad=_script(time="--time=-49710"),
    good=_script(time="--time=5"),
)

UNKNOWN_MAIL_EVENT = Code(
    id="FC151",
    name="unknown-mail-event",
    severity="warning",
    title="`{word}` is no mail event and is dropped",
    explain="""\
sbatch drops words of `--mail-type` that it does not know, as long as one is known. The mail for that event never comes.

The events: NONE, BEGIN, END, FAIL, REQUEUE, ALL, INVALID_DEPEND, STAGE_OUT, TIME_LIMIT, TIME_LIMIT_90, _80, _50,
ARRAY_TASKS.""",
    bad=_script("--mail-type=FAILED,NONE"),
    good=_script("--mail-type=NONE"),
)

NODES_LOWERED = Code(
    id="FC152",
    name="nodes-lowered",
    severity="warning",
    title="{tasks} tasks do not fill {nodes} nodes: sbatch lowers the nodes to {lowered}",
    explain="""\
With fewer tasks than nodes sbatch lowers the number of nodes, with a warning that is easily missed.

Ask for as many tasks as nodes at least, or for tasks per node: `--ntasks-per-node=1`.""",
    bad=_script("--nodes=4 --ntasks=1"),
    good=_script("--nodes=1 --ntasks=1"),
)

LOOKALIKE_BLANK = Code(
    id="FC153",
    name="lookalike-blank",
    severity="warning",
    title="the value of `{option}` holds {character}: to sbatch it is a letter",
    explain="""\
Text copied from a web page, a document or a chat often holds blanks that are none: no-break spaces, zero-width spaces.
sbatch ends words at ordinary blanks only, so such a character becomes a part of the name or path, unseen.

Delete it, and type an ordinary blank.""",
    bad=_script("--output=train.log\u00a0"),
    good=_script("--output=train.log"),
)

MISSPELT_DIRECTIVE = Code(
    id="FC154",
    name="misspelt-directive",
    severity="warning",
    title="{which}: `#SBATCH` was meant",
    explain="""\
A line that does not begin with exactly `#SBATCH` is an ordinary comment. The options on it have no effect, and nobody
says a word.

Write `#SBATCH`.""",
    bad=_script(body="#SBACTH --mem=8G\nhostname\n"),
    good=_script("--mem=8G"),
)
