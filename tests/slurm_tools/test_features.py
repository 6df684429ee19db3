"""What a job's text may use of the small Slurm, and what is left of the program then: it compiles, and it is the same
program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import EVERYTHING, install, job

from flowc._compiled.slurm_programs import NAMES, NEEDS
from flowc.body.slurm_features import features
from flowc.scripts.slurm.tools import closed, program

PIECES = (
    *("srun", "ibrun", "scontrol", "squeue", "sbatch", "mpirun", "-n", "4", "--label", "-l", "-o", "f"),
    *("--container-image=x", "$ARGS", "|", "<", "\\\n", "\n", "#", "show", "hostnames", "[", "'", '"'),
    *("requeue", "-", "--", "-lN2", "ü"),
)


def found(text: str, nodes: int = 1) -> set[str]:
    return features(job("#!/bin/bash\n" + text + "\n"), nodes)


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("echo hi", "", "srun scontrol"),
        ("# srun -l x\necho", "", "srun"),
        ("srun hostname", "srun", "label output stdin container"),
        ("srun -n4 --label python train.py --output x", "opt:ntasks opt:label", "opt:output"),
        ("srun -lN2 x", "opt:label opt:nodes", ""),
        ("srun --cpu-bind none -K1 \\\n  --export=ALL,A=1 x", "opt:cpu-bind opt:kill-on-bad-exit opt:export", ""),
        ("cat f | srun -n 2 cat", "stdin", ""),
        ("srun cat <f", "stdin", ""),
        ("while read x; do srun $x; done <list", "stdin", ""),
        ("srun a\nwhile read x; do echo $x; done <list\nf() {\n:\n}\nf <x", "srun", "stdin"),
        ("ARGS='-o f'\nsrun $ARGS x", "opt:output", "opt:label"),
        # What a variable holds is read off the text where the text alone says it, else all options of the text count.
        ("A='--label \\\n --wait=60'\nsrun $A --jobid $J x; y --nodes 4", "opt:label opt:wait opt:jobid", "opt:nodes"),
        ('A=(--label)\nA+=(-N 2)\nsrun "${A[@]}" x --wait 3', "opt:label opt:nodes", "opt:wait"),
        ('B=--label\nA="$B -O"\nsrun ${A} x --wait 3', "opt:label opt:overcommit", "opt:wait"),
        ("A=--label\nread A\nsrun $A x\ny --wait 3", "opt:label opt:wait", ""),
        ('A=--label\nA="$A $1"\nsrun $A x\ny --wait 3', "opt:label opt:wait", ""),
        ("A=-w\nsrun $A n1 x\ny --wait 3", "opt:nodelist opt:wait", ""),
        ("A='python --label'\nsrun $A --nodes 3\n", "opt:label", "opt:nodes"),
        ("A=${A:---label}\nsrun $A x\ny --wait 3", "opt:label opt:wait", ""),
        ("#SBATCH --label -o f\nA=$(cat f)\nsrun $A x\ny --wait 3", "opt:wait", "opt:jobid"),
        ("X=$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n 1)", "scontrol", "hostlist scontrol_job"),
        ("scontrol show hostnames 'n[1-2]'", "scontrol hostlist", ""),
        ("scontrol show job $SLURM_JOB_ID", "scontrol_job", ""),
        ("scontrol show job $SLURM_JOB_ID | grep NodeList", "scontrol_job", "fields node_fields"),
        ("scontrol show job $SLURM_JOB_ID | grep -o 'AllocTRES=.*'", "fields", "node_fields"),
        ("scontrol show node $(hostname) | awk -F= '/RealMemory/ {print $2}'", "node_fields", "fields"),
        ("scontrol update JobId=$SLURM_JOB_ID JobName=x", "scontrol_job update", "fields requeue"),
        ("scontrol requeue $SLURM_JOB_ID", "requeue", ""),
        # What runs there, and how, stands elsewhere.
        ("make SHELL=srun .SHELLFLAGS='-N1 --exact sh -c'", "srun opt:nodes opt:exact", ""),
        ("export SLURM_EXPORT_ENV=ALL\nsrun x", "opt:export", ""),
        ("export SLURM_NTASKS=2\nsrun x", "opt:ntasks", ""),
        ("sbatch next.sh", "sbatch", ""),
        ("squeue -u $USER; sacct -j 1; sinfo; scancel 1", "squeue sacct sinfo scancel", "srun"),
        ('squeue -h -j $SLURM_JOB_ID -o "%L" | wc -l; sacct -nX --format=state', "squeue sacct", ""),
        ("squeue --me --noheader --format=%i >f; scancel -s USR1 $SLURM_JOB_ID", "squeue scancel", "picks"),
        ("L=$(squeue -j $SLURM_JOB_ID -h -O TimeLeft)", "picks", ""),
        ("squeue -h -j $SLURM_JOB_ID -o '%i %.10M %R' -t R", "picks", "columns"),
        ("squeue -h -j $SLURM_JOB_ID -o %C:%m", "columns", ""),
        ("squeue --me -O NumNodes,tres-per-node", "columns", ""),
        ("squeue --me -O jobid:20,state", "picks", "columns"),
        ("sinfo -h -o %C", "columns", ""),
        ("sinfo -Nl; sinfo -O nodehost", "columns", ""),
        ("sinfo -h -p main -o %D", "picks", "columns"),
        ("squeue $OPTIONS", "picks", ""),
        ("SQ='squeue -h'; $SQ -t PD", "picks", ""),
        ("xargs squeue -j <ids", "picks", ""),
        ("export SQUEUE_STATES=PD\nsqueue", "picks", ""),
        ("scancel --full $SLURM_JOB_ID", "picks", ""),
        ("sinfo -N -h -o %N", "sinfo", "picks"),
        ("sbcast -pf a /tmp/a", "sbcast srun", "rare picks"),
        ("sbcast --compress=lz4 a /tmp/a", "sbcast rare", ""),
        ("my_srun x; a-srun; echo srun.py", "", "srun scontrol"),
        ("srun --container-image=nvcr.io#nvidia/pytorch:24.01-py3 python x", "opt:container-image", "opt:output"),
        ("srun --mem=64G --cpu-bind=cores --hint 'nomultithread' --open-mode=append -K1 x", "opt:mem", "values"),
        ("srun --mem=$SIZE x", "values", ""),
        ("srun --mem-per-cpu 1.5G x", "values", ""),
        ("srun --cpu-bind=verbose,cores x", "values", ""),
        ("srun --hint=wrong x", "values", ""),
        ("module load impi\nibrun ./x -n 4", "ibrun srun pmi_always", "ibrun_options stdin pmix_always"),
        ("ibrun -n 4 -o 0 ./x <in & ibrun $ARGS ./y", "ibrun_rare stdin account", ""),
        ("ibrun -n $N -o 0 ./x --npernode 3", "ibrun_options", "ibrun_rare"),
        ("module load openmpi\nibrun ./x", "ibrun pmix_always", "pmi_always"),
        ("echo ibrun-log; # ibrun x", "", "ibrun srun"),
    ],
)
def test_found(text: str, wanted: str, unwanted: str) -> None:
    assert set(wanted.split()) <= found(text)
    assert not set(unwanted.split()) & found(text)


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ('srun x\nA=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)', "own_hosts", "hostlist"),
        ("srun x\nA=($(scontrol show hostname ${SLURM_NODELIST}))", "own_hosts", "hostlist"),
        ("srun x\nscontrol show hostnames", "own_hosts", "hostlist"),
        ("scontrol show hostnames", "hostlist", "own_hosts"),
        ("srun x\nscontrol show hostnames $LIST", "hostlist", "own_hosts"),
        ("srun x\nscontrol show hostnames; scontrol show hostnames 'n[1-2]'", "hostlist", "own_hosts"),
        ("srun x\nSLURM_JOB_NODELIST=n[1-2] scontrol show hostnames", "hostlist", "own_hosts"),
        ("srun x\necho n[1-2] | xargs scontrol show hostnames", "hostlist", "own_hosts"),
        ("srun -l x", "", "own_hosts hostlist opt:nodes choose"),
        ("srun -o f x", "output", "opt:error opt:open-mode"),
        ("srun --gpus-per-task=1 x", "gpu", "opt:gpu-bind opt:gpus"),
        ("srun --gpus-per-task=1 --gpu-bind=none x", "gpu opt:gpu-bind", "opt:gpus"),
    ],
)
def test_found_on_several_nodes(text: str, wanted: str, unwanted: str) -> None:
    have = closed(found(text, 4))
    assert set(wanted.split()) <= have
    assert not set(unwanted.split()) & have


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=30).map(" ".join), st.integers(1, 4))
def test_any_text_has_features_and_its_program_compiles(text: str, nodes: int) -> None:
    compile(program(closed(found(text, nodes))), "program", "exec")


@pytest.mark.parametrize("feature", sorted(EVERYTHING))
def test_each_feature_compiles_with_what_it_needs(feature: str) -> None:
    compile(program(closed({feature, "srun"})), "program", "exec")
    compile(program(closed({feature})), "program", "exec")


@given(st.sets(st.sampled_from(sorted({*NEEDS, *NAMES, "picks"}))))
def test_each_set_of_features_compiles(chosen: set[str]) -> None:
    compile(program(closed(chosen)), "program", "exec")


@pytest.mark.parametrize(
    ("line", "out"),
    [
        (
            "srun sh -c 'echo $SLURM_PROCID $SLURM_NTASKS $SLURM_STEP_TASKS_PER_NODE $SLURMD_NODENAME'",
            "0 2 2 me\n1 2 2 me\n",
        ),
        ("srun sh -c 'exit $((SLURM_PROCID * 3))'; echo $?", "3\n"),
        ("srun sh -c 'kill -9 $$'; echo $?", "137\n"),
        ("srun nonexisting; echo $?", "2\n"),
        ("srun --bcast=/tmp/x true; echo $?", "255\n"),
        ("srun --container=bundle true; echo $?", "255\n"),
        ("srun --task-prolog=x true; echo $?", "255\n"),
        ("srun --container-save=x true; echo $?", "255\n"),
    ],
)
@pytest.mark.parametrize("have", ["plain", "full"])
def test_the_plain_program_does_the_same_as_the_full_one(tmp_path: Path, line: str, out: str, have: str) -> None:
    where = install(
        tmp_path / "bin", closed({"srun"}) if have == "plain" else EVERYTHING - {"several_nodes", "agent", "rsh"}
    )
    env = {
        "PATH": f"{where}:{os.environ['PATH']}", "SLURM_JOB_ID": f"5{os.getpid()}", "SLURM_JOB_NODELIST": "me",
        "SLURM_NTASKS": "2", "SLURM_JOB_CPUS_PER_NODE": "4", "SLURM_TASKS_PER_NODE": "2",
    }  # fmt: skip
    done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(out.splitlines()), done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scancel $SLURM_JOB_ID.0", False),
        ('scancel -s USR1 "${SLURM_JOB_ID}.$STEP"', False),
        ("scancel ${SLURM_JOBID}.batch", False),
        ("scancel -t PENDING $SLURM_JOB_ID.0", True),
        ("scancel 12.0", True),
    ],
)
def test_own_steps_ask_for_no_rare_options_of_scancel(text: str, expected: bool) -> None:
    assert ("picks" in found(text)) is expected


@pytest.mark.parametrize(
    ("text", "nodes", "expected"),
    [
        ("srun -w n2 sh -c 'srun -n1 ./a & scancel $SLURM_JOB_ID.1'", 2, True),
        ("srun bash <<'EOF'\nsrun ./a &\nEOF", 2, True),
        ("srun -w n2 sh -c 'srun -n1 ./a & scancel $SLURM_JOB_ID.1'", 1, False),
        ("srun -n1 ./a &\nscancel $SLURM_JOB_ID.0", 2, False),
    ],
)
def test_steps_that_other_machines_start_share_an_account(text: str, nodes: int, expected: bool) -> None:
    assert ("shared" in found(text, nodes)) is expected
