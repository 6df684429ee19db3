#!/bin/bash
# SkyPilot: a name that no shell can export is refused below `envs` and accepted below `secrets`; the job runs without it.
#
# Version: skypilot 0.14.1 (PyPI)
# Behaviour: keys of `envs` must look like variables, keys of `secrets` may look like anything. The script that SkyPilot
#   makes for the task exports both alike, so bash complains of the name in the log and goes on: the program does not get
#   the secret, and the task ends well. Names such as `hub-token` are what Secrets of Kubernetes are called.
# Output:
#   envs: refused, InvalidSkyPilotConfigError
#   secrets: accepted, OTHER hub-token
#   line of the script: export hub-token=x
#   what bash says of it: not a valid identifier
#   variables of the program with hub in their name: 0
#   the other secret: y
#   exit status: 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work SKYPILOT_DISABLE_USAGE_COLLECTION=1
mkdir "$work/sky_workdir"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q skypilot==0.14.1 >&2
cat >"$work/ask.py" <<'PY'
import sys

import sky
from sky import task as task_lib
from sky.skylet import log_lib

SHOW = 'echo "program: $(env | grep -c hub) $OTHER"'
for kind in ("envs", "secrets"):
    config = {"run": SHOW, kind: {"hub-token": "x", "OTHER": "y"}}
    try:
        task = sky.Task.from_yaml_config(config)
    except Exception as error:
        print(f"{kind}: refused, {type(error).__name__}")
        continue
    print(f"{kind}: accepted,", *sorted(task.secrets))
    with open(sys.argv[1], "w") as file:
        values = task_lib.get_plaintext_envs_and_secrets(task.envs_and_secrets)
        file.write(log_lib.make_task_bash_script(task.run, values))
PY
"$work/venv/bin/python" "$work/ask.py" "$work/task.sh" 2>/dev/null >"$work/seen"
status=0
env -i HOME="$work" PATH="$PATH" bash "$work/task.sh" >"$work/out" 2>"$work/errors" || status=$?
{
    echo "line of the script: $(grep hub-token "$work/task.sh")"
    echo "what bash says of it: $(grep -o 'not a valid identifier' "$work/errors")"
    read -r _ count other < <(grep '^program: ' "$work/out")
    echo "variables of the program with hub in their name: $count"
    echo "the other secret: $other"
    echo "exit status: $status"
} >>"$work/seen"
sed -n '/^# Output:/,/^set /s/^#   //p' "$0" >"$work/wanted"
diff "$work/wanted" "$work/seen"
cat "$work/seen"
echo "as recorded"
