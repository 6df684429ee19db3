"""Batch scripts as public repositories have them: options, bodies and lengths by how often they were counted there, not
by what flowc knows. The same number gives the same script."""

from __future__ import annotations

from random import Random

# Percent of the scripts that have the option, and what its value may be.
OPTIONS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("time", 79.8, ("00:30:00", "04:00:00", "1-00:00:00", "3-00:00", "90")),
    ("job-name", 75.8, ("train", "md_run", "Sim-4", "preprocess")),
    ("nodes", 71.2, ("1", "1", "1", "2", "4", "8")),
    ("partition", 63.5, ("gpu", "standard", "small", "short,long")),
    ("output", 59.4, ("%x-%j.out", "logs/%j.out", "out.txt")),
    ("cpus-per-task", 53.8, ("1", "4", "8", "10", "32")),
    ("account", 48.1, ("project_462", "abc123")),
    ("ntasks-per-node", 45.9, ("1", "4", "8")),
    ("error", 39.5, ("%x-%j.err", "err.txt")),
    ("ntasks", 30.2, ("1", "2", "16", "64")),
    ("mem", 26.1, ("8G", "32GB", "4000", "0")),
    ("gres", 23.2, ("gpu:1", "gpu:4", "gpu:v100:1", "gpu:a100:8")),
    ("exclusive", 13.8, ("",)),
    ("mail-type", 11.7, ("END", "ALL", "BEGIN,END,FAIL")),
    ("qos", 11.5, ("normal", "high")),
    ("hint", 10.9, ("nomultithread",)),
    ("mem-per-cpu", 10.1, ("2000", "4G")),
    ("constraint", 8.7, ("v100-32g", "skylake", "a|b")),
    ("mail-user", 8.6, ("someone@example.org",)),
    ("gpus-per-node", 8.6, ("1", "4", "8")),
    ("array", 4.9, ("0-9", "1-100%10", "3")),
    ("export", 2.0, ("ALL", "NONE")),
)
# Percent of the scripts that have these lines in their body.
PARTS: tuple[tuple[float, str], ...] = (
    (51.0, "module purge\nmodule load {module}\n"),
    (7.4, "source ~/miniconda3/etc/profile.d/conda.sh\nconda activate {name}\n"),
    (9.0, "source $HOME/venvs/{name}/bin/activate\n"),
    (32.4, "source ./{name}.sh\n"),
    (46.3, "export {variable}={number}\nexport DATA_DIR=$SCRATCH/{name}\n"),
    (13.0, "export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK\n"),
    (13.3, "NODES=$(scontrol show hostnames $SLURM_JOB_NODELIST)\n"),
    (11.1, "export MASTER_ADDR=$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n 1)\nexport MASTER_PORT=6000\n"),
    (16.9, "set -euo pipefail\n"),
    (9.7, 'cat > {name}.json <<EOF\n{{"steps": {number}, "job": "$SLURM_JOB_ID"}}\nEOF\n'),
    (4.0, "cd $SLURM_SUBMIT_DIR\n"),
    (10.6, "mkdir -p /scratch/$USER/{name}\ncp -r data /scratch/$USER/{name}\n"),
    (20.0, 'echo "started at $(date) on $(hostname)"\n'),
)
LAUNCHERS = (
    (45.3, "srun {program}\n"),
    (9.7, "mpirun -np $SLURM_NTASKS {program}\n"),
    (5.6, "python -m torch.distributed.launch --nproc_per_node 8 {program}\n"),
    (2.4, "torchrun --nproc_per_node=8 --nnodes=$SLURM_NNODES {program}\n"),
)
MODULES = ("gcc/11.3.0 openmpi/4.1", "cuda/11.8", "python/3.10", "gromacs", "anaconda3/2022.05", "CrayEnv")
PROGRAMS = ("python train.py --config {name}.yaml", "./{name}.x input.nml", "gmx_mpi mdrun -s {name}.tpr", "hostname")
# How long bodies are, in lines of arguments and settings that follow: half have few, one in a hundred hundreds.
LENGTHS = (0, 0, 2, 6, 10, 16, 24, 40, 70, 110)
_NAMES = ("alpha", "bench", "cfd", "llm", "resnet", "tune")


def script(number: int) -> str:
    chance = Random(number)
    lines = ["#!/bin/bash -l" if chance.random() < 0.117 else "#!/bin/bash"]
    for name, share, values in OPTIONS:
        if chance.random() * 100 < share:
            value = chance.choice(values)
            lines.append(f"#SBATCH --{name}={value}" if value else f"#SBATCH --{name}")
            if chance.random() < 0.08:
                lines[-1] += "  # as the others"
    names = {
        "module": chance.choice(MODULES),
        "name": chance.choice(_NAMES),
        "variable": chance.choice(("NCCL_DEBUG", "HF_HOME", "CUDA_VISIBLE_DEVICES", "OUT")),
        "number": str(chance.randrange(1000)),
    }
    body = [text.format(**names) for share, text in PARTS if chance.random() * 100 < share]
    length = chance.choice(LENGTHS) if chance.random() > 0.01 else 400
    body += [
        f'ARGS="$ARGS --option-{each} {chance.randrange(10**6)}"  # {chance.choice(_NAMES)}\n' for each in range(length)
    ]
    program = chance.choice(PROGRAMS).format(**names)
    started = [text.format(program=program) for share, text in LAUNCHERS if chance.random() * 100 < share]
    return "\n".join(lines) + "\n\n" + "".join([*body, *(started or [program + "\n"])])
