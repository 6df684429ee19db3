"""What is warned of, and above all what is not: a script that is fine stays silent."""

from __future__ import annotations

import pytest

from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends.slurm.read import read
from flowc.inputs import Inputs
from flowc.source import Source


def warnings(text: str) -> list[Diagnostic]:
    sink = Sink()
    read(Source("job.sh", text), Inputs(), sink)
    return sink.diagnostics


def codes(text: str) -> list[str]:
    return [each.code.id for each in warnings(text)]


def script(*lines: str, body: str = "hostname\n", head: str = "#!/bin/bash\n") -> str:
    return head + "".join(f"#SBATCH {line}\n" for line in lines) + body


SILENT = [
    script("--time=1:00:00  # one hour", "--job-name=a-b_c.1", "--mail-type=END,FAIL", "-p short,long"),
    script("--array=[1-3]%2", "--constraint=[a|b]", "-w n[1-4]", "--exclude=n[2]"),
    script("--output=/data/x/%j.out", "--error=x-%j.err"),
    script("--mem=0"),
    script("--mem=4000", "--time=90", "--gres=gpu:2"),
    script("--ntasks=4", body="srun -n $SLURM_NTASKS ./a\n"),
    script("-N2", body='n=${SLURM_NTASKS:-1}\necho "${SLURM_NTASKS}"\n'),
    script("-N2", body='if [ -n "$SLURM_NTASKS" ]; then echo $SLURM_NTASKS; fi\n'),
    script("-N2", body="export SLURM_NTASKS=4\necho $SLURM_NTASKS\n"),
    script("-N2", body="# uses $SLURM_NTASKS\ntrue\n"),
    script("-N2", body="import os\nos.environ['SLURM_NTASKS']\n'$SLURM_NTASKS'\n", head="#!/usr/bin/env python3\n"),
    script("-J gen", body="cat > job.sh <<EOF\n#!/bin/bash\n#SBATCH --nodes=32\nsrun x\nEOF\nsbatch job.sh\n"),
    script("-J gen", body="sbatch <<'E O'\n#!/bin/bash\n#SBATCH -N2\nE O\n"),
    script("-J gen", body="cat <<-X\n\t#SBATCH\n#SBATCH -N2\n\tX\necho $SLURM_JOB_ID\n"),
    "#!/bin/bash\n##SBATCH --mem=4G\n## SBATCH is not used\n# SBATCH options follow\n#SBATCH -N2\ntrue\n",
    script("--signal=B:USR1@60", "--signal=R:USR1@60", "--mail-type=END", "--mail-type=FAIL"),
    script("-t 10", "-t 10", "--job-name=x", "--job-name=x"),
    script("--job-name=x#  a comment", "--time=10#now"),
    script("--job-name=XXL", "--account=your", "--comment=a@b.c", "--mail-user=x@EXAMPLE.org"),
    script("-J a", "--wckey=x"),
    script("--nodes=2 --ntasks=4"),
    script("--exclusive", "-O", "--requeue"),
    script("--nice=-5", "--priority=5"),
    script("-N2", body="module load cuda && ./a\n"),
    script("-N2", body="export X=$(./a)\n"),
    script("-N2", body="X=1 ./a\n"),
    script("-N2", body="export X=1; ./a\n"),
    script("-N2", body="source run.sh\n"),
    script("-N2", body="import os\n", head="#!/usr/bin/env python3\n"),
    script("-N2", body="./a &\n./b &\nwait\n"),
    script("-N2", body="run() { ./a & wait $!; }\nrun &\n"),
    script("-N2", body="trap wait_for_all EXIT\n./a &\n"),
    script("-N2", body="nvidia-smi -l 5 > gpu.log &\npython train.py\n"),
    script("-N2", body='echo "tasks: $SLURM_NTASKS"\n./a\n'),
    script("-N2", body="printf '%s' $SLURM_MEM_PER_CPU\n./a\n"),
    script("-N2", body="echo $SCRATCH\n./a\n"),
    script("-N2", body="export A=1 SLURM_NTASKS=4\necho $SLURM_NTASKS\n"),
    script("-N2", body="if a; then SLURM_NTASKS=4; fi\necho $SLURM_NTASKS\n"),
    script("-N2", body="((SLURM_NTASKS=4))\necho $SLURM_NTASKS\n"),
    script("-N2", body='eval "SLURM_NTASKS=4"\necho $SLURM_NTASKS\n'),
    script("-N2", body="let SLURM_NTASKS=4\necho $SLURM_NTASKS\n"),
    script("-N2", body="for SLURM_NTASKS in 1 2; do echo $SLURM_NTASKS; done\n"),
    script("-N2", body="a | while read SLURM_NTASKS; do echo $SLURM_NTASKS; done\n"),
    script("-N2", body="export A=$(./run)\n"),
    script("-N2", body='if a ||\n  [ "$(b $SLURM_NTASKS)" ]; then echo $SLURM_NTASKS; fi\n'),
    script("-N2", body="[[ a &&\n $SLURM_NTASKS -gt 1 ]] && echo $SLURM_NTASKS\n"),
    script("-N2", body="case a$SLURM_NTASKS in a) ;; *) echo $SLURM_NTASKS ;; esac\n"),
    script("-N2", body="A='b c'; \\\n./run\n"),
    script("-N2", body="tail -f x.log &\npython train.py 2>&1\necho done\n"),
    script("-N2", body="./a && ./b\n./c &> log\n./d >& log\necho a\\&\n"),
    script("-N2", body="cat <<EOF\n./a &\nEOF\n"),
    script("-N2", body="./a 'b &'\n"),
    script("-N2", body='bash -c "./a &\n./b"\n'),
    script("-N2", body='./a "x & # y"\n'),
    script("-N2", body="./a &\nsleep 3600\n"),
    script("-N2", body="./a &\nwhile kill -0 $!; do\n  sleep 1\ndone\n"),
    script("-N2", body="def f(): pass\nx = 1 &\n", head="#!/usr/bin/env python3\n"),
]


