"""Which jobs may run on fewer nodes that have more each."""

from __future__ import annotations

import json
from typing import Any

import pytest

import flowc
from flowc.driver import compile
from flowc.inputs import Flags, Inputs
from flowc.ir.unit import Unit
from flowc.scripts.slurm.environment import batch_variables
from flowc.source import Source

HEAD = "--nodes=4 --ntasks=8 --gpus-per-node=h100:2 --time=1:00:00"
THRIFTY = Inputs(flags=Flags(optimize="cost"))


def planned(options: str, text: str, inputs: Inputs = THRIFTY) -> tuple[Unit, list[str]]:
    source = Source("job.sbatch", f"#!/bin/bash\n#SBATCH {options}\n{text}\n")
    done = compile(source, inputs, emit="plan")
    assert not done.failed, [each.message for each in done.diagnostics]
    return done.units[0], [each.message for each in done.diagnostics if each.code.name == "not-packed"]


def nodes(options: str, text: str, inputs: Inputs = THRIFTY) -> int:
    plan = planned(options, text, inputs)[0].plan
    assert plan is not None
    return plan.nodes


FREE = [
    "srun python train.py",
    "srun -n 8 --label ./a.out -N 3 data/x",  # what follows the program is the program's
    "srun -n $SLURM_NTASKS --mpi=pmix ./solver input",
    "srun --gpus-per-task=1 --cpu-bind=cores -o out.%t ./a.out",
    "module load cuda\ncd $SLURM_SUBMIT_DIR\nexport OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK\nsrun ./a.out $SLURM_JOB_ID",
    "mkdir -p out/$SLURM_JOB_ID\nif [ -d out ]; then srun -l ./a.out; fi",
    "mpirun -np 8 ./a.out",
    "# SLURM_NODEID, MASTER_ADDR, srun -N 4\nsrun ./a.out",
    "srun ./a.out & srun -n8 ./b.out & wait",
    "export REPORT=1; import_dir=x; srun ./a.out",
    'source ~/.bashrc\nsource "$HOME/venv/bin/activate"\nsource activate env\nsrun python train.py',
]


@pytest.mark.parametrize("text", FREE)
def test_a_text_without_a_word_about_nodes_is_packed(text: str) -> None:
    assert nodes(HEAD, text) == 1


BOUND = {
    "srun ./a.out $SLURM_NODEID": "`SLURM_NODEID`",
    "echo $SLURM_NNODES; srun ./a.out": "`SLURM_NNODES`",
    "echo ${SLURM_JOB_NODELIST}; srun ./a.out": "`SLURM_JOB_NODELIST`",
    "srun bash -c 'echo $SLURM_LOCALID'": "`SLURM_LOCALID`",
    "srun -N 4 ./a.out": "`-N`",
    "srun -N4 -n8 ./a.out": "`-N4`",
    "srun --nodes=1 ./a.out": "`--nodes=1`",
    "srun --ntasks-per-node=2 ./a.out": "`--ntasks-per-node=2`",
    "srun -w node1 ./a.out": "`-w`",
    "srun --gres=gpu:2 ./a.out": "`--gres=gpu:2`",
    "srun --mem=10G ./a.out": "`--mem=10G`",
    "srun $OPTIONS ./a.out": "cannot be seen",
    "srun -n 4 ./a.out": "`4` tasks, not more than nodes",
    "srun -n $COUNT ./a.out": "`$COUNT` tasks",
    "srun -o out.%N ./a.out": "names files after nodes",
    "srun ./run.sh": "another text",
    "srun bash job": "another text",
    'srun "$PROGRAM"': "cannot be seen",
    "MASTER_ADDR=x srun ./a.out": "`MASTER_ADDR`",
    "srun torchrun train.py": "`torchrun`",
    "srun python -m torch.distributed.run train.py": "`torch.distributed.run`",
    "srun python train.py --master_port 29500": "port",
    "srun python train.py --port=8080": "port",
    "srun python train.py --init tcp://x:29500": "`:29500`",
    "mpirun --hostfile hosts ./a.out": "`hostfile`",
    "mpirun -npernode 2 ./a.out": "`-npernode`",
    "srun ./a.out --out /tmp/x": "`/tmp`",
    "cp data $TMPDIR/; srun ./a.out": "`$TMPDIR`",
    "srun ./a.out /dev/shm/x": "`/dev/shm`",
    "export CUDA_VISIBLE_DEVICES=0; srun ./a.out": "`CUDA_VISIBLE_DEVICES`",
    "echo $(hostname); srun ./a.out": "`hostname`",
    "scontrol show job; srun ./a.out": "`scontrol`",
    "python prepare.py\nsrun ./a.out": "`python` runs on its first node alone",
    "source setup.sh; srun ./a.out": "`source` reads another text",
    ". ./env; srun ./a.out": "`.` reads another text",
    "echo ${!SLURM_@}; srun ./a.out": "`SLURM_`",
    "srun -n 4 ./a : -n 4 ./b": "`4` tasks",
    "srun -n 8 ./a : -n 8 ./b": "several programs",
    "eval $COMMAND; srun ./a.out": "`eval` runs on its first node alone",
    "./a.out": "runs on its first node alone",
    "echo done": "runs on the first of its nodes alone",
    "cat > x.py <<E\nprint()\nE\nsrun python x.py": "writes another one",
    "for n in 1 2; do ssh n$n ./a.out; done; srun ./b.out": "`ssh`",
}


@pytest.mark.parametrize("text", BOUND)
def test_a_text_that_may_speak_of_nodes_stays_on_them(text: str) -> None:
    found, (message,) = planned(HEAD, text)
    assert found.plan is not None
    assert found.plan.nodes == 4
    assert BOUND[text] in message


