"""FC40x-FC41x: what was named on the command line and cannot be read; flags that a source has no use for."""

from __future__ import annotations

from flowc.diag.code import Code

_JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n"

UNREADABLE_SOURCE = Code(
    id="FC400",
    name="unreadable-source",
    severity="error",
    title="cannot read `{path}`: {reason}",
    explain="""\
The file could not be opened or read, so nothing is known about the job in it. The other files of the same command are
still compiled or checked; the exit status is 4.

Check the path's spelling and permissions. `flowc check` takes folders, `flowc compile` takes files; `-` is standard
input.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("no-such-folder/job.sbatch",)),
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
)

OLD_SPELLING = Code(
    id="FC410",
    name="old-spelling",
    severity="note",
    title="`{old}` is an old spelling of `{new}`",
    explain="""\
Earlier tools had this flag, variable or key of a settings file under another name. It does what it did then, so that
scripts go on working.

Write the new spelling: it is the one that help, completion and `flowc doctor` know.""",
    bad=(_JOB, ("--ssh-keys", "laptop")),
    good=(_JOB, ("--ssh-key", "laptop")),
)

FLAG_WITHOUT_EFFECT = Code(
    id="FC411",
    name="flag-without-effect",
    severity="note",
    title="`{flag}` does nothing here: {why}",
    explain="""\
Earlier tools submitted a job at once and had flags for the conversation about it. `flowc compile` and `check` ask
nothing, wait for nothing and submit nothing; `flowc submit` does what its own flags say.

Leave the flag out.""",
    bad=(_JOB, ("--no-wait",)),
    good=_JOB,
)

FIELD_OF_TASK_YAML = Code(
    id="FC412",
    name="field-of-task-yaml",
    severity="warning",
    title="`{flag}` does nothing here: it sets `{field}` of a task YAML, and this job is written in another format",
    explain="""\
Some flags of earlier tools set fields that only their own YAML files know. The job at hand was written in another
format, and its meaning has no place for the field.

Leave the flag out, or write the job as a task YAML or with `--command`.""",
    bad=(_JOB, ("--upload-strategy", "none")),
    good=_JOB,
)
