#!/bin/bash
# SkyPilot: `infra` around a list of alternatives that name regions makes the task invalid; `cloud` does not.
#
# Version: skypilot 0.14.1 (PyPI)
# Behaviour: the keys around `any_of` (and `ordered`) are put together with those of each alternative before they are
#   checked, and `infra` excludes `region` and `zone`. So the usual split, the cloud outside and the regions inside, is
#   refused with `infra: aws` and taken with the older `cloud: aws`. An alternative with an `infra` of its own replaces
#   the outer one, and one that says nothing of the place keeps it.
# Output:
#   infra outside, region inside: ValueError: Cannot specify both `infra` and `cloud`, `region`, or `zone` parameters. Got: infra=aws, cloud=None, region=us-east-1, zone=None
#   the same with ordered: ValueError: Cannot specify both `infra` and `cloud`, `region`, or `zone` parameters. Got: infra=aws, cloud=None, region=us-east-1, zone=None
#   cloud outside, region inside: AWS/us-east-1 AWS/us-west-2
#   infra outside, infra inside: AWS/None GCP/None
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work SKYPILOT_DISABLE_USAGE_COLLECTION=1
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q skypilot==0.14.1 >&2
cat >"$work/ask.py" <<'PY'
import sky

REGIONS = [{"region": "us-east-1"}, {"region": "us-west-2"}]
CASES = {
    "infra outside, region inside": {"infra": "aws", "any_of": REGIONS},
    "the same with ordered": {"infra": "aws", "ordered": REGIONS},
    "cloud outside, region inside": {"cloud": "aws", "any_of": REGIONS},
    "infra outside, infra inside": {"infra": "aws", "any_of": [{"infra": "gcp"}, {"cpus": 4}]},
}
for name, resources in CASES.items():
    try:
        task = sky.Task.from_yaml_config({"run": "true", "resources": resources})
        print(f"{name}:", *sorted(f"{each.cloud}/{each.region}" for each in task.resources))
    except ValueError as error:
        print(f"{name}: ValueError: {error}")
PY
"$work/venv/bin/python" "$work/ask.py" 2>/dev/null | tee "$work/seen"
sed -n 's/^#   \([^:]*: .*\)$/\1/p' "$0" | grep -E '^(infra outside|the same|cloud outside)' >"$work/wanted"
diff "$work/wanted" "$work/seen"
echo "as recorded"
