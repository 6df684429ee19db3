#!/bin/bash
# Slurm: what a batch script exports as CUDA_VISIBLE_DEVICES does not reach the tasks of srun.
#
# Version: slurm 22.05.8 (Debian 12's slurmctld, slurmd and slurm-client; root)
# Behaviour: where GPUs are a GRES, srun hands on the environment of the script, and slurmd then sets CUDA_VISIBLE_DEVICES anew,
#   to the GPUs that the job has. So `export CUDA_VISIBLE_DEVICES=1`, one in front of `srun`, `--export=ALL,CUDA_VISIBLE_DEVICES=1`
#   and `unset` change nothing for its tasks, though they do for programs that the script starts itself; nothing says so. Only
#   what a task sets for itself (a wrapper behind `srun`) holds. In jobs that ask for no GPU the variable is taken away.
# Output:
#   job of two GPUs: script 1, srun 0,1
#   in front of srun: 0,1
#   by --export: 0,1
#   after unset: 0,1
#   set by the task: 1
#   job of no GPU: script 1, srun unset
set -euo pipefail
self=$(realpath "$0")
work=$(mktemp -d)
stop() {
    for each in slurmd slurmctld; do [ ! -s "$work/$each.pid" ] || kill "$(cat "$work/$each.pid")" || :; done
    wait
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
mkdir deb state spool
packages=(slurmctld slurmd slurm-client slurm-wlm-basic-plugins)
(cd deb && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]/%/=22.05.8-4+deb12u3}" >&2)
for each in deb/*.deb; do dpkg -x "$each" root; done
lib=$(dirname "$(find root -name auth_none.so)")
export PATH=$work/root/usr/bin:$work/root/usr/sbin:$PATH SLURM_CONF=$work/slurm.conf
host=$(hostname -s)
for number in 0 1; do mknod "$work/gpu$number" c 1 3; done # Slurm takes only device files for GPUs
cat >slurm.conf <<CONF
ClusterName=finding
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
PluginDir=$work/$lib
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=500 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES State=UP
CONF
echo "NodeName=$host Name=gpu File=$work/gpu[0-1] Flags=nvidia_gpu_env" >gres.conf
slurmctld -D -c >slurmctld.log 2>&1 &
slurmd -D >slurmd.log 2>&1 &
for _ in {1..100}; do [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && break; sleep 0.2; done
# shellcheck disable=SC2016 # the task expands it
say='echo ${CUDA_VISIBLE_DEVICES-unset}'
cat >gpus <<JOB
#!/bin/bash
export CUDA_VISIBLE_DEVICES=1
echo "job of two GPUs: script \$CUDA_VISIBLE_DEVICES, srun \$(srun sh -c '$say')"
echo "in front of srun: \$(CUDA_VISIBLE_DEVICES=1 srun sh -c '$say')"
echo "by --export: \$(srun --export=ALL,CUDA_VISIBLE_DEVICES=1 sh -c '$say')"
echo "after unset: \$(unset CUDA_VISIBLE_DEVICES; srun sh -c '$say')"
echo "set by the task: \$(srun env CUDA_VISIBLE_DEVICES=1 sh -c '$say')"
JOB
cat >none <<JOB
#!/bin/bash
export CUDA_VISIBLE_DEVICES=1
echo "job of no GPU: script \$CUDA_VISIBLE_DEVICES, srun \$(srun sh -c '$say')"
JOB
sbatch -W -Q --gres=gpu:2 -o out.1 gpus
sbatch -W -Q -o out.2 none
cat out.1 out.2 >seen
sed -n '/^# Output:/,/^set /s/^#   //p' "$self" >wanted
diff wanted seen
cat seen
echo "as recorded"
