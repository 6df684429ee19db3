#!/bin/bash
# Lightning: a job that is called `interactive` or `bash` is no Slurm job to it, and each task of its srun takes itself for rank 0.
#
# Version: lightning-fabric 2.6.6, torch 2.14.1 (PyPI)
# Behaviour: whether a person sits at the terminal is guessed by SLURM_JOB_NAME. With one of these two names the environment of
#   Slurm is left aside though srun has started the process and all its variables are there: the tasks do not find each
#   other, each starts a whole group of processes itself, and all of these share the GPUs. The same script under another name
#   is one group. Small and large letters count.
# Output:
#   train: SLURMEnvironment, rank 1 of 2
#   interactive: LightningEnvironment, rank 0 of 2
#   bash: LightningEnvironment, rank 0 of 2
#   Bash: SLURMEnvironment, rank 1 of 2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q lightning-fabric==2.6.6 torch==2.14.1 >&2
cat >"$work/ask.py" <<'PY'
import os

from lightning_fabric import Fabric

fabric = Fabric(accelerator="cpu", devices=2, num_nodes=1, strategy="ddp")
kind = type(fabric.strategy.cluster_environment).__name__
print(f"{os.environ['SLURM_JOB_NAME']}: {kind}, rank {fabric.global_rank} of {fabric.world_size}")
PY
# What the second of two tasks on one node has.
export SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_NTASKS=2 SLURM_NTASKS_PER_NODE=2 SLURM_NNODES=1 SLURM_JOB_NODELIST=node
export SLURM_PROCID=1 SLURM_LOCALID=1 SLURM_NODEID=0
for name in train interactive bash Bash; do
    SLURM_JOB_NAME=$name HOME=$work "$work/venv/bin/python" "$work/ask.py" 2>/dev/null
done >"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
