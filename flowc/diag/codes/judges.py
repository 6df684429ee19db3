"""FC850 to FC855: what other programs say of a job's texts, where `--judge` asks them."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"
_BASH, _SHELLCHECK, _PYTHON = ("--judge=bash",), ("--judge=shellcheck",), ("--judge=python",)

BASH_REFUSES = Code(
    id="FC850",
    name="bash-refuses",
    severity="error",
    title="bash: {message}",
    explain="""\
`bash -n` reads the text and runs nothing. Where it stops the job would stop too, after all that stands before: hours
may be paid until then.

Mend the line, or the one before it where a quote, `done`, `fi` or the end of a here-document is missing. It is given
`extglob` where the text sets it; a text that uses aliases is not judged.""",
    bad=(_HEAD + "if true; then\n  nvidia-smi\n", _BASH),
    good=(_HEAD + "if true; then\n  nvidia-smi\nfi\n", _BASH),
)

BASH_WARNS = Code(
    id="FC851",
    name="bash-warns",
    severity="warning",
    title="bash: {message}",
    explain="""\
`bash -n` reads the text and runs nothing. It takes the text as it is, and says what is odd about it: most often that a
here-document has no end, so that the rest of the text is part of it.

Write the word that ends it on a line of its own, without blanks around it.""",
    bad=(_HEAD + "cat <<END\nnvidia-smi\n", _BASH),
    good=(_HEAD + "cat <<END\nnvidia-smi\nEND\n", _BASH),
)

SHELLCHECK_WARNS = Code(
    id="FC852",
    name="shellcheck-warns",
    severity="warning",
    title="{number}: {message}",
    explain="""\
shellcheck reads shell scripts for mistakes. It is run without settings of its own, so that it says the same everywhere,
and without what needs files that are only on the machine.

Its wiki (https://www.shellcheck.net/wiki/) has a page for each number. `# shellcheck disable=SC2086` above a command
hides it there, `# flowc: ignore[FC852]` works too.""",
    bad=(
        _HEAD + 'cd /tmp || exit\nfor f in $(ls *.txt); do\n  echo "$f" > $f.log\ndone\nread x <<< a; nvidia-smi\n',
        _SHELLCHECK,
    ),
    good=(_HEAD + "nvidia-smi\n", _SHELLCHECK),
)

SHELLCHECK_NOTES = Code(
    id="FC853",
    name="shellcheck-notes",
    severity="note",
    title="{number}: {message}",
    explain="""\
What shellcheck calls an info or a matter of style. It is run without settings of its own, so that it says the same
everywhere.

Its wiki (https://www.shellcheck.net/wiki/) has a page for each number. `--severity warning` shows none of these.""",
    bad=(_HEAD + "files=$1\ncat $files\n", _SHELLCHECK),
    good=(_HEAD + 'files=$1\ncat "$files"\n', _SHELLCHECK),
)

PYTHON_REFUSES = Code(
    id="FC854",
    name="python-refuses",
    severity="error",
    title="not compiled by Python: {message}",
    explain="""\
The text is compiled, and nothing of it is run: a script whose first line names Python, and here-documents that Python
reads. A newer Python may take what this one refuses, and the other way round; its version is shown at the end.

Mend the line. A text for Python 2 does not run on the machine, which has Python 3.""",
    bad=(_HEAD + "python3 - <<'END'\nprint 1\nEND\n", _PYTHON),
    good=(_HEAD + "python3 - <<'END'\nprint(1)\nEND\n", _PYTHON),
)

NOT_JUDGED = Code(
    id="FC855",
    name="not-judged",
    severity="note",
    title="not judged: {what}",
    explain="""\
What no judge was shown, and why: texts into which another shell first puts values, texts for a program that none of
them reads, and files that the job runs, which are not part of it.

Nothing to do. Quote the word of a here-document (`<<'END'`) where nothing is to be put into it.""",
    bad=(_HEAD + "x=1\npython3 - <<END\nprint($x)\nEND\n", _PYTHON),
    good=(_HEAD + "python3 - <<'END'\nprint(1)\nEND\n", _PYTHON),
)
