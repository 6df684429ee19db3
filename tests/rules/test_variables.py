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
        ("ls $DATA\n", "$DATA"),
        ('ls "${DATA}/x"\n', "${DATA}"),
        ("echo $DATA >list\n", "$DATA"),
        ("echo $DATA | tee list\n", "$DATA"),
        ("X=$(echo $DATA)\nls $X\n", "$DATA"),
        ('echo "in $DATA"\nls $DATA/x\n', "$DATA"),
        ("cd ${PROJ%/}\n", "${PROJ%/}"),
        ("for i in $LIST; do ls $i; done\n", "$LIST"),
        ("source $TOOLS/activate.sh $TOOLS x\npython $TOOLS/a.py $OTHER\n", "$TOOLS"),
        ("ls $DATA\nmodule load gcc\nls $EBROOTGCC\n", "$DATA"),
        ("module purge\nmodule load cuda/11.8 python/3.10\nls $CUDA_HOME/x $EBROOTCUDA/y\n", "$EBROOTCUDA"),
    ],
)
def test_a_variable_that_nothing_sets(body: str, marked: str) -> None:
    assert said(body) == [("variable-from-elsewhere", marked)]


@pytest.mark.parametrize(
    "body",
    [
        "DATA=/x\nls $DATA\n",
        'echo "DATA: $DATA"\nprintf "%s\\n" $DATA\n',
        "ls ${DATA:-/x} ${A-} ${B:+y}\n",
        'if [ -n "$DATA" ]; then ls $DATA; fi\n',
        "echo '$DATA' \\$DATA # $DATA\n",
        "source /etc/profile\nls $DATA\n",
        "module load gcc\nls $EBROOTGCC\n",
        "module load cuda\nmodule load gcc\nls $EBROOTGCC\n",
        "module load g{,nu}cc\nls $EBROOTGCC\n",
        "module restore mine\nls $EBROOTGCC\n",
        "module load cuda\nls $CUDA_HOME\n",
        "run() {\n  ls $DATA\n}\nsource /etc/profile\nrun\n",
        "read -r A B <x\nls $A $B\n",
        "while getopts ab o; do ls $o $OPTARG; done\n",
        "mapfile -t lines <x\nls ${lines[0]} ${#lines[@]}\n",
        "((n = 3)); let m=1; ls $n $m $RANDOM $HOME $SLURM_JOB_ID $HOSTNAME\n",
        "f() { local a=$1; ls $a; }\nf 1\n",
        "cat <<'E'\n$DATA\nE\n",
        "printf -v text %s x\nls $text\n",
        "select a in 1; do ls $a; done\n",
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
    found = flowc.compile(Source("job.sbatch", f"{HEAD}run ${name}\n"), Inputs()).diagnostics
    (help,) = [each.help for each in found if each.code.name == "variable-from-elsewhere"]
    assert flag in help
    assert ("--env" in help) is ("--secret" not in help)


def test_a_variable_of_the_command_line_has_a_value() -> None:
    assert said("ls $DATA\n", HEAD.replace("\n#SBATCH", "\n#SBATCH --export=ALL,DATA=/x", 1)) == []
    assert said("ls $DATA\n", flags=Flags(env=(("DATA", "/x"),))) == []


def test_what_nothing_sets_is_lacking_but_keys() -> None:
    body = "ls $DATA\ncurl -H $HF_TOKEN https://x.org\n"
    found = flowc.compile(Source("job.sbatch", HEAD + body), Inputs()).diagnostics
    named = [each for each in found if each.code.name == "variable-from-elsewhere"]
    assert [(each.span and each.span.text, each.lacks) for each in named] == [
        ("$DATA", (("variable", "DATA"),)),
        ("$HF_TOKEN", ()),
    ]
