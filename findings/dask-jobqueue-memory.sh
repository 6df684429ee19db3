#!/bin/bash
# dask-jobqueue: a memory of "16GB" becomes `--mem=15G`, though Slurm's own `--mem=16GB` is 16 GiB.
#
# Version: dask-jobqueue 0.9.0, distributed 2026.7.1 (PyPI)
# Behaviour: the text is read in powers of ten, as Dask reads sizes, and written in Slurm's letters, which are powers of two,
#   rounded up. A worker that was given the number of the cluster's pages in the same letters has 6.9 % less (GB) or 9.0 %
#   less (TB), and the workers get what is left, divided. `GiB` comes through as it is. Cores that the
#   processes do not divide evenly are asked for and given to nobody: 3 processes of 4 cores have one thread each.
# Output:
#   16GB: --mem=15G --cpus-per-task=4 --memory-limit 4.97GiB --nthreads 1
#   16GiB: --mem=16G --cpus-per-task=4 --memory-limit 5.33GiB --nthreads 1
#   500MB: --mem=477M --cpus-per-task=4 --memory-limit 158.95MiB --nthreads 1
#   1TB: --mem=932G --cpus-per-task=4 --memory-limit 310.44GiB --nthreads 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dask-jobqueue==0.9.0 distributed==2026.7.1 >&2
cat >"$work/ask.py" <<'PY'
import re

from dask_jobqueue.slurm import SLURMJob

ASKED = r"--mem=\S+|--cpus-per-task=\S+|--memory-limit \S+|--nthreads \S+"
for memory in ("16GB", "16GiB", "500MB", "1TB"):
    job = SLURMJob(scheduler="tcp://head:8786", name="worker", cores=4, processes=3, memory=memory)
    found = {each.split("=")[0].split()[0]: each for each in re.findall(ASKED, job.job_script())}
    print(f"{memory}:", *(found[name] for name in ("--mem", "--cpus-per-task", "--memory-limit", "--nthreads")))
PY
"$work/venv/bin/python" "$work/ask.py" 2>/dev/null >"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