@pytest.mark.parametrize("text", SILENT)
def test_fine_scripts_are_silent(text: str) -> None:
    assert codes(text) == []


WARNED = [
    (script(body="set -e\n#SBATCH -N2\ntrue\n"), "FC130", "#SBATCH -N2"),
    (script(body=": <<X\n#SBATCH -N2\nX\n"), "FC130", "#SBATCH -N2"),
    ('#!/usr/bin/python\n"""\n#SBATCH -N2\n"""\n', "FC130", "#SBATCH -N2"),
    ("#!/bin/bash\n #SBATCH -N2\nx\n", "FC131", " #SBATCH -N2"),
    ("#!/bin/bash\n# SBATCH -N2\nx\n", "FC131", "# SBATCH -N2"),
    ("#!/bin/bash\n#sbatch -N2\nx\n", "FC131", "#sbatch -N2"),
    (script("-p=gpu"), "FC132", "=gpu"),
    (script("--time=8:00"), "FC133", "8:00"),
    (script("--tasks=4"), "FC134", "--tasks=4"),
    (script("-output=x"), "FC135", "-output=x"),
    (script("--account=<project>"), "FC136", "<project>"),
    (script("--account={{ account }}".replace(" ", "")), "FC136", "{{account}}"),
    (script("-A [project]"), "FC136", "[project]"),
    (script("-A XXX"), "FC136", "XXX"),
    (script("-A YOUR_ACCOUNT"), "FC136", "YOUR_ACCOUNT"),
    (script("-A @ACCOUNT@"), "FC136", "@ACCOUNT@"),
    (script("-A !PROJECT"), "FC136", "!PROJECT"),
    (script("-t 10", "-t 20"), "FC137", "-t 10"),
    (script('-N2 "" -t 5'), "FC138", "-t 5"),
    (script("-N2", "hetjob -N3"), "FC138", "-N3"),
    (script("--job-name=foo#bar"), "FC139", "#bar"),
    (script("--output=logs/%j.out"), "FC140", "logs/%j.out"),
    (script("-N2", body="./a $SLURM_NTASKS\n"), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="echo $SLURM_NTASKS > tasks\n./a\n"), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="n=$(echo $SLURM_NTASKS)\n./a $n\n"), "FC141", "$SLURM_NTASKS"),
    (script("-n2", body="export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK\n./a\n"), "FC141", "$SLURM_CPUS_PER_TASK"),
    (script(body="echo $SLURM_ARRAY_TASK_ID\n"), "FC141", "$SLURM_ARRAY_TASK_ID"),
    (script("--gpus=gpu:4"), "FC142", "gpu:4"),
    (script("-N2\r"), "FC004", "\r"),
    (script("-N2\r -t5"), "FC143", "\r"),
    (script("--mem-per-cpu=4"), "FC144", "4"),
    (script("--time=48"), "FC145", "48"),
    (script("-J a", body="#PBS -N b\ntrue\n"), "FC146", "-N b"),
    ("#!/bin/bash\n#PBS -N b\ntrue\n", "FC155", "#PBS"),
    ("#!/bin/bash\n\n#BSUB -J b\ntrue\n", "FC155", "#BSUB"),
    ("#!/bin/sh\n# a comment\n#$ -cwd\ntrue\n", "FC155", "#$"),
    (script("-J", "-N"), "FC147", "-J\n#SBATCH -N"),
    ("#!/bin/sh\n#SLURM -N2\nhostname\n", "FC148", "#SLURM"),
    (script("--time=-5"), "FC149", "-5"),
    (script("--chdir=$HOME/x"), "FC150", "$HOME/x"),
    (script("-D ~/x"), "FC150", "~/x"),
    (script("--mail-type=END,FAILED"), "FC151", "FAILED"),
    (script("-N4 -n2"), "FC152", "-N4"),
    (script("-N2", body=""), "FC160", "#SBATCH -N2"),
    (script("-N2", body="# hostname\n\n"), "FC160", "# hostname"),
    (script("-N2", body="", head="#!/usr/bin/env python3\n"), "FC160", "-N2"),
    (script("-N2", body="module load cuda\nX=1\nexport Y='a b'\nset -e\n"), "FC160", "set -e"),
    (script("-N2", body="./a\npython train.py &\n"), "FC161", "python train.py &"),
    (script("-N2", body="./a\nsrun x > x.log 2>&1 &  # the main one"), "FC161", "srun x > x.log 2>&1 &"),
    (script("-N2", body="./a & # all\n# wait\n\necho started\nexit 0\n"), "FC161", "./a &"),
    (script("-N2", body="./a & # nobody waits\n"), "FC161", "./a & # nobody waits"),
    (script("-N2", body="./a & # it's the last\n"), "FC161", "./a & # it's the last"),
    (script("-N2", body='./a "b # c" &\n'), "FC161", './a "b # c" &'),
    (script("-N2", body='export A="x\npython train.py"\nB="c d"\n'), "FC160", "python train.py"),
    (script("-N2", body="export X=1 \\\n  Y=2\n"), "FC160", "Y=2"),
    (script("-N2", body="cd x # (there)\nmodule load a && module load b; set -e\n"), "FC160", "module load"),
    (script("-N2", body='echo "SLURM_NTASKS=$SLURM_NTASKS"\nmpirun -n $SLURM_NTASKS a\n'), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="true\n# ${SLURM_NTASKS:-4}\nmpirun -n $SLURM_NTASKS a\n"), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="true\n# test $SLURM_NTASKS\nmpirun -n $SLURM_NTASKS a\n"), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body='echo "if so, $SLURM_NTASKS"\n./a $SLURM_NTASKS\n'), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="# for SLURM_NTASKS=4, read SLURM_NTASKS\n./a $SLURM_NTASKS\n"), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="cat <<'E' >a\nSLURM_NTASKS=4\nE\n./a $SLURM_NTASKS\n"), "FC141", "$SLURM_NTASKS"),
    (script("-N2", body="for i in 1 2; do\n  ./a $i &\ndone\necho started\n"), "FC161", "./a $i &"),
    (script("-N2", body="for i in 1 2; do\n  ./a $i\ndone &\n"), "FC161", "done &"),
    (script("-N2", "--wait-all-nodes=1", body="(\ncd x\n./a\n) &\n"), "FC161", ") &"),
]


