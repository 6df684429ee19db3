#!/bin/bash
# Parsl: the seconds of a Slurm block's walltime are dropped, so less than a minute becomes no limit at all.
#
# Version: parsl 2026.10.26 (PyPI)
# Behaviour: the walltime of SlurmProvider is documented as HH:MM:SS. It is handed to Slurm in minutes, rounded down: up to 59
#   seconds of it are lost. Less than a minute becomes `--time=0`, by which Slurm sets no limit of time: a block that was to
#   end after 45 seconds may hold its nodes as long as the partition lets it. A warning goes to Parsl's own log only.
# Output:
#   walltime=00:00:45: #SBATCH --time=0
#   walltime=00:01:59: #SBATCH --time=1
#   walltime=01:59:59: #SBATCH --time=119
#   walltime=02:00:00: #SBATCH --time=120
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q parsl==2026.10.26 >&2
mkdir "$work/bin" "$work/scripts"
# As a real one says it; the script's path is its last word.
cat >"$work/bin/sbatch" <<'SH'
#!/bin/bash
grep -h '^#SBATCH --time' "${@: -1}" >>"$HOME/said"
echo "Submitted batch job 7"
SH
chmod +x "$work/bin/sbatch"
cat >"$work/ask.py" <<'PY'
import sys
from os.path import expanduser

from parsl.launchers import SimpleLauncher
from parsl.providers import SlurmProvider

for walltime in ("00:00:45", "00:01:59", "01:59:59", "02:00:00"):
    open(expanduser("~/said"), "w").close()
    provider = SlurmProvider(walltime=walltime, launcher=SimpleLauncher())
    provider.script_dir = sys.argv[1]
    assert provider.submit("hostname", 1) == "7"
    with open(expanduser("~/said")) as file:
        print(f"walltime={walltime}: {file.read().strip()}")
PY
PATH=$work/bin:$PATH "$work/venv/bin/python" "$work/ask.py" "$work/scripts" >"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
