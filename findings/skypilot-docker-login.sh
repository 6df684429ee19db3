#!/bin/bash
# SkyPilot: a registry's login may not be split: with the user in `envs` and the password in `secrets` the task is invalid.
#
# Version: skypilot 0.14.1 (PyPI)
# Behaviour: SKYPILOT_DOCKER_USERNAME, _PASSWORD and _SERVER must stand together in `envs` or together in `secrets`. To
#   keep the password alone secret, which is how most people would write it, is refused when the file is read, whether
#   or not the task names an image.
# Output:
#   password alone in secrets: ValueError: Docker login variables must be specified together either in envs OR secrets, not split across both. Found in envs: ['SKYPILOT_DOCKER_SERVER', 'SKYPILOT_DOCKER_USERNAME'], Found in secrets: ['SKYPILOT_DOCKER_PASSWORD']
#   all in secrets: accepted
#   all in envs: accepted
#   no password: ValueError: Docker login variables must be specified together in envs. Missing from envs: ['SKYPILOT_DOCKER_PASSWORD']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work SKYPILOT_DISABLE_USAGE_COLLECTION=1
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q skypilot==0.14.1 >&2
cat >"$work/ask.py" <<'PY'
import contextlib
import io

import sky

USER = {"SKYPILOT_DOCKER_USERNAME": "u", "SKYPILOT_DOCKER_SERVER": "registry.example.com"}
PASSWORD = {"SKYPILOT_DOCKER_PASSWORD": "p"}
IMAGE = {"image_id": "docker:registry.example.com/a/b:1"}
CASES = {
    "password alone in secrets": {"envs": USER, "secrets": PASSWORD},
    "all in secrets": {"secrets": {**USER, **PASSWORD}},
    "all in envs": {"envs": {**USER, **PASSWORD}},
    "no password": {"envs": USER},
}
for name, more in CASES.items():
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            sky.Task.from_yaml_config({"run": "true", "resources": IMAGE, **more})
        print(f"{name}: accepted")
    except ValueError as error:
        print(f"{name}: ValueError: {error}")
PY
"$work/venv/bin/python" "$work/ask.py" 2>/dev/null | tee "$work/seen"
sed -n 's/^#   \([^:]*: .*\)$/\1/p' "$0" | grep -E '^(password alone|all in|no password)' >"$work/wanted"
diff "$work/wanted" "$work/seen"
echo "as recorded"