@pytest.mark.parametrize(("text", "code", "place"), WARNED)
def test_warned(text: str, code: str, place: str) -> None:
    (found,) = warnings(text)
    assert found.code.id == code
    assert found.span is not None
    assert place in found.span.text


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("./a &\n", "./a &\nwait\n"),
        ("./a &  # x", "./a &  # x\nwait"),
        ("./a &\necho started\n", "./a &\nwait\necho started\n"),
        ("while read x; do\n  ./a $x &\n  done\necho y\n", "while read x; do\n  ./a $x &\n  done\nwait\necho y\n"),
    ],
)
def test_wait_is_written_behind_the_last_command(body: str, mended: str) -> None:
    (found,) = warnings(script("-N2", body=body))
    assert found.fix is not None
    assert not found.fix.certain
    (edit,) = found.fix.edits
    text = edit.span.source.text
    assert text[: edit.span.start] + edit.text + text[edit.span.end :] == script("-N2", body=mended)
    assert codes(script("-N2", body=mended)) == []


@pytest.mark.parametrize("line", ["--output={logs_dir}/%x/%j.out", "-o <folder>/%j.out", "-e your_logs/%j.err"])
def test_no_folder_is_made_of_a_placeholder(line: str) -> None:
    assert codes(script(line)) == ["FC136"]


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("-o /scratch/$USER/%j.out", "`%u` in a file name is the user's name"),
        ("--error=log-$SLURM_JOB_ID.err", "`%j` in a file name is the job's number"),
        ("--output=${SLURM_ARRAY_JOB_ID}.out", "`%A` in a file name is the array's number"),
        ("--output=~/x.log", None),
        ("--job-name=run-${RUN}", "`--fill RUN=VALUE` puts a value there"),
        ("-J $RUN", "`--fill RUN=VALUE` puts a value there"),
        ("-J $HOSTNAME", None),
        ("--mail-user=$USER@example.org", None),
    ],
)
def test_what_stands_for_a_variable_that_is_not_expanded(line: str, help: str | None) -> None:
    (found,) = warnings(script(line))
    assert (found.code.id, found.help) == ("FC150", help)


