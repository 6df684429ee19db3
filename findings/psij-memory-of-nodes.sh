#!/bin/bash
# PSI/J: the memory of a job, its documented total, is asked for from each node.
#
# Version: psij-python 0.9.11 (PyPI)
# Behaviour: `ResourceSpecV1(memory=…)` is said to be the total of the job in bytes. The scripts for Slurm and PBS hand it
#   on as it is to words that count by node (`--mem`, `mem=` of a chunk of `select`), whatever the number of nodes. So a
#   job of four nodes asks for four times its memory, and one that holds the memory of several nodes fits no node and
#   waits for ever. Who splits the total over the nodes, as the text says, gives each a fourth of what the cluster gave.
# Output:
#   slurm nodes=1: --mem=67108864K
#   slurm nodes=4: --mem=67108864K
#   pbs nodes=1: select=1:ncpus=2:mpiprocs=2:mem=68719476736
#   pbs nodes=4: select=4:ncpus=2:mpiprocs=2:mem=68719476736
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q psij-python==0.9.11 >&2
cat >"$work/ask.py" <<'PY'
import io
from psij import Job, JobExecutor, JobSpec, ResourceSpecV1

for name in ("slurm", "pbs"):
    executor = JobExecutor.get_instance(name)
    for nodes in (1, 4):
        resources = ResourceSpecV1(node_count=nodes, processes_per_node=2, memory=64 * 2**30)
        job, script = Job(JobSpec("/bin/true", resources=resources)), io.StringIO()
        executor.generate_submit_script(job, executor._create_script_context(job), script)
        words = [word for line in script.getvalue().splitlines() for word in line.split() if line.startswith("#")]
        print(f"{name} nodes={nodes}: {' '.join(word for word in words if 'mem=' in word)}")
PY
"$work/venv/bin/python" "$work/ask.py" 2>/dev/null >"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
