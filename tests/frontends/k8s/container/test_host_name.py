"""An Indexed Job's program may find its index in the name of its host."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.frontends.k8s.field_examples_pod import job_set
from tests.frontends.k8s.lowering import INDEXED, one
from tests.frontends.k8s.manifests import job

SHOW = {"command": ["sh", "-c", 'echo "$HOSTNAME ${HOSTNAME##*-}"']}


@pytest.mark.parametrize("spec", [INDEXED, {**INDEXED, "completions": 8}])
def test_it_is_called_by_job_and_index(spec: dict[str, Any]) -> None:
    argv = one(job(spec, container=SHOW)).run.argv
    environment = {"PATH": "/usr/bin:/bin", "JOB_COMPLETION_INDEX": "3", "HOSTNAME": "vm"}
    done = subprocess.run([*argv], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "train-3 3\n"


def test_a_single_index() -> None:
    found = one(job({"completions": 1, "completionMode": "Indexed"}, container=SHOW))
    assert dict(found.env)["HOSTNAME"] == "train-0"


def test_the_first_job_of_a_set() -> None:
    document = job_set(
        {"completions": 1},
    )
    document["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]["containers"][0] |= SHOW
    assert dict(one(document).env)["HOSTNAME"] == "t-w-0-0"


def test_what_does_not_look_for_it_is_left_as_it_is() -> None:
    assert one(job(INDEXED, container={"command": ["train"]})).run.argv == ("train",)
    own = {**SHOW, "env": [{"name": "HOSTNAME", "value": "mine"}]}
    assert dict(one(job(INDEXED, container=own)).env)["HOSTNAME"] == "mine"
    assert one(job(container=SHOW)).run.argv == tuple(SHOW["command"])
