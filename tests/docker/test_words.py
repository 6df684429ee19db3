"""The words of `run_options`, held against docker's own parser."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from flowc import check
from flowc._compiled.docker_options import FLAGS, SHORT, VALUED

pytestmark = pytest.mark.docker

NEWER = {"annotation", "health-start-interval", "quiet", "use-api-socket"}  # than docker 20.10
VALUES = {
    **{"integer": ["5", "-5", "0x9", "x", "1.5", ""], "natural": ["5", "-5", "x"], "text": []},
    **{"decimal": ["1", "0.5", ".5", "1/2", "1e1", "x"], "duration": ["3s", "1m30s", "0", "3", "3x"]},
    **{"size": ["64g", "64gb", "1.5G", "8 g", "64GiB", "64q", "x", "", "-1"], "swap": ["-1", "64g", "x"]},
}
CLUSTERS = (
    *("-it", "-itd", "-itz", "-z", "-i=true", "-i=yes", "-d=", "-itv/a:/b", "-itv /a:/b", "-P=0", "-e=A=b", "-eA=b"),
    *("-h=x", "-mx", "-m=1g", "-c", "--=x", "---x", "--Init", "--ini", "-v", "-iv", "--rm=false"),
)
TASK = "resources: {accelerators: H100:1, image_id: 'docker:ubuntu:24.04'}\nrun: x\nconfig: {docker: {run_options: %s}}"
# How flowc speaks of words that docker itself does not take.
SYNTAX = ("docker has no such option", "its value is missing", " is not ", "it is no option")


def test_docker_reads_them_as_we_do(docker: Any) -> None:
    """Its client alone, with no daemon: it complains of the words or of the daemon."""
    words = [f"--{name}={value}" for name, kind in VALUED.items() for value in VALUES[kind] if name not in NEWER]
    words += [f"--{name}={value}" for name in FLAGS if name not in {*NEWER, "help"} for value in ("F", "1", "yes")]
    words = [*map(shlex.quote, words), *(f"-{letter}" for letter in SHORT if letter != "q"), *CLUSTERS]
    # A value that is missing is asked for behind the last word.
    lines = [f"docker -H tcp://127.0.0.1:9 run {each} 2>&1 </dev/null | tr '\\n' ' '; echo" for each in words]
    answers = docker.run("\n".join(lines)).stdout.splitlines()
    wrong = []
    for each, answer in zip(words, answers, strict=True):
        by_docker = "Cannot connect" in answer or "requires at least" in answer
        found = check(TASK % json.dumps(each), path="job.yaml").diagnostics
        messages = [every.message for every in found if every.code.id == "FC043"]
        if by_docker == any(sign in message for message in messages for sign in SYNTAX):
            wrong.append((each, answer, messages))
    assert wrong == []
