"""What docs/submitting.md says of formats, beside what the commands give."""

from __future__ import annotations

import json
import re
from typing import Any

from flowc.tasks.inside import Inside
from tests.tasks.conftest import ROOT, Person


def keys(value: Any) -> set[str]:
    """All that are in a value, however deep."""
    if isinstance(value, list):
        return {key for each in value for key in keys(each)}
    return {key for each in value for key in (each, *keys(value[each]))} if isinstance(value, dict) else set()


def test_keys_of_the_json_format_are_those_that_are_documented(here: Person) -> None:
    _, _, text = (ROOT / "docs" / "submitting.md").read_text().partition("`list` and `status --format json` give")
    documented = set(re.findall(r'"(\w+)"', text))
    job = here.job("sleep 300\n")
    files = [job, here.job("true\n", "next.sbatch", "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n")]
    submitted = here.types("submit", *files, "--after", "afterok:job", "--provider", "local")
    assert submitted.returncode == 0, submitted.stderr
    found: set[str] = set()
    for words in (("list", "--tree"), ("status", *submitted.stdout.split())):
        found |= keys(json.loads(here.types(*words, "--format", "json", FLOW_PROVIDER="local").stdout))
    # What the machines of tasks elsewhere tell: tests/tasks/test_there.py.
    assert found | set(Inside.FIELDS) == documented
