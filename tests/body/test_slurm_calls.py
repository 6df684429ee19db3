"""How scripts call the programs of Slurm: by names, variables, arrays, functions, in other languages. What a call is
not seen to need is missing on the machine, and the job dies of it."""

from __future__ import annotations

import pytest

from flowc.body.commands import provided
from flowc.body.slurm_calls import calls
from flowc.body.slurm_features import features
from flowc.ir.job import Job
from tests.scripts.jobs import unit


def job(text: str) -> Job:
    return unit(text).job


SHELL = [
    ("SRUN=srun\n$SRUN -n 2 -l hostname", "srun opt:ntasks opt:label"),
    ("SRUN='srun'\n${SRUN} --ntasks=2 hostname", "srun opt:ntasks"),
    ("$(which srun) -n 2 hostname", "srun opt:ntasks"),
    ('CMD="$(which srun) -n2 hostname"\n$CMD', "srun opt:ntasks"),
    ("export MPIEXEC=$(which srun)\n$MPIEXEC -n 4 ./a", "srun opt:ntasks"),
    ("export MPIEXEC=`which srun`\n$MPIEXEC -n 4 ./a", "srun opt:ntasks"),
    ('MPI_LAUNCHER="srun --mpi=pmix -n"\n$MPI_LAUNCHER 4 ./a', "srun opt:mpi opt:ntasks"),
    ("${SRUN:-srun} -n 2 hostname", "srun opt:ntasks"),
    ("${SRUN:=srun -l} hostname", "srun opt:label"),
    ('L=(srun --ntasks=1)\n"${L[@]}" hostname', "srun opt:ntasks"),
    ('L=(srun)\nL+=(--ntasks=1)\n"${L[@]}" hostname', "srun opt:ntasks"),
    ('L=(\n  srun\n  --ntasks=1\n)\n"${L[@]}" hostname', "srun opt:ntasks"),
    ("seq 4 | xargs -P4 -I{} srun -n1 --exclusive echo {}", "srun opt:ntasks opt:exclusive"),
    ('parallel "srun -n1 --exact echo {}" ::: 1 2', "srun opt:ntasks opt:exact"),
    ("timeout 60 srun -l hostname", "srun opt:label"),
    ("nohup srun -l hostname &", "srun opt:label"),
    ("exec srun -l hostname", "srun opt:label"),
    ("time srun -l hostname", "srun opt:label"),
    ("/usr/bin/time -v srun -l hostname", "srun opt:label"),
    ("env A=1 srun -l hostname", "srun opt:label"),
    ("/usr/bin/srun -l hostname", "srun opt:label"),
    ("/opt/slurm/bin/srun -l hostname", "srun opt:label"),
    ("bash -c 'srun -l hostname'", "srun opt:label"),
    ('bash -c "srun -l hostname"', "srun opt:label"),
    ('system2("srun", c("-n", "4", "hostname"))', "srun opt:ntasks"),
    ('system2("srun", "-n 4 hostname")', "srun opt:ntasks"),
    ('system("srun -n 4 hostname")', "srun opt:ntasks"),
    ("run(`srun -n 4 hostname`)", "srun opt:ntasks"),
    ("C=scontrol\n$C show job 1", "scontrol scontrol_job"),
    ("SC=$(which scontrol)\n$SC requeue 1", "scontrol requeue"),
    ("scontrol --oneliner show job=$SLURM_JOB_ID", "scontrol scontrol_job"),
    ("scontrol -d show jobid -dd $SLURM_JOB_ID", "scontrol scontrol_job"),
    ("scontrol show jobid -dd $SLURM_JOB_ID", "scontrol scontrol_job"),
    ("scontrol show -o job $SLURM_JOB_ID", "scontrol scontrol_job"),
    ("scontrol show $W", "scontrol scontrol_job"),
    ("scontrol $W $SLURM_JOB_ID", "scontrol scontrol_job requeue"),
    ('scontrol "$W" $SLURM_JOB_ID', "scontrol scontrol_job requeue"),
    ("for a in show; do scontrol \\\n show \\\n job 1; done", "scontrol_job"),
    ("SQ=squeue; $SQ --me", "squeue"),
    ("srun -n 2 bash -c 'scontrol show hostnames | head -1'", "scontrol srun"),
    (
        "srun -N 1 -n 1 -c $C --export=ALL,A=$A -o out.%t hostname",
        "opt:ntasks opt:nodes opt:cpus-per-task opt:export opt:output",
    ),
    ("srun $(echo -n 2) hostname", "srun opt:ntasks"),
    ('srun ${OPTS:-"-n 2"} hostname', "srun opt:ntasks"),
    ('srun "${OPTS[@]}" hostname', "srun opt:ntasks"),
    ("srun --ntasks=$(( A * 2 )) --label hostname", "opt:ntasks opt:label"),
    ("srun --ntasks=$((A*B)) --label hostname", "opt:ntasks opt:label"),
    ("srun --ntasks $(wc -l < f) --label hostname", "opt:ntasks opt:label"),
    ("srun --ntasks=$(cat f | wc -l) --label hostname", "opt:ntasks opt:label"),
    ("srun -n $((SLURM_NNODES * 4)) --label hostname", "opt:ntasks opt:label"),
    ("srun -n$((SLURM_NNODES - 1)) -r 1 --label hostname", "opt:ntasks opt:label opt:relative"),
    ("srun -w `hostname` --label hostname", "opt:nodelist opt:label"),
    ("srun -w $(hostname -s) --label hostname", "opt:nodelist opt:label"),
    ("srun --nodelist=${nodes[0]} --label hostname", "opt:nodelist opt:label"),
    ("srun --export='ALL,A=b c' --label hostname", "opt:export opt:label"),
    ("srun --export ALL,A='b c' --label hostname", "opt:export opt:label"),
    ('srun -J "my job" -n2 hostname', "opt:job-name opt:ntasks"),
    ("srun --comment 'a b c' -n2 hostname", "opt:ntasks"),
    ('srun --output="$D/a b.log" -n2 hostname', "opt:output opt:ntasks"),
    ("srun 2>err.log -n2 hostname", "opt:ntasks"),
    ("srun >out -n2 hostname", "opt:ntasks"),
    ("srun -n2 \\\n  # comment\n  hostname", "opt:ntasks"),
    ("srun \\\n -N 2 \\\n -n 2 \\\n hostname", "opt:ntasks opt:nodes"),
    ("srun -lN2 -n2 hostname", "opt:label opt:nodes opt:ntasks"),
    ("srun -ul hostname", "opt:label opt:unbuffered"),
    ("srun --ntasks-per-nod=2 hostname", "opt:ntasks-per-node"),
    ("srun --tasks-per-node=2 hostname", "opt:tasks-per-node"),
    ("srun --unbuff hostname", "opt:unbuffered"),
    ("srun --cpu_bind=cores hostname", "opt:cpu_bind"),
    ("srun --het-group=0 -n1 hostname : --het-group=1 -n2 hostname", "opt:het-group opt:ntasks"),
    ("if srun -n2 true; then :; fi", "opt:ntasks"),
    ("! srun -n2 true", "opt:ntasks"),
    ("x=$(srun -n2 hostname|sort)", "opt:ntasks"),
    ("{ srun -n2 hostname; }", "opt:ntasks"),
    ("(srun -n2 hostname)&", "opt:ntasks"),
    ('f(){ srun -n2 "$@"; }\nf -l hostname', "opt:ntasks"),
    ('run() { srun "$@"; }\nrun -n 2 -l hostname', "opt:ntasks opt:label"),
    ("run() { srun $*; }\nrun -n 2 -l hostname", "opt:ntasks opt:label"),
    ("alias s='srun -l'\ns hostname", "opt:label"),
    ("set srun = 'srun -l'\n$srun hostname", "opt:label"),
    ("echo 'srun -n2 -l hostname' > cmds; bash cmds", "opt:ntasks opt:label"),
    ("cat > run.sh <<'EOF'\nsrun -n2 -l hostname\nEOF\nbash run.sh", "opt:ntasks opt:label"),
    ("printf '%s\\n' a b | srun -n2 cat", "stdin"),
    ("printf 'a' |\n srun -n2 cat", "stdin"),
    ("srun -n1 cat <<EOF\nhi\nEOF", "stdin"),
    ("srun -n1 cat <<< hi", "stdin"),
    ("srun -n1 \\\n cat \\\n < file", "stdin"),
    ("srun -n1 --pty bash", "opt:pty"),
    ("cat f | while read x; do srun -n1 echo $x; done", "stdin"),
    ("while read x\ndo srun -n1 echo $x\ndone\\\n<f", "stdin"),
    ("exec < f\nsrun -n1 cat", "stdin"),
    ("{ srun -n1 cat; } < f", "stdin"),
    ("f() { srun cat; }\necho a | f", "stdin"),
    ("(\nsrun cat\n) <f", "stdin"),
    ("f() {\nsrun cat\n}\nf < x", "stdin"),
    ("echo a | bash -c 'srun cat'", "stdin"),
    ("echo a | (srun cat)", "stdin"),
    ("echo a | timeout 5 srun cat", "stdin"),
    ("echo a | tee b | time srun cat", "stdin"),
    ("yes | $SRUN cat\nSRUN=srun", "stdin"),
    ("SRUN='srun -n1'\necho hi | $SRUN cat", "stdin"),
    ("SRUN='srun -n1'\n$SRUN cat < f", "stdin"),
    ("squeue -j $SLURM_JOB_ID -h -o %L", "squeue"),
    (f"srun --export=ALL,{'A=b,' * 300}C=d --label hostname", "opt:export opt:label"),
    (f"srun {'-J a ' * 70}--label hostname", "opt:job-name opt:label"),
    (f"srun {'-J a ' * 300}--label hostname", "opt:job-name opt:label"),
    ('srun --output="$(dirname "a b")/x" --label hostname', "opt:output opt:label"),
    ('srun -w "$(scontrol show hostnames "$A" | sed -n "1 p")" --label hostname', "opt:nodelist opt:label"),
    ('srun -n$(f "$(g "a b" | h)") --label hostname', "opt:ntasks opt:label"),
    ("printf a | # said\n  srun cat", "stdin"),
    ("printf a |& srun cat", "stdin"),
    ("<f srun cat", "stdin"),
    ("srun cat 0<f", "stdin"),
    ("srun cat < <(f)", "stdin"),
    ("mpirun -np 4 ./a", "@srun @rsh"),
    ("MPIRUN=$(which mpirun)\n$MPIRUN -n 4 ./a", "@srun @rsh"),
    ("/opt/openmpi/bin/mpirun -n 4 ./a", "@srun @rsh"),
    ("mpiexec.hydra -n 4 ./a", "@srun @rsh"),
]
OTHERS = [
    ('subprocess.run(["srun", "-n", "2", "--label", "hostname"])', "srun opt:ntasks opt:label"),
    ("subprocess.run(['srun', '-n', str(n), '--label', 'hostname'])", "srun opt:ntasks opt:label"),
    ("cmd = ['srun',\n '--ntasks', '2',\n '--label', 'hostname']", "srun opt:ntasks opt:label"),
    ('cmd = [\n "srun",\n "--ntasks", "2",\n "--label", "hostname"]', "srun opt:ntasks opt:label"),
    ('os.system(f"srun -n {n} --label hostname")', "srun opt:ntasks opt:label"),
    ('os.system("srun " + opts + " --label hostname")', "srun opt:label"),
    ("subprocess.check_output(['scontrol', 'show', 'hostnames', x])", "scontrol"),
    ("subprocess.check_output(['scontrol', 'show', 'job', x])", "scontrol scontrol_job"),
    ("subprocess.check_output(['scontrol', '-o', 'show', 'job', x])", "scontrol scontrol_job"),
    ("subprocess.check_output(['scontrol', 'requeue', x])", "scontrol requeue"),
    ("subprocess.check_output(['scontrol',\n 'show',\n 'job', x])", "scontrol scontrol_job"),
    ("Popen(['srun','cat'], stdin=PIPE)", "stdin"),
    ("subprocess.run('srun cat', input=b'hi', shell=True)", "stdin"),
    ("os.popen('squeue --me')", "squeue"),
    ('system2("srun", c("-n", "4", "hostname"))', "srun opt:ntasks"),
    ('my @c = ("srun", "-n", 4);', "srun opt:ntasks"),
]
# Words that are no calls with options: what they would pull in costs room.
NO_OPTIONS = [
    "command -v srun >/dev/null || exit 1\npython train.py --label",
    'if [ -x "$(command -v srun)" ]; then\n  python train.py --label\nfi',
    'echo "starting srun"\npython train.py --label',
    "srun python train.py --label",
    "for tool in srun; do which $tool; done\npython train.py --label",
    "ARGS='-o f'\nsrun $ARGS x",
]


