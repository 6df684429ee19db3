"""Attempts of a job that is started again after a failure, on a real systemd."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.docker

TASK = """\
resources:
  accelerators: H100:8
  infra: mithril
  job_recovery: {max_restarts_on_errors: 1}
setup: setsid -f bash -c 'exec -a of-setup /bin/sleep 300'
run: |
  pgrep -x sleep | while read -r each; do tr '\\0' ' ' </proc/$each/cmdline; echo; done
  setsid -f bash -c 'exec -a of-attempt /bin/sleep 300'
  echo attempt
  sleep 1
  exit 3
"""


def test_what_left_the_process_group_of_an_attempt_ends_before_the_next(docker: Any) -> None:
    docker.start(TASK, path="task.yaml")
    assert docker.wait()["state"] == "FAILED"
    lines = [line for line in docker.output().splitlines() if not line.startswith("flowc: ")]
    assert lines == ["of-setup 300 ", "attempt", "of-setup 300 ", "attempt"]
    assert docker.run("pgrep -x sleep").stdout == ""
