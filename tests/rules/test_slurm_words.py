"""Words of calls that the small Slurm does not take are told before a machine is rented."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=10\n"
CODE = "slurm-word-not-taken"


def marked(body: str) -> list[tuple[int | None, str, str | None]]:
    """Line, marked text and help of each finding."""
    return [
        (each.span.line, each.span.text, each.help)
        for each in flowc.compile(Source("job.sbatch", HEAD + body), Inputs(flags=Flags(budget="99"))).diagnostics
        if each.code.name == CODE and each.span is not None
    ]


@pytest.mark.parametrize(
    ("body", "word", "help"),
    [
        ("srun --nope a\n", "--nope", None),
        ("srun -n2 \\\n  --ouput x a\n", "--ouput", "did you mean `--output`?"),
        ("srun -lY a\n", "-lY", None),
        ('squeue -o $(printf %s "$(a $(b))") --bogus\n', "--bogus", None),
        ("squeue -n \"a $(f ')')\" --bogus\n", "--bogus", None),
        ("x=$(srun --bcast=/tmp/a a)\n", "--bcast", None),
        ("squeue --bogus\n", "--bogus", None),
        ("squeue -h --state PD --start\n", "--start", None),
        ("sacct -Z\n", "-Z", None),
        ("sinfo -h --sumarize -n n1 \n", "--sumarize", "did you mean `--summarize`?"),
        ("scancel 1 -u me\n", "-u", None),
        ("scontrol update job 1\n", "update", None),
        ("scontrol -o show partition\n", "partition", None),
        ("scontrol show hostnamse\n", "hostnamse", "did you mean `hostnames`?"),
    ],
)
def test_told(body: str, word: str, help: str | None) -> None:
    (found,) = marked(body)
    assert found[1:] == (word, help)


@pytest.mark.parametrize(
    "body",
    [
        "srun -n2 -N 1 --ntasks-per-node=1 --label python --nope\n",
        "srun $OPTIONS --nope a\n",
        'srun "${ARGS[@]}" --nope a\n',
        "srun --$NAME a\n",
        "srun -$FLAG a\n",
        "srun -n $N -c $C --output=$LOG a\n",
        "srun -o %j-%t.out -lN1 -n4 a -Z\n",
        "srun --container-image=x --cpu-bind=cores --mpi=pmix_v3 --gpus-per-task 1 -K -u a\n",
        "squeue -h -j $SLURM_JOB_ID -o '%.18i %L' -t R,PD --me\n",
        "squeue --me # --everything of mine\n",
        "squeue --me \\\n  # --everything of mine\n  -h\n",
        'squeue -o $(printf %s "$(cat a) b" --that) --me\n',
        'scancel -s USR1 $(f "$(g --old)" --all)\n',
        "squeue --sort=-i --name=a --user $USER --format '%i'\n",
        "sacct -j $SLURM_JOB_ID --format=JobID,State%20 -P -n -X --noheader --parsable2 -S now-1day\n",
        "sinfo -N -h -o %N -p gpu\n",
        "scancel --signal=USR1 --batch $SLURM_JOB_ID; scancel -s TERM $SLURM_JOB_ID.0\n",
        "scontrol show hostnames $SLURM_JOB_NODELIST; scontrol -o show job $SLURM_JOB_ID; scontrol show nodes\n",
        "scontrol requeue $SLURM_JOB_ID; scontrol show hostlistsorted a,b; scontrol $WHAT; scontrol show $WHAT\n",
        "echo 'srun --nope'; # srun --nope\ncat <<E\nsrun --nope a\nE\n",
        "srun() { echo; }\nsrun --nope a\n",
    ],
)
def test_silent(body: str) -> None:
    assert marked(body) == []


def test_each_word_once_and_few() -> None:
    assert [line for line, *_ in marked("srun --nope a\nsrun --nope b\nsrun -Y a\n")] == [3, 5]
    assert len(marked("".join(f"srun --nope{number} a\n" for number in range(30)))) == 10
