"""FC101-FC129: what sbatch or the controller refuses in a batch script (reported while reading it)."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "#!/bin/bash\n#SBATCH --job-name=train --time=1:00:00\nhostname\n"


def _script(*directives: str, body: str = "hostname\n") -> str:
    return "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in directives) + body


UNCLOSED_QUOTE = Code(
    id="FC101",
    name="unclosed-quote",
    severity="error",
    stops=False,
    title="the quote `{quote}` is never closed on its line",
    explain="""\
In a directive both kinds of quotes group words, and a quote must end on the line where it begins. An apostrophe counts.
sbatch stops with a fatal error.

Close the quote, put the value in the other kind of quotes (`--comment="it's"`), or write a backslash before it.""",
    bad=_script("--comment=it's"),
    good=_script('--comment="it\'s"'),
)

COLON_WORD = Code(
    id="FC102",
    name="colon-word",
    severity="error",
    stops=False,
    title="a word begins with `:`: sbatch takes that for a separator and stops",
    explain="""\
A word of a directive must not begin with a colon. On sbatch's command line `:` parts the components of a heterogeneous
job; in a script they are parted by a line `#SBATCH hetjob`.

Write `#SBATCH hetjob` between components, or put the word in quotes.""",
    bad=_script("-N1 : -N2"),
    good=_script("-N1", "hetjob", "-N2"),
)

STRAY_WORD = Code(
    id="FC103",
    name="stray-word",
    severity="error",
    stops=False,
    title="`{text}` is no option: sbatch refuses a word that stands alone",
    explain="""\