# Whose standard input nobody writes.
NOT_FED = [
    "srun -n1 a; sort <f",
    "srun -n1 a && cat <<E\nb\nE",
    "srun -n1 a 3<f",
    "a | b; srun -n1 c",
    "a || srun -n1 b",
    "srun -n1 a | b",
    "a | b \\\n  && srun -n1 c",
]


@pytest.mark.parametrize("text", NOT_FED)
def test_not_fed(text: str) -> None:
    assert "stdin" not in features(job(f"#!/bin/bash\n{text}\n"), 1)


@pytest.mark.parametrize(("text", "wanted"), SHELL)
def test_a_shell_calls(text: str, wanted: str) -> None:
    nodes = 2 if "@" in wanted else 1
    assert set(wanted.replace("@", "").split()) <= features(job(f"#!/bin/bash\n{text}\n"), nodes)


@pytest.mark.parametrize(("text", "wanted"), OTHERS)
def test_another_language_calls(text: str, wanted: str) -> None:
    script = job(f"#!/usr/bin/env python3\n{text}\n")
    script = script.replace(run=script.run.replace(interpreter="/usr/bin/env python3"))
    assert set(wanted.split()) <= features(script, 1)


@pytest.mark.parametrize("text", NO_OPTIONS)
def test_no_options(text: str) -> None:
    assert "opt:label" not in features(job(f"#!/bin/bash\n{text}\n"), 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("srun python -u tools/train.py --launcher='slurm'", "scontrol"),
        ("srun python -m submitit.core._submit folder", "scontrol"),
        ("deepspeed --hostfile h --launcher slurm train.py", "srun opt:ntasks opt:nodelist opt:export"),
        ("julia -e 'using ClusterManagers; addprocs(SlurmManager(4))'", "srun opt:ntasks opt:output"),
    ],
)
def test_programs_call_out_of_sight(text: str, wanted: str) -> None:
    script = job(f"#!/bin/bash\n{text}\n")
    assert set(wanted.split()) <= features(script, 1)
    assert {name for name in wanted.split() if ":" not in name} <= provided(script)


@pytest.mark.parametrize(
    "part", ["srun $A ", "srun `", 'srun -n "', "A=$(which srun) $A\n", "$((", "f() { srun; }\n", "/srun"]
)
def test_of_very_many_calls_the_first_are_read(part: str) -> None:
    read, every = calls(part * 20000, shell=True)
    assert len(read) < 1100
    assert not every or "srun" not in part or part[0] == "/"


def test_paths() -> None:
    read, _ = calls(
        "/usr/bin/srun a; ./srun b; tools/srun c; /opt/slurm/bin/scontrol x; x=$(/usr/bin/squeue)", shell=True
    )
    assert [(call.name, call.path) for call in read] == [
        ("srun", "/usr/bin/"),
        ("scontrol", "/opt/slurm/bin/"),
        ("squeue", "/usr/bin/"),
    ]