@pytest.mark.parametrize(
    ("body", "marked", "mended"),
    [
        ("./a > net$SLURM_ARRAY_TASK_ID_30runs.log\n", "$SLURM_ARRAY_TASK_ID_30runs", "${SLURM_ARRAY_TASK_ID}_30runs"),
        ('./a -o "x_$SLURM_JOB_ID_"\n', "$SLURM_JOB_ID_", "${SLURM_JOB_ID}_"),
        ("./a $SLURM_ARRAY_JOB_ID_$SLURM_ARRAY_TASK_ID\n", "$SLURM_ARRAY_JOB_ID_", "${SLURM_ARRAY_JOB_ID}_"),
        ("./a $SLURM_JOBID387\n", "$SLURM_JOBID387", "${SLURM_JOBID}387"),
    ],
)
def test_a_variable_that_the_text_behind_it_makes_another(body: str, marked: str, mended: str) -> None:
    (found,) = [each for each in warnings(script("--array=1-4", body=body)) if each.code.id == "FC163"]
    assert (found.span and found.span.text, found.fix and found.fix.edits[0].text) == (marked, mended)


@pytest.mark.parametrize(
    "body",
    [
        "./a ${SLURM_ARRAY_TASK_ID}_30 $SLURM_ARRAY_TASK_ID.x $SLURM_JOB_ID-1 $SLURM_JOB_NAME/x\n",
        "SLURM_JOB_ID_0=3\n./a $SLURM_JOB_ID_0\n",
        "./a '$SLURM_JOB_ID_0' \\$SLURM_JOB_ID_0 # $SLURM_JOB_ID_0\n",
        "./a $SLURM_JOB_ID $SLURM_JOB_NUM_NODES $SLURM_NTASKS_PER_NODE $SLURM_JOBID $SLURM_JOB_IDLE\n",
        "cat <<'E' >x\n$SLURM_JOB_ID_0\nE\nbash x\n",
    ],
)
def test_variables_that_are_what_they_seem(body: str) -> None:
    assert "FC163" not in codes(script("--array=1-4", "--ntasks-per-node=2", body=body))
