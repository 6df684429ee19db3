"""Sets of background steps, made by chance, and the jobs that run many of them in one allocation."""

from __future__ import annotations

import random

# What the job asks for; tasks on a node, nodes, CPUs of a task, GPUs on a node.
JOBS = (
    ("-N1 -n8", 8, 1, 1, 0),
    ("-N1 -n4 -c2", 4, 1, 2, 0),
    ("-N1 -n6 --gres=gpu:4", 6, 1, 1, 4),
    ("-N1 -n4 -c2 --gpus=4", 4, 1, 2, 4),
    ("-N1 -n4 --gpus-per-node=4", 4, 1, 1, 4),
    ("-N1 -n4 --gpus-per-task=1", 4, 1, 1, 4),
    ("-N2 --ntasks-per-node=4", 4, 2, 1, 0),
    ("-N2 --ntasks-per-node=2 -c2 --gres=gpu:2", 2, 2, 2, 2),
    ("-N2 --ntasks-per-node=4 --gpus-per-node=4", 4, 2, 1, 4),
    ("-N3 --ntasks-per-node=3", 3, 3, 1, 0),
)
SETS_IN_JOB = 25
MOST_STEPS = 6
KINDS = "--exact", "--exclusive", "--overlap", "", "SLURM_EXACT=1", "SLURM_OVERLAP=1", "SLURM_EXCLUSIVE=exclusive"
WEIGHTS = 8, 4, 2, 3, 1, 1, 1
HEAD = """#!/bin/bash
#SBATCH {options}
#SBATCH --time=30
# compare: partition=shared
exec </dev/null
p='echo $SLURM_PROCID/$SLURM_LOCALID $SLURMD_NODENAME gpu=$CUDA_VISIBLE_DEVICES cpus=$SLURM_CPUS_ON_NODE'
p+=' of=$SLURM_NTASKS on=$SLURM_STEP_NODELIST tasks=$SLURM_TASKS_PER_NODE step=$SLURM_STEP_ID; read x'
"""
TAIL = """mkfifo commands
python3 driver.py {sets} &
while read -r step; do
    {{ FLOWC_TEST=$step "$step"; echo "exit $?" >&2; }} <$step.in >$step.out 2>$step.err &
done <commands
wait
"""


class Job:
    """A batch script with sets of steps; `sets` maps the number of a set to the words of its steps."""

    def __init__(self, options: str, sets: dict[int, list[str]]) -> None:
        self.options, self.sets = options, sets

    def script(self) -> str:
        lines = [HEAD.format(options=self.options)]
        for number, steps in self.sets.items():
            for place, words in enumerate(steps):
                lines.append(f's{number}_{place}() {{ {words} bash -c "$p"; }}\n')
        lines.append(TAIL.format(sets=",".join(f"{number}:{len(steps)}" for number, steps in self.sets.items())))
        return "".join(lines)


def make(count: int, seed: int, first: int = 0) -> list[Job]:
    """Jobs with so many sets in all, the same for the same seed."""
    jobs = []
    for start in range(first, first + count, SETS_IN_JOB):
        options, tasks, nodes, width, gpus = JOBS[start // SETS_IN_JOB % len(JOBS)]
        per_task = int("per-task" in options)
        sets = {}
        for number in range(start, min(start + SETS_IN_JOB, first + count)):
            chance = random.Random(f"{seed}/{number}")
            sets[number] = [
                _step(chance, tasks, nodes, width, gpus, per_task) for _ in range(chance.randint(2, MOST_STEPS))
            ]
        jobs.append(Job(options, sets))
    return jobs


def _step(chance: random.Random, tasks: int, nodes: int, width: int, gpus: int, per_task: int) -> str:
    """The words of a step that would run, were it alone: Slurm refuses others at moments of its own."""
    variables, words = [], ["srun"]
    kind = chance.choices(KINDS, WEIGHTS)[0]
    if kind[:1] == "S":
        variables.append(kind)
    elif kind:
        words.append(kind)
    on, number, cpus = nodes, tasks * nodes, tasks * width
    if nodes > 1 and chance.random() < 0.5:
        on = chance.randint(1, nodes)
        words.append(f"-N{on}")
    if on < nodes or chance.random() < 0.8:
        number = chance.choice([1, 1, 1, 2, min(3, tasks * on), chance.randint(1, tasks * on)])
        words.append(f"-n{number}")
    on = min(on, number)
    if chance.random() < 0.3:
        widest = max(each for each in range(1, cpus + 1) if cpus // each * on >= number)
        words.append(f"-c{chance.choice([1, min(width, widest), min(2, widest), chance.randint(1, widest)])}")
    if gpus and chance.random() < 0.7:
        words.append(_gpus(chance, number, on, gpus, per_task))
    if nodes > 1 and chance.random() < 0.15:
        words.append(chance.choice(["-wn1", "-wn2", "-xn1", "-xn2", "-r1"]))
    if chance.random() < 0.1:
        words.append(chance.choice(["--ntasks-per-node=1", "--ntasks-per-node=2", "-mcyclic", "--mem=100", "-O"]))
    return " ".join(variables + words)


def _gpus(chance: random.Random, number: int, on: int, gpus: int, per_task: int) -> str:
    word = chance.choice(["--gres=gpu:", "--gres=gpu:", "--gpus=", "-G", "--gpus-per-node=", "--gpus-per-task="])
    least, most = 0, gpus
    if word in ("--gpus=", "-G"):
        least, most = on, gpus * on
    elif word == "--gpus-per-task=":
        least, most = 1, min(per_task or gpus, gpus // -(-number // on))
        if not most:
            word, most = "--gres=gpu:", gpus
    some = [min(1, most), least, min(2, max(least, most)), chance.randint(min(least, most), most)]
    return f"{word}{chance.choice(some)}"