Every word of a directive belongs to an option. sbatch stops at the first one that does not ("Invalid directive found in
batch script"), and the job is not submitted. Common causes: a comment without `#`, a blank around `=`, a value with
blanks that is not quoted, an optional value that is not attached (`--exclusive user`), a placeholder left in place.

Quote values with blanks, attach optional values with `=`, begin comments with `#`.""",
    bad=_script("--time=1:00:00 one hour"),
    good=_script("--time=1:00:00 # one hour"),
)

UNKNOWN_OPTION = Code(
    id="FC104",
    name="unknown-option",
    severity="error",
    stops=False,
    title="unknown option `{option}`",
    explain="""\
sbatch has no option of this name and refuses the script; it has no tolerant mode. Names may be cut short as long as
they stay unambiguous, but upper case and `_` instead of `-` are not accepted. Options of srun and of a site's plugins
are not sbatch's own.

Correct the name, or take the directive out.""",
    bad=_script("--tmie=1:00:00"),
    good=_script("--time=1:00:00"),
)

AMBIGUOUS_OPTION = Code(
    id="FC105",
    name="ambiguous-option",
    severity="error",
    stops=False,
    title="`{option}` is short for more than one option: {names}",
    explain="""\
A long name may be cut short only as far as it still begins one option alone.

Write the name in full; a short form that works today can become ambiguous with the next release.""",
    bad=_script("--node=2"),
    good=_script("--nodes=2"),
)

MISSING_VALUE = Code(
    id="FC106",
    name="missing-value",
    severity="error",
    stops=False,
    title="`{option}` needs a value and is the last word",
    explain="""\
The option takes a value, and no word follows it in any directive of the script. (An empty pair of quotes ends the line,
so it does not count as a value.)

Give the value: `--name=value`, or `-x value` with one letter.""",
    bad=_script("--job-name"),
    good=_script("--job-name=train"),
)

UNWANTED_VALUE = Code(
    id="FC107",
    name="unwanted-value",
    severity="error",
    stops=False,
    title="`{option}` takes no value",
    explain="""\
The option is a switch: naming it sets it. sbatch refuses any value, `yes` and `no` included.

Write the option alone, or take it out to leave it unset.""",
    bad=_script("--hold=yes"),
    good=_script("--requeue"),
)

BAD_VALUE = Code(
    id="FC108",
    name="bad-value",
    severity="error",
    stops=False,
    title="value of `{option}`: {reason}",
    explain="""\
sbatch judges this value itself and refuses the script for it. The message says where the value stops making sense and
what could stand there.

Correct the value. Placeholders such as `<hours>` must be filled in; nothing in a directive is expanded, neither
variables nor `~`.""",
    bad=_script("--time=1h"),
    good=_script("--time=1:00:00"),
)

CONFLICTING_OPTIONS = Code(
    id="FC109",
    name="conflicting-options",
    severity="error",
    stops=False,
    title="{reason}",
    explain="""\
Each of these options is fine alone, but together they contradict each other, and sbatch refuses the job. It compares
what the script, the environment (SBATCH_…) and the command line ask for.

Keep the one that says what is meant.""",
    bad=_script("--mem=4G --mem-per-cpu=1G"),
    good=_script("--mem=4G"),
)

CONTROLLER_REFUSES = Code(
    id="FC110",
    name="controller-refuses",
    severity="error",
    stops=False,
    title="value of `{option}`: {reason}",
    explain="""\
sbatch passes this value on unread, but Slurm's controller refuses the job for it, so it would never run on any cluster.
The message says where the value stops making sense and what could stand there.

Correct the value.""",
    bad=_script("--array=10-1"),
    good=_script("--time=10 --array=1-10"),
)

HET_ARRAY = Code(
    id="FC111",
    name="het-array",
    severity="error",
    stops=False,
    title="a heterogeneous job cannot be an array",
    explain="""\
The controller refuses a job that has several components (`hetjob`) and `--array`.

Submit the components as jobs of their own, or give up the array.""",
    bad=_script("--array=1-2 -N1", "hetjob", "-N2"),
    good=_script("-N1", "hetjob", "-N2"),
)

PLUGIN_OPTION = Code(
    id="FC114",
    name="plugin-option",
    severity="note",
    title="`{option}` is an option of the {plugin} plugin: a cluster without it refuses the script",
    explain="""\
A site's plugins may add options to sbatch. Those of Pyxis are known here: `--container-image` runs the whole script in
a container of that image, and its brothers say how.

Nothing to do, unless the script must run on clusters without the plugin too.""",
    bad=_script("--gpus=h100:8", "--time=1:00:00", "--container-image=nvcr.io/nvidia/pytorch:24.05-py3"),
    good=_GOOD,
)

NEWER_OPTION = Code(
    id="FC112",
    name="newer-option",
    severity="note",
    title="`{option}` is known to Slurm from {since} on",
    explain="""\
The script is read as Slurm 22.05 would read it, unless `--slurm-version` says otherwise. This option came later; it is
read as the later release does. An older cluster refuses the script.

Nothing to do, unless the script must run on older clusters too.""",
    bad=_script("--gpus=h100:8", "--time=1:00:00", "--ntasks=8", "--tres-per-task=gres/gpu:h100=1"),
    good=_GOOD,
)

FILE_NOT_READ = Code(
    id="FC113",
    name="file-not-read",
    severity="error",
    stops=False,
    title="value of `{option}`: {reason}",
    explain="""\
The option names a file that sbatch would read from the submit directory. A compilation reads the script alone, so that
its result depends on nothing else.

Give the contents in the script: host names with `--nodelist`, variables with `--export=NAME=value`.""",
    bad=_script("--nodefile=hosts.txt"),
    good=_script("--time=10 --nodes=2"),
)

PRINTS_AND_EXITS = Code(
    id="FC115",
    name="prints-and-exits",
    severity="error",
    stops=False,
    title="value of `{option}`: {reason}",
    explain="""\
With this value sbatch prints a help text and ends without submitting a job.

Take it out.""",
    bad=_script("--gres=help"),
    good=_script("--time=10 --gres=gpu:1"),
)

WRAP_WITH_ARGUMENTS = Code(
    id="FC116",
    name="wrap-with-arguments",
    severity="error",
    stops=False,
    title="`--wrap` makes the script itself: a script or arguments beside it are not allowed",
    explain="""\
With `--wrap=COMMAND` sbatch writes a script that runs the command. A script, or arguments for one, cannot be given too.

Leave `--wrap` out, or the script.""",
    bad=("#!/bin/bash\nhostname\n", ("--", "--wrap=hostname")),
    good=("#!/bin/bash\nhostname\n", ("--", "--time=10")),
)

TOO_MANY_WORDS = Code(
    id="FC118",
    name="too-many-words",
    severity="error",
    stops=False,
    title="the directives hold more than {limit} words: reading stops here",
    explain="""\
No batch script needs as many options. The file is hardly a script, or a program wrote it that has gone wrong.

Check how the file was made.""",
    bad=lambda: _script(*["-H"] * 5001),
    good=_GOOD,
)

TOO_MANY_COMPONENTS = Code(
    id="FC119",
    name="too-many-components",
    severity="error",
    stops=False,
    title="the job has more than {limit} components: reading stops here",
    explain="""\
Each line `#SBATCH hetjob` starts another component of a heterogeneous job. Slurm's controller refuses a job with so
many.

Submit several jobs, or an array.""",
    bad=lambda: _script(*["hetjob"] * 128),
    good=_GOOD,
)

OPERAND_AFTER_OPTIONAL = Code(
    id="FC117",
    name="operand-after-optional",
    severity="warning",
    title="`{word}` is taken for an argument of the script, not for the value of `{option}`",
    explain="""\
The value of this option is optional and must be attached (`--exclusive=user`, `-koff`). A word of its own ends the
options; to sbatch it would be the script's name.

Attach the value with `=`, or directly to a letter.""",
    bad=(_script("--gpus=h100:8", "--time=1:00:00"), ("--", "--exclusive", "user")),
    good=(_script("--gpus=h100:8", "--time=1:00:00"), ("--", "--exclusive=user")),
)
