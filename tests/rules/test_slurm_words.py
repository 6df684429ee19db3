"""Words of calls that the small Slurm does not take are told before a machine is rented."""

from __future__ import annotations

import pytest

import flowc
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus-per-node=h100:8 --time=10\n"
CODE = "slurm-word-not-taken"


def marked(body: str, code: str = CODE) -> list[tuple[int | None, str, str | None]]:
    """Line, marked text and help of each finding."""
    return [
        (each.span.line, each.span.text, each.help)
        for each in flowc.compile(Source("job.sbatch", HEAD + body), Inputs(flags=Flags(budget="99"))).diagnostics
        if each.code.name == code and each.span is not None
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
        ("scontrol hold job 1\n", "hold", None),
        ("scontrol update jobid=$SLURM_JOB_ID TimeLimit=10\n", "TimeLimit", None),
        ("scontrol update job 1 comment=x Comnent+=y\n", "Comnent", "did you mean `comment`?"),
        ("scontrol -o show partition\n", "partition", None),
        ("scontrol show hostnamse\n", "hostnamse", "did you mean `hostnames`?"),
        ("squeue -h -s $SLURM_JOB_ID.0\n", "-s", None),
        ("scontrol show step $SLURM_JOB_ID.0\n", "step", None),
        ("ibrun --multi-prog a.conf\n", "--multi-prog", None),
        ("ibrun -n 4 --ofset 4 a\n", "--ofset", None),
        ("ibrun -np two a\n", "two", None),
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
        "ibrun -n 4 -o $FIRST --npernode=2 -tpp 8 -v tacc_affinity a --nope\nibrun $OPTIONS --nope\nibrun a -x\n",
        "echo 'srun --nope'; # srun --nope\ncat <<E\nsrun --nope a\nE\n",
        "srun() { echo; }\nsrun --nope a\n",
    ],
)
def test_silent(body: str) -> None:
    assert marked(body) == []


def test_each_word_once_and_few() -> None:
    assert [line for line, *_ in marked("srun --nope a\nsrun --nope b\nsrun -Y a\n")] == [3, 5]
    assert len(marked("".join(f"srun --nope{number} a\n" for number in range(30)))) == 10


LOST = "slurm-word-not-followed"
UNREAD = "slurm-variable-not-read"
UNSET = "slurm-variable-not-set"


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ("srun -n2 --cpu-bind=map_cpu:0,8 a\n", LOST, "--cpu-bind=map_cpu:0,8"),
        ("srun -m block,Pack a\n", LOST, "-m block,Pack"),
        ("srun -n2 --cpu-bind verbose,mask_cpu:0x1 a\n", LOST, "--cpu-bind verbose,mask_cpu:0x1"),
        ("srun -lk a\n", LOST, "-lk"),
        ("srun --resv-ports=2 a\n", LOST, "--resv-ports=2"),
        ("srun --gpus=gpu:1 a\n", LOST, "--gpus=gpu:1"),
        ("srun -G a100:1 a\n", LOST, "-G a100:1"),
        ("srun --gpus-per-node=gpu:1 a\n", LOST, "--gpus-per-node=gpu:1"),
        ("srun --gpus-per-task=gpu:1 a\n", LOST, "--gpus-per-task=gpu:1"),
        ("srun --gpus-per-socket=gpu:1 a\n", LOST, "--gpus-per-socket=gpu:1"),
        ("srun --gres=gpu:a100:1 a\n", LOST, "--gres=gpu:a100:1"),
        ("srun --gres=gpu:1,nosuch:1 a\n", LOST, "--gres=gpu:1,nosuch:1"),
        ("SLURM_GRES=nvme:1 srun a\n", LOST, "SLURM_GRES=nvme:1"),
        ("srun --accel-bind=x a\n", LOST, "--accel-bind=x"),
        ("srun -C haswell a\n", LOST, "-C haswell"),
        ("sacct -j $SLURM_JOB_ID -o JobID,Memory%20\n", LOST, "-o JobID,Memory%20"),
        ("SLURM_CPU_BIND=map_ldom:1 srun a\n", LOST, "SLURM_CPU_BIND=map_ldom:1"),
        ("export SLURM_EXIT_ERROR=9\nsrun a\n", LOST, "SLURM_EXIT_ERROR=9"),
        ("SLURM_CLUSTERS=a squeue --me\n", LOST, "SLURM_CLUSTERS=a"),
        ("export SLURM_TASK_PROLOG=$HOME/a.sh\nsrun a\n", UNREAD, "SLURM_TASK_PROLOG=$HOME/a.sh"),
        ("SCANCEL_USER=me scancel $SLURM_JOB_ID\n", UNREAD, "SCANCEL_USER=me"),
        ("./a --at $SLURM_TOPOLOGY_ADDR\n", UNSET, "SLURM_TOPOLOGY_ADDR"),
        ('[ "${SLURM_JOB_PARTITION}" = gpu ] && ./a\n', UNSET, "SLURM_JOB_PARTITION"),
    ],
)
def test_what_is_lost_is_told_with_its_value(body: str, code: str, word: str) -> None:
    (found,) = marked(body, code)
    assert found[1] == word


@pytest.mark.parametrize(
    "body",
    [
        "srun --cpu-bind=verbose,cores --mem-bind=local --no-kill=off a\n",
        "srun --cpu-bind=$BIND a\n",
        "sacct -o JobID%20,elap,cputimeraw,TresUsageInTot -n\nsacct --format=$FIELDS\nsacct --format='JobID, State'\n",
        "srun --gpus=h100:1 a\nsrun --gres=gpu:h100:1,gpu:h100 a\n",
        "srun --gres=gpu:2 --gpus-per-task=1 --accel-bind=g,v a\n",
        "srun --gres=none a\nsrun --gres=gres:gpu:2 a\nsrun --gres=gpu:$TYPE:2 --gpus=$GPUS --cpus-per-gpu=8 a\n",
        "#SBATCH -C gpu&big\nsrun -C gpu a\n",
        "srun a --cpu-bind=map_cpu:0 -k\n",
        "SLURM_CPU_BIND=$BIND srun a\n",
        "export SLURM_CPU_BIND=none SLURM_TASK_PROLOG= SLURM_HINT=nomultithread\nsrun a\n",
        "# SLURM_TASK_PROLOG=a\necho 'SLURM_TASK_PROLOG=a' \"SLURM_TASK_PROLOG=a\"\nsrun a\n",
        "export SLURM_TASK_PROLOG=a\npython b.py\n",
        'echo "$SLURM_JOB_PARTITION at $SLURM_TOPOLOGY_ADDR"; printf %s $SLURM_JOB_PARTITION\n',
        "./a ${SLURM_JOB_PARTITION:-main} ${SLURM_TOPOLOGY_ADDR-none} '$'SLURM_TOPOLOGY_ADDR\n",
        "SLURM_JOB_PARTITION=x\n./a $SLURM_JOB_PARTITION\n",
    ],
)
def test_what_is_not_lost_is_not_told(body: str) -> None:
    assert [found for code in (LOST, UNREAD, UNSET) for found in marked(body, code)] == []
