"""FC001-FC009: what is wrong with a batch script as a file, before any line of it is understood."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "#!/bin/bash\n#SBATCH --time=1:00:00\nhostname\n"

EMPTY_SCRIPT = Code(
    id="FC001",
    name="empty-script",
    severity="error",
    title="the script is empty: expected `#!` and an interpreter, options and commands",
    explain="""\
The file holds nothing but white space, so there is nothing to run. sbatch refuses it too.

Check the path, and whether the file was saved.""",
    bad="\n  \n",
    good=_GOOD,
)

MISSING_SHEBANG = Code(
    id="FC002",
    name="missing-shebang",
    severity="error",
    title="the script does not begin with `#!`",
    explain="""\
sbatch looks at the first two bytes of a script and refuses it when they are not `#!`. Nothing may stand before them: no
blank line, no space, no byte order mark. The rest of the line names the interpreter.

Begin with `#!/bin/bash`, or with the interpreter that the script is written for.""",
    bad="#SBATCH --time=1:00:00\nhostname\n",
    good=_GOOD,
)

NUL_BYTE = Code(
    id="FC003",
    name="nul-byte",
    severity="error",
    title="the script holds a NUL byte",
    explain="""\
Slurm refuses scripts that hold a NUL byte anywhere. Usually the file is not a script but a program, or it was saved as
UTF-16.

Submit a text file; save it as UTF-8.""",
    bad="#!/bin/bash\necho a\0b\n",
    good=_GOOD,
)

DOS_LINE_ENDS = Code(
    id="FC004",
    name="dos-line-ends",
    severity="error",
    title="lines end with CR LF, as on Windows",
    explain="""\
sbatch refuses a script that holds a CR LF pair anywhere, in its directives or in its body, since a shell would take the
CR for part of the command.

Convert the file: `sed -i 's/\\r$//' job.sbatch`, or let `flowc check --fix` do it.""",
    bad="#!/bin/bash\r\n#SBATCH --time=1:00:00\r\nhostname\r\n",
    good=_GOOD,
)

SCRIPT_TOO_LARGE = Code(
    id="FC005",
    name="script-too-large",
    severity="error",
    title="the script has {bytes} bytes: Slurm takes at most {limit}",
    explain="""\
The controller refuses scripts above 4 MiB (max_script_size). Such a file usually carries data.

Keep the data in a file of its own and read it from the script.""",
    bad=lambda: "#!/bin/bash\n" + "#" * (4 * 1024 * 1024),
    good=_GOOD,
)

PROFILE_UNREADABLE = Code(
    id="FC045",
    name="profile-unreadable",
    severity="error",
    title="cannot read the profile `{path}`: {reason}",
    explain="""\
A profile says once what a cluster had for every job: `.flowc/profile.yaml`, found upwards from the folder where flowc
runs, or the file that `--profile` names. Nothing is compiled without it, since jobs would become others.

See that the file is there, is YAML and one document; `flowc schema profile` prints its form.""",
    bad=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n", ("--profile=no-such-profile.yaml",)),
    good="#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
)

UNUSED_PROFILE_LINE = Code(
    id="FC046",
    name="unused-profile-line",
    severity="warning",
    title="no job of {files} that were checked takes anything of `{line}`",
    explain="""\
The line of a profile is for jobs that name a partition, load a module, use a path or a variable. None here does: the
name is misspelt, another line stands before it, or the jobs that needed it are gone. It is said where a whole folder is
checked that holds the profile, since lines may be for other folders; a file that does not compile counts as one that
takes what its text names.

Mend the name, or take the line away.""",
    bad=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nnvidia-smi\n",
        ("--profile=corpus/slurm/profile-conda/profile.yaml",),
    ),
    good=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\nmodule load anaconda3\nnvidia-smi\n",
        ("--profile=corpus/slurm/profile-conda/profile.yaml",),
    ),
)

OPEN_PLACEHOLDERS = Code(
    id="FC047",
    name="open-placeholders",
    severity="warning",
    title="{count} {stay} open: {names}",
    explain="""\
`--fill NAME=VALUE` and `--fill-from FILE` put values into placeholders: `${NAME}`, `$NAME`, `{{ NAME }}` and `<NAME>`
in the directives of a batch script and in the values of YAML. These got none. In texts for a shell `${NAME}` is a
variable and `<NAME>` may be a redirection: neither is counted there, but a variable of a manifest that a value is made
of gets its value in the commands too, as `envsubst` puts it everywhere.

Give each of them a value.""",
    bad=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<HOURS>:00:00\necho {{ WORDS }}\n",
        ("--fill=HOURS=1",),
    ),
    good=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<HOURS>:00:00\necho {{ WORDS }}\n",
        ("--fill=HOURS=1", "--fill=WORDS=hello"),
    ),
)

FILL_WITHOUT_PLACE = Code(
    id="FC048",
    name="fill-without-place",
    severity="warning",
    title="no placeholder of `{path}` is called `{name}`",
    explain="""\
`--fill NAME=VALUE` puts a value into `${NAME}`, `$NAME`, `{{ NAME }}` and `<NAME>`, and there is none of them: the name
is another one (small and capital letters differ), or what stands there is no placeholder. In the commands of a job
`${NAME}` is a variable of the shell, and `<NAME>` a redirection wherever the shell could read it as one.

Write the name as it stands there; `--env NAME=VALUE` gives a variable its value. The values of `--fill-from` are for
many files, so nothing is said of those.""",
    bad=(
        "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<HOURS>:00:00\nnvidia-smi\n",
        ("--fill=HOURS=1", "--fill=NAME=train"),
    ),
    good=("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<HOURS>:00:00\nnvidia-smi\n", ("--fill=HOURS=1",)),
)
