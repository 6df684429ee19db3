"""What tests of profiles ask of a job."""

from __future__ import annotations

import json
from typing import Any

from flowc import driver

JOB = "#!/bin/bash\n#SBATCH --gres=gpu:8 --time=10\n"


def job_of(result: driver.Result) -> dict[str, Any]:
    assert not result.failed, [each.message for each in result.diagnostics]
    found: dict[str, Any] = json.loads(result.artifacts[0].text)["jobs"][0]
    return found


def ids(result: driver.Result) -> set[str]:
    return {each.code.id for each in result.diagnostics}
