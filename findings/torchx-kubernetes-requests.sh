#!/bin/bash
# TorchX: on Kubernetes a role's pods request 1,024 MB and a tenth of a CPU less than it says; a small one requests nothing.
#
# Version: torchx 0.7.0 (PyPI)
# Behaviour: `memMB` and `cpu` of a role become the limits of its container. Its requests, which are all that the scheduler
#   looks at, are lower by fixed amounts that are meant for the node's own needs: a role of 1,000 MB or of a tenth of a CPU
#   requests 0, so any number of its pods go to one node. Who reads the requests takes the job for a smaller one than
#   it is. And the megabytes are decimal there (`M`), while the same role on Slurm gets as many `--mem` of 2^20 bytes.
# Output:
#   cpu=0.1 memMB=1000: requests 0m 0M, limits 100m 1000M, Slurm --mem=1000
#   cpu=1 memMB=2048: requests 900m 1024M, limits 1000m 2048M, Slurm --mem=2048
#   cpu=8 memMB=65536: requests 7900m 64512M, limits 8000m 65536M, Slurm --mem=65536
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torchx==0.7.0 kubernetes==34.1.0 >&2
cat >"$work/ask.py" <<'PY'
from torchx.schedulers import kubernetes_scheduler, slurm_scheduler
from torchx.specs import AppDef, Resource, Role

for cpu, memory in ((0.1, 1000), (1, 2048), (8, 65536)):
    role = Role("train", "alpine", entrypoint="true", resource=Resource(cpu=cpu, gpu=0, memMB=memory))
    app = AppDef("app", [role])
    job = kubernetes_scheduler.create_scheduler("s").submit_dryrun(app, {"queue": "q"}).request.resource
    found = job["spec"]["tasks"][0]["template"].spec.containers[0].resources
    (replica,) = slurm_scheduler.create_scheduler("s").submit_dryrun(app, {}).request.replicas.values()
    said = [f"{word} {each['cpu']} {each['memory']}" for word, each in (("requests", found.requests), ("limits", found.limits))]
    print(f"cpu={cpu} memMB={memory}: {', '.join(said)}, Slurm --mem={replica.sbatch_opts['mem']}")
PY
"$work/venv/bin/python" "$work/ask.py" 2>/dev/null >"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
