"""Variables that a batch script reads: those that nothing gives a value, and those of which nothing is said."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


def said(body: str, head: str = HEAD, flags: Flags | None = None) -> list[tuple[str, str]]:
    """Name of the code and the text that is marked."""
    found = flowc.compile(Source("job.sbatch", head + body), Inputs(flags=flags or Flags())).diagnostics
    named = [each for each in found if each.code.name in ("variable-from-elsewhere", "code-not-brought")]
    return [(each.code.name, each.span.text) for each in named if each.span]


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("echo $DATA\n", "$DATA"),
        ('echo "${DATA}/x"\n', "${DATA}"),
        ("cd ${PROJ%/}\n", "${PROJ%/}"),
        ("for i in $LIST; do echo $i; done\n", "$LIST"),
        ("source $TOOLS/activate.sh $TOOLS x\npython $TOOLS/a.py $OTHER\n", "$TOOLS"),
        ("ls $DATA\nmodule load gcc\necho $EBROOTGCC\n", "$DATA"),
    ],
)
def test_a_variable_that_nothing_sets(body: str, marked: str) -> None:
    assert said(body) == [("variable-from-elsewhere", marked)]


@pytest.mark.parametrize(
    "body",
    [
        "DATA=/x\necho $DATA\n",
        "echo ${DATA:-/x} ${A-} ${B:+y}\n",
        'if [ -n "$DATA" ]; then echo $DATA; fi\n',
        "echo '$DATA' \\$DATA # $DATA\n",
        "source /etc/profile\necho $DATA\n",
        "module load gcc\necho $EBROOTGCC\n",
        "run() {\n  ls $DATA\n}\nsource /etc/profile\nrun\n",
        "read -r A B <x\necho $A $B\n",
        "while getopts ab o; do echo $o $OPTARG; done\n",
        "mapfile -t lines <x\necho ${lines[0]} ${#lines[@]}\n",
        "((n = 3)); let m=1; echo $n $m $RANDOM $HOME $SLURM_JOB_ID $HOSTNAME\n",
        "f() { local a=$1; echo $a; }\nf 1\n",
        "cat <<'E'\n$DATA\nE\n",
        "printf -v text %s x\necho $text\n",
        "select a in 1; do echo $a; done\n",
        ': "${DATA:=/x}"\necho $DATA\n',
        "echo ${DATA=/x}\nls $DATA\n",
        ': ${DIR:=${ROOT:-/x}/y}\nls ${DIR} "$DIR/z"\n',
        "echo $LOADEDMODULES $MODULEPATH $LMOD_CMD\n",
    ],
)
def test_variables_that_have_a_value_or_may(body: str) -> None:
    assert said(body) == []


@pytest.mark.parametrize(("name", "flag"), [("DATA", "--env DATA=VALUE"), ("MY_API_KEY", "--secret MY_API_KEY")])
def test_a_key_is_not_to_be_written_down(name: str, flag: str) -> None:
    found = flowc.compile(Source("job.sbatch", f"{HEAD}echo ${name}\n"), Inputs()).diagnostics
    (help,) = [each.help for each in found if each.code.name == "variable-from-elsewhere"]
    assert flag in help
    assert ("--env" in help) is ("--secret" not in help)


def test_a_variable_of_the_command_line_has_a_value() -> None:
    assert said("echo $DATA\n", HEAD.replace("\n#SBATCH", "\n#SBATCH --export=ALL,DATA=/x", 1)) == []
    assert said("echo $DATA\n", flags=Flags(env=(("DATA", "/x"),))) == []