OPTIONS = {
    "--nodes=4 --ntasks-per-node=2 --gpus-per-node=h100:2": "`--ntasks-per-node`",
    f"{HEAD} -w node[1-4]": "`-w`",
    f"{HEAD} --exclude=node5": "`--exclude`",
    f"{HEAD} --distribution=cyclic": "`--distribution`",
    f"{HEAD} --switches=1": "`--switches`",
    f"{HEAD} --tmp=10G": "`--tmp`",
    f"{HEAD} --contiguous": "`--contiguous`",
    "--nodes=4 --gpus-per-node=h100:2": "each node has a task",
    "--nodes=4 --ntasks=4 --gpus-per-node=h100:2": "a node to itself",
    "--nodes=4 --ntasks=10 --gpus-per-node=h100:2": "unequal",
    "--nodes=4 --ntasks=16 --gpus-per-node=h100:2": "share the GPUs",
}


@pytest.mark.parametrize("options", OPTIONS)
def test_an_option_that_may_be_about_nodes_keeps_them(options: str) -> None:
    found, (message,) = planned(f"{options} --time=60", "srun ./a.out")
    assert found.plan is not None
    assert found.plan.nodes == 4
    assert OPTIONS[options] in message


def test_a_number_on_the_command_line_stays() -> None:
    assert nodes(HEAD, "srun ./a.out", Inputs(flags=Flags(optimize="cost", num_instances=4))) == 4


def test_components_of_one_job_stay() -> None:
    text = f"#!/bin/bash\n#SBATCH {HEAD}\n#SBATCH hetjob\n#SBATCH {HEAD}\nsrun ./a.out\n"
    done = compile(Source("job.sbatch", text), THRIFTY, emit="plan")
    assert [each.plan.nodes for each in done.units if each.plan is not None] == [4, 4]


SPREAD_ELSEWHERE = {
    "job.yaml": "name: t\nresources: {accelerators: H100:1}\nnum_nodes: 2\nrun: python train.py\n",
    "task.yaml": "name: t\ninstance_type: 1xh100\nnum_instances: 2\nmax_run_time_hours: 1\ncommand: python train.py\n",
}


@pytest.mark.parametrize("path", SPREAD_ELSEWHERE)
def test_what_runs_once_on_each_node_stays(path: str) -> None:
    done = compile(Source(path, SPREAD_ELSEWHERE[path]), THRIFTY, emit="plan")
    assert [each.plan.nodes for each in done.units if each.plan is not None] == [2]


ALIKE = [
    (HEAD, "--nodes=1 --ntasks=8 --gpus-per-node=h100:8 --time=1:00:00"),
    (
        "--nodes=4 --ntasks=8 --gres=gpu:h100:2 --mem=100G --cpus-per-task=3 -t 60",
        "--nodes=1 --ntasks=8 --gres=gpu:h100:8 --mem=400G --cpus-per-task=3 -t 60",
    ),
    (
        "--nodes=2 --ntasks=8 --gpus-per-task=h100:1 --mem-per-cpu=2G -t 60",
        "--nodes=1 --ntasks=8 --gpus-per-task=h100:1 --mem-per-cpu=2G -t 60",
    ),
    ("--nodes=4 --ntasks=8 --mem=20G -t 60", "--nodes=1 --ntasks=8 --mem=80G -t 60"),
    ("--nodes=2 --ntasks=4 --gpus=h100:4 -t 60", "--nodes=1 --ntasks=4 --gpus=h100:4 -t 60"),
]


@pytest.mark.parametrize(("spread", "packed"), ALIKE)
def test_a_packed_job_is_that_which_asks_for_so_few(spread: str, packed: str) -> None:
    """Its variables are those of Slurm for that request."""
    (one, _), (other, _) = planned(spread, "srun ./a.out"), planned(packed, "srun ./a.out", Inputs())
    assert one.plan is not None
    assert other.plan is not None
    told: list[Any] = []
    for each in (one, other):
        assert each.plan is not None
        kept = each.job.replace(number=77)
        told.append((batch_variables(kept, each.plan, None, "/x"), each.job.resources, each.job.layout))
    assert told[0] == told[1]
    assert one.plan.replace(look=tuple, compare=tuple) == other.plan.replace(look=tuple, compare=tuple)


def test_a_packed_job_tells_what_became_of_its_nodes() -> None:
    done = flowc.compile(f"#!/bin/bash\n#SBATCH {HEAD}\nsrun ./a.out\n", THRIFTY, path="job.sbatch")
    (told,) = [each for each in done.diagnostics if each.code.name == "cost-optimized"]
    assert "1 x h100-80gb.sxm.8x in us-central2-a in place of 4 x h100-80gb.sxm.8x" in told.message
    assert "$12.03 an hour by its market price, limit $64.00; it would be $48.12" in told.message
    report = next(each.text for each in done.artifacts if each.name == "report.txt")
    assert "approximated  FC712  1 machine, as `--optimize cost` says" in report


def test_the_plan_names_what_it_took_the_place_of() -> None:
    source = Source("job.sbatch", f"#!/bin/bash\n#SBATCH {HEAD}\nsrun ./a.out\n")
    (job,) = json.loads(compile(source, THRIFTY, emit="plan").artifacts[0].text)["jobs"]
    assert (job["nodes"], job["worst_case_usd"], job["expected_usd"]) == (1, "64.00", "12.03")
    reasons = [each["reason"] for each in job["candidates"] if not each["chosen"]]
    assert reasons[0].startswith("what `--optimize cost` took the place of: $48.12 an hour")
