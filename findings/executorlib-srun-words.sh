#!/bin/bash
# executorlib: `exclusive` reserves no node but is srun's `--exact`, and a whole number of minutes gets one minute more.
#
# Version: executorlib 1.11.0 (PyPI)
# Behaviour: the resource is described as exclusive access to the nodes of a task. What srun is told with it is `--exact`: the
#   step takes only the cores that it asks for, and leaves the rest of the node to others. `run_time_max` is in seconds,
#   srun's limit in minutes; it is divided, rounded down, and one is added, so 59 seconds become one minute, and 60
#   become two.
# Output:
#   exclusive=True: srun -n 1 --cpus-per-task=1 --exact
#   exclusive=False: srun -n 1 --cpus-per-task=1
#   run_time_max=59: srun -n 1 --cpus-per-task=1 --time=1
#   run_time_max=60: srun -n 1 --cpus-per-task=1 --time=2
#   run_time_max=3600: srun -n 1 --cpus-per-task=1 --time=61
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q executorlib==1.11.0 >&2
mkdir "$work/bin"
# As a real one: drops its own options, and runs the program.
cat >"$work/bin/srun" <<'SH'
#!/bin/bash
said=
while [[ ${1-} == -* ]]; do
    case $1 in
    -D) shift 2 ;;
    -n) said+=" $1 $2" && shift 2 ;;
    *) said+=" $1" && shift ;;
    esac
done
echo "srun$said" >"$HOME/said"
exec "$@"
SH
chmod +x "$work/bin/srun"
cat >"$work/ask.py" <<'PY'
from os.path import expanduser

from executorlib import SlurmJobExecutor


def same(value):
    return value


if __name__ == "__main__":
    for name, value in (
        *(("exclusive", each) for each in (True, False)),
        *(("run_time_max", each) for each in (59, 60, 3600)),
    ):
        with SlurmJobExecutor(max_workers=1) as executor:
            assert executor.submit(same, 7, resource_dict={name: value}).result(timeout=60) == 7
        with open(expanduser("~/said")) as file:
            print(f"{name}={value}: {file.read().strip()}")
PY
PATH=$work/bin:$PATH "$work/venv/bin/python" "$work/ask.py" 2>/dev/null >"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
