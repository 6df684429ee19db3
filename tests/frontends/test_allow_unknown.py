"""`--allow-unknown` lets unknown keys pass, but no job that lacks what a misspelt key should have said."""

from __future__ import annotations

import pytest

import flowc

POD = """\
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: img, resources: {limits: {nvidia.com/gpu: 8}}}]
"""
JOBS = {
    "command": ("instance_type: 8xh100\ncommand: train\n", "task-without-command"),
    "instance_type": ("instance_type: 8xh100\ncommand: train\n", "machine-missing"),
    "run": ("resources: {accelerators: H100:8}\nrun: train\n", "skypilot-nothing-to-run"),
    "ssh_key_name": (
        "project_name: p\nssh_key_name: k\nresources_specification: {fcp_instance: 8xh100}\nstartup_script: train\n",
        "foundry-no-identity",
    ),
    "image": (POD, "field-required"),
    "restartPolicy": (POD, "restart-policy-required"),
}


@pytest.mark.parametrize("key", JOBS)
def test_what_is_misspelt_is_missing(key: str) -> None:
    text, expected = JOBS[key]
    misspelt = text.replace(f"{key}:", f"{key}x:")
    told = flowc.check(misspelt, path="job.yaml")
    assert [each.code.name for each in told.diagnostics if each.severity == "error"] in (
        ["unknown-key"],
        ["unknown-field"],
    )
    allowed = flowc.check(misspelt, flowc.Inputs(allow_unknown=True), path="job.yaml")
    assert [each.code.name for each in allowed.diagnostics if each.severity == "error"] == [expected]
